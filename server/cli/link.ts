/** Finds the supervisor of a workspace, and starts one where there is none. */
import { type ConnectFailure, connect } from '../api/client.ts';
import { lockLocator } from '../api/locate.ts';
import { prospectOf } from '../api/prospect.ts';
import type { HelloParams, SessionHolder } from '../api/protocol.ts';
import type { Prospect } from '../api/reconnect.ts';
import { makeResilient, type ResilientClient } from '../api/resilient.ts';
import { readLock } from '../store/holder.ts';
import type { SupervisorLock } from '../store/types.ts';
import { version } from '../text/version.ts';
import type { LinkFailure } from './failures.ts';
import { endpointObjection, toHolder, type Workspace } from './workspace.ts';

export { openWorkspace, type Workspace } from './workspace.ts';

export interface LinkOptions {
  /** Lease that what this command starts belongs to. */
  readonly session: string | null;
  /** What stands behind it. Default: this terminal. */
  readonly holder?: SessionHolder;
  readonly environment: NodeJS.ProcessEnv;
  /** For a command that has something to show without a supervisor, too: one that is stuck is not waited for. */
  readonly quick?: boolean;
  /** What to do where a supervisor was lost and its successor is not there yet. Default `wait`. */
  readonly inGap?: 'wait' | 'return';
}

export type LinkResult =
  | { readonly ok: true; readonly client: ResilientClient; readonly started: boolean }
  | { readonly ok: false; readonly failure: LinkFailure };

/** A holder that lives and does not listen yet is starting, or is draining: either is over by then. */
const HOLDER_PATIENCE_MS = 10_000;
/** From spawn to serving; a machine under load needs seconds for a Node process. */
const START_PATIENCE_MS = 30_000;
/** Most supervisors serve within this time, and somebody waits for it: looked at often until then (0.3 ms a look). */
const USUAL_START_MS = 1_000;
const SHORT_PAUSE_MS = 8;
const HELLO_PATIENCE_MS = 10_000;
/** From when on a quick command asks whether the supervisor is stuck, and how long it waits for one that is not. */
const QUICK_MS = 1_200;
const QUICK_LIMIT_MS = 5_000;
/** A guardian waits a few seconds when it had to start several successors in a short time. */
const SUCCESSOR_PATIENCE_MS = 15_000;
const FIRST_PAUSE_MS = 15;
const LONGEST_PAUSE_MS = 200;
/** So many supervisors are started in one call, each of which lost the workspace to another that then went away. */
const MOST_STARTS = 5;

/**
 * Connects to the supervisor that holds the workspace; does not start one. In the gap between one that was lost and its
 * successor it waits for that, unless the caller would rather start one at once.
 */
export async function attach(workspace: Workspace, options: LinkOptions): Promise<LinkResult> {
  const began = performance.now();
  let sawHolder = false;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const attempt = await attachOnce(workspace, options);
    const waitedMs = performance.now() - began;
    switch (attempt.kind) {
      case 'attached':
        return { ok: true, client: attempt.client, started: false };
      case 'failed':
        return { ok: false, failure: attempt.failure };
      case 'nobody':
        return { ok: false, failure: { reason: 'no_supervisor', root: workspace.root, gap: null } };
      case 'lost': {
        const prospect = prospectOf(workspace.stateDir);
        if (options.inGap === 'return' || waitedMs > gapPatience(prospect, sawHolder, options))
          return { ok: false, failure: { reason: 'no_supervisor', root: workspace.root, gap: prospect } };
        break;
      }
      case 'not_yet':
        sawHolder = true;
        if (await isInVain(attempt, waitedMs, options)) {
          const { lock, failure } = attempt;
          return { ok: false, failure: { reason: 'unreachable', holder: toHolder(lock), failure } };
        }
        break;
      default:
        return attempt satisfies never;
    }
    await sleep(pause);
  }
}

/** How long a successor is waited for: at all only where there is reason to expect one. */
function gapPatience(prospect: Prospect, sawHolder: boolean, options: LinkOptions): number {
  if (prospect !== 'coming' && !(prospect === 'unknown' && sawHolder)) return 0;
  return options.quick === true ? QUICK_MS : SUCCESSOR_PATIENCE_MS;
}

/** Whether a holder that lives and does not answer has had all the time that it gets. */
async function isInVain({ lock, failure }: NotYet, waitedMs: number, options: LinkOptions): Promise<boolean> {
  if (options.quick === true && waitedMs >= QUICK_MS) {
    const { isStuck } = await import('./stuck.ts');
    if (waitedMs >= QUICK_LIMIT_MS || isStuck(lock)) return true;
  }
  return failure.reason === 'no_answer' && options.quick !== true ? true : waitedMs > HOLDER_PATIENCE_MS;
}

