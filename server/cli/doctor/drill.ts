import type { TimedOutcome, Verdict } from '../../doctor/drill/types.ts';
import { formatDuration } from '../../text/units.ts';
import { interruptCode, watchInterrupts } from '../interrupt.ts';
import { count } from '../proof.ts';
import type { Paint, Terminal } from '../terminal.ts';
import { type Context, Exit } from '../verb.ts';
import { oneLine } from '../width.ts';

/** `doctor --drill`. Ctrl-C ends it, and what it had started is ended before it leaves. */
export async function drill({ terminal, environment, json }: Context): Promise<number> {
  const { runDrill } = await import('../../doctor/drill/drill.ts');
  const interrupts = watchInterrupts();
  const abort = new AbortController();
  void interrupts.first.then(() => {
    if (terminal.talks) terminal.say('coppice: ends the drill and what it has started ...');
    abort.abort();
  });
  const program = process.argv[1];
  if (program === undefined) return Exit.failed;
  try {
    const report = await runDrill({
      command: [process.execPath, ...process.execArgv, program],
      environment,
      signal: abort.signal,
      onBegin: (what) => {
        if (terminal.talks) terminal.say(terminal.paintMessage('dim', `${what} ...`));
      },
      onOutcome: (outcome) => {
        if (!json) terminal.print(outcomeLine(outcome, terminal));
      },
    });
    if (json) terminal.print(JSON.stringify(report, null, 2));
    else for (const line of closing(report)) terminal.print(line);
    return interrupts.received === null ? (report.ok ? Exit.done : Exit.failed) : interruptCode(interrupts.received);
  } finally {
    interrupts.end();
  }
}

const WORDS: Readonly<Record<Verdict, readonly [string, string, Paint]>> = {
  holds: ['✓', 'holds', 'green'],
  does_not_hold: ['✗', 'does not hold', 'red'],
  cannot_be_tested: ['-', 'cannot be tested here', 'yellow'],
};

function outcomeLine({ guarantee, verdict, why, ms }: TimedOutcome, terminal: Terminal): string {
  const [sign, words, paint] = WORDS[verdict];
  return `${terminal.paint(paint, `${sign} ${words}`)}: ${oneLine(guarantee)}\n    ${oneLine(why)} (${formatDuration(ms)})`;
}

function closing({
  guarantees,
  leftovers,
  interrupted,
}: {
  readonly guarantees: readonly TimedOutcome[];
  readonly leftovers: readonly string[];
  readonly interrupted: boolean;
}): string[] {
  const number = (verdict: Verdict): number => guarantees.filter((one) => one.verdict === verdict).length;
  const parts = [
    `${count(number('holds'), 'guarantee')} of ${guarantees.length} held`,
    ...(number('does_not_hold') > 0 ? [`${number('does_not_hold')} did not`] : []),
    ...(number('cannot_be_tested') > 0 ? [`${number('cannot_be_tested')} cannot be tested here`] : []),
  ];
  return [
    '',
    `${parts.join(', ')}.${interrupted ? ' Interrupted.' : ''}`,
    leftovers.length === 0
      ? 'Nothing of the drill is left.'
      : `Left behind: ${leftovers.join(', ')}. This should not be; please end it by hand.`,
  ];
}
