import { constants } from 'node:os';
import type { RequestResult } from '../../api/client.ts';
import { ErrorCode, type ExecParams, type ExecResult, type ExecStarted } from '../../api/protocol.ts';
import { followOutput } from '../../process/output/index.ts';
import { randomHex } from '../../store/names.ts';
import { type InterruptWatch, interruptCode, watchInterrupts } from '../interrupt.ts';
import { ensureSupervisor } from '../link.ts';
import { proofLines } from '../proof.ts';
import { type Context, Exit, type Verb } from '../verb.ts';
import { type Attached, fail, requestEnd, withSupervisor } from '../withSupervisor.ts';

export const exec: Verb = {
  name: 'exec',
  summary: 'run one command, supervised',
  usage: '[--session <session>] -- <command...>',
  description: [
    'Runs a command under the supervisor: in a process tree of its own, with a clean environment, its output shown as it comes and kept in a log. When it ends, whatever it left running is ended too. The exit code is the one of the command, or 128 plus the number of the signal that ended it; 127 when the command was not found, 126 when it is no program. Standard input is empty.',
    'Ctrl-C, or the end of this terminal, stops the whole tree, and proves it. With --session the command belongs to that session instead: it outlives this terminal, until `coppice reap --session <session>`, or until no client of the session was there for `idle.grace` (5 minutes, unless the configuration says otherwise).',
  ].join('\n'),
  positionals: { least: 1, most: Number.POSITIVE_INFINITY },
  passthrough: true,
  options: [{ long: 'session', value: 'session', description: 'the session that the command belongs to' }],
  examples: [
    { command: 'coppice exec -- npm run e2e', effect: 'nothing that the tests start outlives them' },
    {
      command: 'coppice exec --session ci-42 -- ./seed.sh',
      effect: 'ended, if need be, by `coppice reap --session ci-42`',
    },
  ],
  run(context, { positionals, options }) {
    const session = options.get('session');
    const owner = typeof session === 'string' ? session : null;
    return withSupervisor(context, { mode: 'start', session: owner, holder: 'named' }, async (attached) => {
      const [program = '', ...rest] = positionals;
      const env = Object.fromEntries(
        Object.entries(context.environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
      );
      // Named by us, so that a supervisor that is asked again, or its successor, knows that it is the same command.
      const id = `${Date.now().toString(36)}-${randomHex(8)}`;
      const params: ExecParams = { id, argv: [program, ...rest], cwd: context.cwd, env, session: owner };
      // From before the start on: a signal that comes while the answer is on its way has a tree to end as well.
      const interrupts = watchInterrupts();
      attached.client.hurry();
      const started = await attached.client.request('exec', params);
      if (started.ok) return attend(context, attached, params, started.value, interrupts);
      interrupts.end();
      if (started.failure.reason !== 'refused' || started.failure.code !== ErrorCode.spawnFailed)
        return fail(context, started.failure);
      context.terminal.say(`coppice: ${started.failure.detail}`);
      return codeOfFailedStart(started.failure.word);
    });
  },
};

/** Shows the output until the command's end, or stops it on an interrupt. */
async function attend(
  context: Context,
  attached: Attached,
  params: ExecParams,
  command: ExecStarted,
  interrupts: InterruptWatch,
): Promise<number> {
  const { terminal } = context;
  // A reader that left (`| head`) must not end the command: its code is what was asked for.
  terminal.onBroken(() => {});
  interrupts.onRepeat(() => terminal.say('Already stopping; what does not end by itself is killed in a moment.'));
  const ended = new AbortController();
  const broken = new AbortController();
  const output = followOutput(command.log, {
    offset: 0,
    signal: broken.signal,
    ended: ended.signal,
    onChunk: async (bytes) => {
      if (context.json) terminal.writeMessage(bytes);
      else if (!terminal.write(bytes)) await terminal.drained();
    },
  });
  const waiting = untilEnd(context, attached, params, command.id);
  const first = await Promise.race([waiting, interrupts.first]);
  const answer =
    typeof first === 'string' ? (await requestEnd(context, attached, 'execStop', { id: command.id })).answer : first;
  ended.abort();
  await output;
  interrupts.end();
  if (!answer.ok) return fail(context, answer.failure);
  report(context, command, answer.value, interrupts.received !== null);
  if (answer.value.proof.survivors.length > 0) return Exit.failed;
  return interrupts.received === null ? codeOf(answer.value) : interruptCode(interrupts.received);
}

/** The command runs on when its supervisor is lost. Where no successor comes by itself, one is started to attend it. */
async function untilEnd(
  context: Context,
  { client, workspace }: Attached,
  params: ExecParams,
  id: string,
): Promise<RequestResult<ExecResult>> {
  const answer = await client.request('execWait', { id }, { timeoutMs: null });
  if (answer.ok || answer.failure.reason !== 'no_successor') return answer;
  const options = { session: params.session, holder: 'named', environment: context.environment } as const;
  const linked = await ensureSupervisor(workspace, options);
  if (!linked.ok) return answer;
  const again = await linked.client.request('exec', params);
  return again.ok ? linked.client.request('execWait', { id }, { timeoutMs: null }) : again;
}

function report(context: Context, command: ExecStarted, result: ExecResult, interrupted: boolean): void {
  const { terminal } = context;
  if (context.json)
    terminal.print(JSON.stringify({ id: command.id, pid: command.pid, log: command.log, ...result }, null, 2));
  // Of a command that ended by itself and left nothing, its output is all that is to be said.
  if (!interrupted && result.proof.survivors.length === 0) return;
  for (const line of proofLines([{ name: command.id, proof: result.proof }])) terminal.say(line);
}

/** As a shell says it, so that a caller can tell them from what a command itself returns. */
function codeOfFailedStart(reason: string | null): number {
  switch (reason) {
    case 'command_not_found':
      return 127;
    case 'not_executable':
      return 126;
    default:
      return Exit.failed;
  }
}

function codeOf({ code, signal }: ExecResult): number {
  if (code !== null) return code;
  return signal === null ? Exit.failed : 128 + (constants.signals[signal] ?? 0);
}
