import type { SupervisorClient } from '../../api/client.ts';
import type { NameOutcome, SessionStatus } from '../../api/protocol.ts';
import { findConfigFile } from '../../config/find.ts';
import { closest } from '../../text/suggest.ts';
import { readConfiguration } from '../configuration.ts';
import { ensureSupervisor, type LinkResult, openWorkspace, type Workspace } from '../link.ts';
import { unknownName } from '../messages.ts';
import { readDurationOption } from '../optionValues.ts';
import { outcomesCode } from '../outcomes.ts';
import { runDetached } from '../up/detached.ts';
import { StatusFeed } from '../up/follow.ts';
import { runForeground } from '../up/foreground.ts';
import { runOnce } from '../up/once.ts';
import type { UpRequest } from '../up/request.ts';
import { othersRunning } from '../up/verdict.ts';
import { type Context, Exit, type Invocation, type Verb } from '../verb.ts';
import { type Attached, fail, withSupervisor } from '../withSupervisor.ts';

const DEFAULT_TIMEOUT_MS = 120_000;

export const up: Verb = {
  name: 'up',
  summary: 'bring the workspace up and watch it',
  usage: '[name...]',
  description: [
    'Brings services up, in order of their dependencies: all that are enabled, or the named ones and what they need. Starts a supervisor if the workspace has none, otherwise joins the one there is, so several terminals may call it.',
    'In the foreground it shows what runs until Ctrl-C, which stops it all and prints the proof that nothing is left. When the supervisor was started by somebody else and runs other services too, Ctrl-C stops only what this call asked for. With --detach it returns when all are ready or have failed, and everything runs on.\n\nWhat an `up` in the foreground started belongs to its terminal. When that is closed, or its connection breaks, everything waits for `idle.grace` (5 minutes, unless the configuration says otherwise) and is then stopped; whoever calls `up` again before finds it running and has it from then on. What another terminal, window or session asked for too, or needs, goes on with that one, and what the configuration says `onOwnerLoss: adopt` of goes on in any case.',
  ].join('\n'),
  positionals: { least: 0, most: Number.POSITIVE_INFINITY },
  options: [
    { long: 'detach', short: 'd', description: 'return when all are ready, and leave them running' },
    { long: 'no-wait', description: 'with --detach: do not wait until they are ready' },
    {
      long: 'once',
      description: 'unattended trial: wait until all are ready, fetch a page from each address, stop all, exit 0 or 1',
    },
    {
      long: 'timeout',
      value: 'duration',
      description: 'with --detach and --once: how long to wait until all are ready; 0 waits for ever (2m)',
    },
  ],
  examples: [
    { command: 'coppice up', effect: 'everything, watched; Ctrl-C ends it' },
    { command: 'coppice up web --detach && npm run e2e', effect: 'web and what it needs, left running' },
    { command: 'coppice up --once', effect: 'in CI: does the whole workspace come up?' },
  ],
  async run(context, invocation) {
    const timeoutMs = readDurationOption(context, invocation.options, 'timeout', DEFAULT_TIMEOUT_MS);
    if (timeoutMs === null) return Exit.usage;
    const clash = clashOf(invocation);
    if (clash !== null) {
      context.terminal.say(`coppice: ${clash}`);
      return Exit.usage;
    }
    const opened = openWorkspace(context);
    if (!opened.ok) return fail(context, opened.failure);
    const { workspace } = opened;
    // What a terminal shows ends with it, however that ends: killed, it cannot stop anything itself.
    const session = invocation.options.has('detach') ? null : sessionName();
    // The configuration is checked here while the supervisor starts on another core; a wrong one ends it by itself.
    const early =
      findConfigFile(workspace.root).kind === 'one'
        ? ensureSupervisor(workspace, { session, environment: context.environment })
        : null;
    const checked = await checkConfiguration(context, workspace.root, invocation.positionals);
    if (checked !== null) {
      await giveBack(context, workspace, early);
      return checked;
    }
    for (let attempt = 1; ; attempt += 1) {
      let isDraining = false;
      const linked = attempt === 1 && early !== null ? { linked: early } : {};
      const code = await withSupervisor(context, { mode: 'start', session, ...linked }, async (attached) => {
        const asked = await ask(context, invocation, attached, { timeoutMs, session });
        switch (asked.kind) {
          case 'accepted':
            return show(context, invocation, asked.request);
          case 'refused':
            return asked.code;
          case 'draining':
            isDraining = attempt < MOST_ATTEMPTS && (await closed(attached.client, DRAIN_PATIENCE_MS));
            if (!isDraining)
              context.terminal.say(
                `coppice: the supervisor (pid ${attached.client.hello.pid}) is shutting down; try again in a moment`,
              );
            return Exit.failed;
          default:
            return asked satisfies never;
        }
      });
      if (!isDraining) return code;
    }
  },
};

