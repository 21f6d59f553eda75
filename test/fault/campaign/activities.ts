/** What goes on in the workspace while something is killed. Each says which services it leaves stopped. */
import type { Seeded } from '../../unit/service/simulation/seeded.ts';
import { answering, CAST } from './cast.ts';
import { takeCensus } from './census.ts';
import { type CommandEnd, type Stage, signal } from './stage.ts';

export interface Activity {
  readonly name: string;
  /** Services that are to be at rest when it is over, because somebody stopped them. */
  readonly stopped: readonly string[];
  /** Services of which it cannot be said: several asked for different things at the same time. */
  readonly open: readonly string[];
  /** What was asked for on the command line; each must end well, whatever is killed meanwhile. */
  readonly commands: readonly Promise<CommandEnd>[];
  /** What is wrong with how the commands ended, beyond their exit codes. */
  readonly judge: (ends: readonly CommandEnd[]) => readonly string[];
  /** Exit codes in order of the commands; `null`: any. */
  readonly codes: readonly (number | null)[];
}

export const ACTIVITIES = ['idle', 'start', 'stop', 'restart', 'crash', 'reload', 'run', 'exec', 'write'] as const;
export type ActivityName = (typeof ACTIVITIES)[number];

/** Begins the activity and returns while it is under way. */
export async function begin(name: ActivityName, stage: Stage, random: Seeded): Promise<Activity> {
  const idle: Activity = { name, stopped: [], open: [], commands: [], judge: () => [], codes: [] };
  const some = pickNames(random);
  switch (name) {
    case 'idle':
      return idle;
    case 'start':
      await stage.run('stop', ...some);
      return asked(idle, [stage.run('start', ...some)]);
    case 'stop':
      return { ...asked(idle, [stage.run('stop', ...some)]), stopped: some };
    case 'restart':
      return asked(idle, [stage.run('restart', ...some)]);
    case 'crash': {
      const [one = ''] = some;
      const census = takeCensus();
      const leader = stage.trees(census).find((row) => row.session === row.pid && row.marker?.split('/')[1] === one);
      if (leader !== undefined) signal(leader, 'SIGKILL');
      return idle;
    }
    case 'reload':
      stage.configure(some[0] ?? null);
      return asked(idle, [stage.run('reload')]);
    case 'run':
      return asked(idle, [stage.run('up', '--detach', 'three')]);
    case 'exec': {
      const code = 20 + random.below(20);
      const whole = Array.from({ length: 20 }, (_, index) => `line ${index + 1}\n`).join('');
      return {
        ...idle,
        commands: [stage.run('exec', '--', '/usr/bin/env', 'ROLL=/dev/null', ...answering(code))],
        codes: [code],
        judge: ([end]) =>
          end === undefined || end.output === whole ? [] : [`exec printed ${JSON.stringify(end.output)}`],
      };
    }
    case 'write': {
      const [one = ''] = some;
      const commands = [stage.run('restart', one), stage.run('restart', one), stage.run('stop', one)];
      return { ...idle, open: [one], commands, codes: [null, null, null] };
    }
    default:
      return name satisfies never;
  }
}

function asked(base: Activity, commands: Promise<CommandEnd>[]): Activity {
  return { ...base, commands, codes: commands.map(() => 0) };
}

/** One to four services that stay up when left alone. */
function pickNames(random: Seeded): string[] {
  const names = CAST.filter((one) => one.settled === 'up').map((one) => one.name);
  const count = 1 + random.below(4);
  const picked = new Set<string>();
  while (picked.size < count) picked.add(names[random.below(names.length)] ?? 'steady');
  return [...picked];
}
