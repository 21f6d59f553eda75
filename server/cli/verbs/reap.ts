import type { ReapResult } from '../../api/protocol.ts';
import { hasSurvivors, proofLines } from '../proof.ts';
import { handoverLines, unknownSession } from '../sessionLines.ts';
import { type Context, Exit, type Verb } from '../verb.ts';
import { fail, requestEnd, withSupervisor } from '../withSupervisor.ts';

export const reap: Verb = {
  name: 'reap',
  summary: "end a session's processes",
  usage: '--session <session>',
  description: [
    'Ends everything that belongs to a session: services, runs and commands, each with its whole process tree, and proves that nothing of it is left; what survives is listed with pid, start time and the reason, and the exit code is 1. Meant for the end of a CI job or an agent. A session that is forgotten ends by itself when nobody of it was there for `idle.grace`.',
    'What belongs to the workspace or to another session is not touched. What another session has asked for too, or has something running that depends on, goes on and belongs to that session from then on; so does, for the workspace, what the configuration says `onOwnerLoss: adopt` of. A session that owns nothing, or that nobody knows, is no error.',
  ].join('\n'),
  positionals: { least: 0, most: 0 },
  options: [{ long: 'session', value: 'session', description: 'the session to end' }],
  examples: [
    { command: 'coppice reap --session ci-42', effect: 'ends what `coppice exec --session ci-42` left running' },
  ],
  async run(context, { options }) {
    const session = options.get('session');
    if (typeof session !== 'string' || session === '') {
      context.terminal.say('coppice: reap needs --session <session>\n`coppice reap --help` explains it.');
      return Exit.usage;
    }
    const without = (): number =>
      report(context, { session, known: false, trees: [], handedOver: [], sessions: [] }, 'No supervisor runs here.');
    return withSupervisor(context, { mode: 'resume', without }, async (attached) => {
      const { answer } = await requestEnd(context, attached, 'reap', { session });
      return answer.ok ? report(context, answer.value, null) : fail(context, answer.failure);
    });
  },
};

function report({ terminal, json }: Context, result: ReapResult, why: string | null): number {
  const unknown = why ?? unknownSession(result);
  if (unknown !== null) terminal.say(`coppice: ${unknown}`);
  const lines = json ? [JSON.stringify(result, null, 2)] : [...handoverLines(result), ...proofLines(result.trees)];
  for (const line of lines) terminal.print(line);
  return hasSurvivors(result.trees) ? Exit.failed : Exit.done;
}
