import type { RequestFailure } from '../../api/client.ts';
import type { SessionStatus, StatusResult } from '../../api/protocol.ts';
import { interruptCode, watchInterrupts } from '../interrupt.ts';
import { LivePanel } from '../live.ts';
import { sessionLine } from '../sessionLines.ts';
import { mergeChange } from '../statusChange.ts';
import { statusLines } from '../statusLines.ts';
import { type Context, Exit, type Verb } from '../verb.ts';
import { fail, withSupervisor } from '../withSupervisor.ts';
import type { Workspace } from '../workspace.ts';

export const ps: Verb = {
  name: 'ps',
  summary: 'show what runs',
  usage: '',
  description: [
    'Shows every service of the workspace: its state, pid, address, memory of the whole process tree, restarts, and a word on why it is as it is. What is shown was asked of the supervisor now; without one, the services of the configuration are listed as stopped, and a tree that a killed supervisor left running is shown as what it was.',
    'With --json the shape is the documented one: {workspace, supervisor, services, runs, sessions}; supervisor is null when none runs. The exit code is 0 in either case. Of a supervisor that does not answer it shows what the files say, says so, and exits 1 or 2.',
  ].join('\n'),
  positionals: { least: 0, most: 0 },
  options: [{ long: 'watch', short: 'w', description: 'stay, and show changes as they come' }],
  examples: [
    { command: 'coppice ps', effect: 'the table, once' },
    { command: `coppice ps --json | jq '.services[] | select(.state != "ready")'`, effect: 'for programs' },
  ],
  run(context, { options }) {
    return withSupervisor(
      context,
      {
        mode: 'join',
        without: (workspace) => showOffline(context, workspace),
        unanswered: async (workspace) => void (await showOffline(context, workspace)),
      },
      async ({ client, workspace }) => {
        const watching = options.has('watch');
        const answer = await client.request(watching ? 'subscribe' : 'status', {}, { timeoutMs: ANSWER_MS });
        if (!answer.ok) {
          if (answer.failure.reason === 'ended') return showOffline(context, workspace);
          if (isSilence(answer.failure)) await showOffline(context, workspace);
          return fail(context, answer.failure);
        }
        if (!watching) return show(context, answer.value);
        let status = answer.value;
        const panel =
          context.terminal.live && !context.json
            ? new LivePanel(context.terminal, () => statusLines(status, context.terminal))
            : null;
        const refresh = (): void => {
          if (panel === null) show(context, status);
          else panel.touch();
        };
        client.onChanged((change) => {
          status = mergeChange(status, change);
          refresh();
        });
        client.onLink((news) => {
          if (news.kind !== 'back' || news.status === null) return;
          status = news.status;
          refresh();
        });
        refresh();
        const ticking = panel === null ? undefined : setInterval(() => panel.touch(), 1000);
        const interrupts = watchInterrupts();
        const gone = await Promise.race([
          interrupts.first.then(() => false),
          new Promise<true>((resolve) => client.onClose(() => resolve(true))),
        ]);
        clearInterval(ticking);
        panel?.end();
        interrupts.end();
        if (gone) context.terminal.say(`The supervisor (pid ${client.hello.pid}) has ended.`);
        return interrupts.received === null ? Exit.done : interruptCode(interrupts.received);
      },
    );
  },
};

/** A supervisor that has said hello and then is silent: it is looked at what the files say, as without one. */
const ANSWER_MS = 3_000;

function isSilence({ reason }: RequestFailure): boolean {
  return reason === 'timeout' || reason === 'no_successor';
}

/** The registry and the parsers are loaded only here, where there is no supervisor to ask. */
async function showOffline(context: Context, workspace: Workspace): Promise<number> {
  const { configurationTrouble, offlineStatus } = await import('../offline.ts');
  const code = show(context, await offlineStatus(workspace));
  const trouble = await configurationTrouble(workspace);
  if (trouble !== null) context.terminal.say(`coppice: ${trouble}; nothing is started until it is mended`);
  const { readGuardianFile } = await import('../../store/guardianFile.ts');
  const gaveUp = readGuardianFile(workspace.stateDir)?.gaveUp ?? null;
  if (gaveUp !== null && !context.json) context.terminal.say(`coppice: ${gaveUp.text}`);
  return code;
}

function show(context: Context, status: StatusResult): number {
  const { terminal } = context;
  const told = status.sessions.filter(
    (one) => one.owns.length > 0 && (one.state !== 'held' || hasUnlisted(one, status)),
  );
  const lines = context.json
    ? [JSON.stringify(status, null, 2)]
    : [...statusLines(status, terminal), ...told.map((one) => `session ${sessionLine(one)}`)];
  terminal.print(lines.join('\n'));
  return Exit.done;
}

/** Of who is there nothing needs to be said, unless something runs for him that stands nowhere else: a command. */
function hasUnlisted({ owns }: SessionStatus, { services, runs }: StatusResult): boolean {
  const listed = new Set([...services.map((one) => one.name), ...runs.map((one) => one.id)]);
  return owns.some((name) => !listed.has(name));
}