/** Of this very process: a later one that happens to get its pid is another session. */
function sessionName(): string {
  return `up-${process.pid}-${Math.round(performance.timeOrigin).toString(36)}`;
}

/** A supervisor that was found while it stops everything is waited for, and the next one does the work. */
const MOST_ATTEMPTS = 3;
const DRAIN_PATIENCE_MS = 30_000;

type Asked =
  | { readonly kind: 'accepted'; readonly request: UpRequest }
  | { readonly kind: 'refused'; readonly code: number }
  | { readonly kind: 'draining' };

async function ask(
  context: Context,
  { positionals }: Invocation,
  attached: Attached,
  own: Pick<UpRequest, 'timeoutMs' | 'session'>,
): Promise<Asked> {
  const { client, workspace, started } = attached;
  const opened = await StatusFeed.open(client);
  const answer = opened.ok ? await client.request('up', { names: [...new Set(positionals)] }) : opened;
  // What `up` set in motion may not have been told as a change yet; judged by what was before, all would be at rest.
  const now = answer.ok ? await client.request('status', {}) : answer;
  if (!opened.ok || !answer.ok || !now.ok) {
    const failure = [opened, answer, now].flatMap((one) => (one.ok ? [] : [one.failure]))[0];
    if (failure === undefined || failure.reason === 'shutting_down' || failure.reason === 'ended')
      return { kind: 'draining' };
    return { kind: 'refused', code: fail(context, failure) };
  }
  opened.feed.renew(now.value);
  const refused = answer.value.outcomes.filter((one) => !one.ok);
  if (refused.some((one) => one.reason === 'shutting_down')) return { kind: 'draining' };
  for (const one of refused) context.terminal.say(`coppice: ${one.message}`);
  if (refused.some((one) => one.reason === 'unknown_name')) return { kind: 'refused', code: outcomesCode(refused) };
  const wanted = new Set(answer.value.outcomes.map((one: NameOutcome) => one.name));
  return { kind: 'accepted', request: { client, workspace, feed: opened.feed, wanted, refused, started, ...own } };
}

function show(context: Context, { options }: Invocation, request: UpRequest): Promise<number> {
  if (options.has('once')) return runOnce(context, request);
  if (options.has('detach')) return runDetached(context, request, !options.has('no-wait'));
  return runForeground(context, request);
}

/** `false`: it still stands when the time is over. */
function closed(client: SupervisorClient, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    client.onClose(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function clashOf({ options }: Invocation): string | null {
  if (options.has('once') && options.has('detach')) return '--once and --detach contradict each other';
  if (options.has('no-wait') && !options.has('detach')) return '--no-wait goes with --detach';
  return null;
}

/**
 * Ends the supervisor that was started for nothing; unless it has taken over what one before it left, which is not to
 * end because of a slip in what was asked for now.
 */
async function giveBack(context: Context, workspace: Workspace, early: Promise<LinkResult> | null): Promise<void> {
  const linked = await early;
  if (linked === null || !linked.ok) return;
  const { client, started } = linked;
  if (started) {
    const { liveRecordedTrees } = await import('../offline.ts');
    const status = await client.request('status', {});
    const idle = status.ok && !othersRunning(status.value, new Set()) && !status.value.sessions.some(ownsAnything);
    if (idle && liveRecordedTrees(workspace).length === 0) await client.request('down', {});
    else
      context.terminal.say(`coppice: what ran without a supervisor goes on, under supervisor pid ${client.hello.pid}`);
  }
  client.close();
}

function ownsAnything({ owns }: SessionStatus): boolean {
  return owns.length > 0;
}

/** Is the configuration right, and are the names in it? An exit code, or `null`. */
async function checkConfiguration(context: Context, root: string, names: readonly string[]): Promise<number | null> {
  const config = await readConfiguration(context, root);
  if (config === null) return Exit.configuration;
  if (config.services.size === 0 && config.tasks.size === 0) {
    context.terminal.say(
      config.file === null
        ? `coppice: ${root} has no coppice.yaml; \`coppice init\` writes one from what the folder has`
        : `coppice: ${config.file} has no services`,
    );
    return Exit.configuration;
  }
  const unknown = names.find((name) => !config.services.has(name) && !config.tasks.has(name));
  if (unknown === undefined) return null;
  const known = [...config.services.keys()];
  context.terminal.say(`coppice: ${unknownName(unknown, closest(unknown, known), known)}`);
  return Exit.usage;
}