/** Connects to the supervisor of the workspace, and starts one first where there is none. */
export async function ensureSupervisor(workspace: Workspace, options: LinkOptions): Promise<LinkResult> {
  for (let starts = 0; ; starts += 1) {
    const joined = await attach(workspace, { ...options, inGap: 'return' });
    if (joined.ok || joined.failure.reason !== 'no_supervisor' || starts === MOST_STARTS) return joined;
    const started = await startAndAttach(workspace, options);
    if (started !== 'lost') return started;
  }
}

/** `lost`: another supervisor has won the workspace. */
async function startAndAttach(workspace: Workspace, options: LinkOptions): Promise<LinkResult | 'lost'> {
  const { startSupervisor } = await import('./startSupervisor.ts');
  const result = await startSupervisor(workspace.root, options.environment);
  if (!result.ok) return result;
  const { supervisor } = result;
  let ended: { code: number | null; signal: string | null } | null = null;
  void supervisor.exited.then((status) => {
    ended = status;
  });
  try {
    const deadline = performance.now() + START_PATIENCE_MS;
    const began = performance.now();
    for (;;) {
      const pause = performance.now() - began < USUAL_START_MS ? SHORT_PAUSE_MS : LONGEST_PAUSE_MS;
      await Promise.race([sleep(pause), supervisor.exited]);
      const over = endOf(() => ended);
      if (over !== null) return judgeEnd(over, supervisor.output());
      const attempt = await attachOnce(workspace, options);
      if (attempt.kind === 'attached') {
        return { ok: true, client: attempt.client, started: attempt.client.hello.pid === supervisor.pid };
      }
      if (performance.now() > deadline) {
        return {
          ok: false,
          failure: { reason: 'start_timeout', afterMs: START_PATIENCE_MS, output: supervisor.output() },
        };
      }
    }
  } finally {
    supervisor.release();
  }
}

type Ended = { readonly code: number | null; readonly signal: string | null };

/** Read through a function, as the compiler would take a variable that a callback sets for what it was at first. */
function endOf(read: () => Ended | null): Ended | null {
  return read();
}

function judgeEnd({ code, signal }: Ended, output: string): LinkResult | 'lost' {
  switch (code) {
    case 2:
      return 'lost';
    case 78:
      return { ok: false, failure: { reason: 'start_configuration', output } };
    default: {
      // Killed by somebody before it served: there may be another by now, or the next attempt is luckier.
      if (signal === 'SIGKILL') return 'lost';
      const status = code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}`;
      return { ok: false, failure: { reason: 'start_failed', status, output } };
    }
  }
}

type Attempt =
  | { readonly kind: 'attached'; readonly client: ResilientClient }
  | { readonly kind: 'nobody' }
  /** The lock names a supervisor that has died. */
  | { readonly kind: 'lost' }
  | NotYet
  | { readonly kind: 'failed'; readonly failure: LinkFailure };

/** The holder lives; trying again may help. */
interface NotYet {
  readonly kind: 'not_yet';
  readonly lock: SupervisorLock;
  readonly failure: ConnectFailure;
}

async function attachOnce(workspace: Workspace, options: LinkOptions): Promise<Attempt> {
  const { verdict, lock } = await readLock(workspace.root);
  // A lock that is torn or unreadable is for the supervisor to deal with, which will claim the workspace or say why not.
  if (lock === null) return { kind: 'nobody' };
  if (verdict === 'stale') return { kind: 'lost' };
  const holder = toHolder(lock);
  const objection = endpointObjection(lock.endpoint);
  if (objection !== null) return { kind: 'failed', failure: { reason: 'endpoint_refused', holder, detail: objection } };
  const lease = { session: options.session, holder: options.holder ?? 'terminal' };
  const hello: HelloParams['client'] = { kind: 'cli', pid: process.pid, version: version(), ...lease };
  const connected = await connect(lock.endpoint, hello, {
    timeoutMs: options.quick === true ? QUICK_MS : HELLO_PATIENCE_MS,
  });
  if (connected.ok) {
    const locate = lockLocator(workspace.root, connected.client.hello.workspace.stateDir);
    return { kind: 'attached', client: makeResilient(connected.client, { hello, locate }) };
  }
  if (verdict === 'presumed_live') return { kind: 'failed', failure: { reason: 'elsewhere', holder } };
  const { reason } = connected.failure;
  if (reason === 'not_listening' || reason === 'no_answer')
    return { kind: 'not_yet', lock, failure: connected.failure };
  return { kind: 'failed', failure: { reason: 'unreachable', holder, failure: connected.failure } };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
