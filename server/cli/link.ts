/** Finds the supervisor of a workspace, and starts one where there is none. */
import { type ConnectFailure, connect } from '../api/client.ts';
import { lockLocator } from '../api/locate.ts';
import type { HelloParams, SessionHolder } from '../api/protocol.ts';
import { makeResilient, type ResilientClient } from '../api/resilient.ts';
import { readLock } from '../store/holder.ts';
import { version } from '../text/version.ts';
import type { Holder, LinkFailure } from './failures.ts';
import { endpointObjection, toHolder, type Workspace } from './workspace.ts';

export { openWorkspace, type Workspace } from './workspace.ts';

export interface LinkOptions {
  /** Lease that what this command starts belongs to. */
  readonly session: string | null;
  /** What stands behind it. Default: this terminal. */
  readonly holder?: SessionHolder;
  readonly environment: NodeJS.ProcessEnv;
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
const FIRST_PAUSE_MS = 15;
const LONGEST_PAUSE_MS = 200;
/** So many supervisors are started in one call, each of which lost the workspace to another that then went away. */
const MOST_STARTS = 5;

/** Connects to the supervisor that holds the workspace; does not start one. */
export async function attach(workspace: Workspace, options: LinkOptions): Promise<LinkResult> {
  const deadline = performance.now() + HOLDER_PATIENCE_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const attempt = await attachOnce(workspace, options);
    if (attempt.kind === 'attached') return { ok: true, client: attempt.client, started: false };
    if (attempt.kind === 'nobody') return { ok: false, failure: { reason: 'no_supervisor', root: workspace.root } };
    if (attempt.kind === 'failed') return { ok: false, failure: attempt.failure };
    if (performance.now() > deadline) {
      return { ok: false, failure: { reason: 'unreachable', holder: attempt.holder, failure: attempt.failure } };
    }
    await sleep(pause);
  }
}

/** Connects to the supervisor of the workspace, and starts one first where there is none. */
export async function ensureSupervisor(workspace: Workspace, options: LinkOptions): Promise<LinkResult> {
  for (let starts = 0; ; starts += 1) {
    const joined = await attach(workspace, options);
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
      const status = code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}`;
      return { ok: false, failure: { reason: 'start_failed', status, output } };
    }
  }
}

type Attempt =
  | { readonly kind: 'attached'; readonly client: ResilientClient }
  | { readonly kind: 'nobody' }
  /** The holder lives; trying again may help. */
  | { readonly kind: 'not_yet'; readonly holder: Holder; readonly failure: ConnectFailure }
  | { readonly kind: 'failed'; readonly failure: LinkFailure };

async function attachOnce(workspace: Workspace, options: LinkOptions): Promise<Attempt> {
  const { verdict, lock } = await readLock(workspace.root);
  // A lock that is torn or unreadable is for the supervisor to deal with, which will claim the workspace or say why not.
  if (lock === null || verdict === 'stale') return { kind: 'nobody' };
  const holder = toHolder(lock);
  const objection = endpointObjection(lock.endpoint);
  if (objection !== null) return { kind: 'failed', failure: { reason: 'endpoint_refused', holder, detail: objection } };
  const lease = { session: options.session, holder: options.holder ?? 'terminal' };
  const hello: HelloParams['client'] = { kind: 'cli', pid: process.pid, version: version(), ...lease };
  const connected = await connect(lock.endpoint, hello, { timeoutMs: HELLO_PATIENCE_MS });
  if (connected.ok) {
    const locate = lockLocator(workspace.root, connected.client.hello.workspace.stateDir);
    return { kind: 'attached', client: makeResilient(connected.client, { hello, locate }) };
  }
  if (verdict === 'presumed_live') return { kind: 'failed', failure: { reason: 'elsewhere', holder } };
  if (connected.failure.reason === 'not_listening') return { kind: 'not_yet', holder, failure: connected.failure };
  return { kind: 'failed', failure: { reason: 'unreachable', holder, failure: connected.failure } };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
