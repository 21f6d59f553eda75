/** What is killed or frozen, and how. */
import type { Seeded } from '../../unit/service/simulation/seeded.ts';
import { ancestorsOf, type Census, type Seen, takeCensus } from './census.ts';
import { type Stage, signal } from './stage.ts';

export const FAULTS = [
  'kill supervisor',
  'kill guardian',
  'kill both',
  'kill leader',
  'kill tree',
  'freeze supervisor',
  'freeze guardian',
  'freeze guardian, kill supervisor',
  'freeze leader, kill supervisor',
  'kill leader and supervisor',
  'kill tree and supervisor',
  'kill supervisor twice',
  'kill spawner',
  'die at a write',
] as const;
export type FaultName = (typeof FAULTS)[number];

export interface Inflicted {
  readonly fault: FaultName;
  /** Whom it hit, for the report. */
  readonly victims: readonly string[];
  /** The supervisor was killed. */
  readonly lost: boolean;
  /** When it was killed last, where that is known. */
  readonly lostAt: number | null;
  /** Nobody is left who could start a successor: a client has to. */
  readonly orphaned: boolean;
}

/** Steps of writing at which the supervisor dies, in files that what goes on in a round has it write. */
const WRITES: readonly [string, ...string[]] = [
  'registry.json:write=torn',
  'registry.json:fsync=die',
  'registry.json:rename=die',
  'registry.json:folder=die',
  'registry.changes.jsonl:write=die',
  'registry.changes.jsonl:write=torn',
  'registry.changes.jsonl:truncate=die',
  'events.jsonl:write=die',
  'events.jsonl:write=torn',
  'run.json:write=torn',
  'run.json:rename=die',
  'guardian.json:rename=die',
];

/** To be called before anything else goes on in the round. */
export function prepare(fault: FaultName, stage: Stage, random: Seeded): void {
  const nth = 1 + random.below(6);
  if (fault === 'die at a write') stage.dieAt(`${random.pick(WRITES)}@${nth}`);
}

export async function inflict(fault: FaultName, stage: Stage, random: Seeded): Promise<Inflicted> {
  const census = takeCensus();
  const supervisor = stage.supervisor(census);
  const guardian = stage.guardian(census);
  const members = stage.trees(census);
  const leaders = members.filter((one) => one.pid === one.session && one.group === one.pid);
  const leader = leaders[random.below(leaders.length)];
  const pauseMs = 50 + random.below(1200);
  const victims: string[] = [];
  const hit = (who: string, one: Seen | null | undefined, name: NodeJS.Signals): boolean => {
    if (one === null || one === undefined || !signal(one, name)) return false;
    victims.push(`${who} ${one.pid} ${name}`);
    return true;
  };
  const done = (lost: boolean, orphaned = false): Inflicted => ({
    fault,
    victims,
    lost,
    lostAt: lost ? performance.now() : null,
    orphaned,
  });
  const freeze = async (who: string, one: Seen | null | undefined, meanwhile: () => boolean): Promise<boolean> => {
    hit(who, one, 'SIGSTOP');
    const lost = meanwhile();
    await pause(pauseMs);
    hit(who, one, 'SIGCONT');
    return lost;
  };
  const killTree = (): void => {
    for (const one of wholeTree(census, members, leader)) hit(`${leader?.marker?.split('/')[1]}`, one, 'SIGKILL');
  };
  switch (fault) {
    case 'kill supervisor':
      return done(hit('supervisor', supervisor, 'SIGKILL'));
    case 'kill guardian':
      hit('guardian', guardian, 'SIGKILL');
      return done(false);
    case 'kill both':
      hit('guardian', guardian, 'SIGKILL');
      hit('supervisor', supervisor, 'SIGKILL');
      return done(true, true);
    case 'kill leader':
      hit('leader', leader, 'SIGKILL');
      return done(false);
    case 'kill tree':
      killTree();
      return done(false);
    case 'freeze supervisor':
      await freeze('supervisor', supervisor, () => false);
      return done(false);
    case 'freeze guardian':
      await freeze('guardian', guardian, () => false);
      return done(false);
    case 'freeze guardian, kill supervisor':
      return done(await freeze('guardian', guardian, () => hit('supervisor', supervisor, 'SIGKILL')));
    case 'freeze leader, kill supervisor':
      return done(await freeze('leader', leader, () => hit('supervisor', supervisor, 'SIGKILL')));
    case 'kill leader and supervisor':
      hit('leader', leader, 'SIGKILL');
      return done(hit('supervisor', supervisor, 'SIGKILL'));
    case 'kill tree and supervisor':
      killTree();
      return done(hit('supervisor', supervisor, 'SIGKILL'));
    case 'kill supervisor twice': {
      hit('supervisor', supervisor, 'SIGKILL');
      await pause(random.below(400));
      // The successor, wherever it has come to.
      const next = [...takeCensus().values()].find((one) => one.kind === 'supervisor');
      hit('successor', next, 'SIGKILL');
      return done(true);
    }
    case 'kill spawner':
      hit(
        'spawner',
        [...census.values()].find((one) => one.kind === 'spawner'),
        'SIGKILL',
      );
      return done(false);
    case 'die at a write': {
      const died = stage.hasDied;
      stage.dieAt(null);
      if (died) victims.push('supervisor SIGKILL by itself');
      // What went on had it write nothing of the kind.
      const lost = died || hit('supervisor', supervisor, 'SIGKILL');
      return { ...done(lost), lostAt: died ? null : performance.now() };
    }
    default:
      return fault satisfies never;
  }
}

/** Everyone of the leader's tree at this moment, its keeper apart: that is not the service's but ours. */
function wholeTree(census: Census, members: readonly Seen[], leader: Seen | undefined): Seen[] {
  if (leader === undefined) return [];
  const keeper = census.get(leader.parent);
  const below = [...census.values()].filter(
    (one) => one.kind === 'other' && keeper?.kind === 'keeper' && ancestorsOf(census, one).includes(keeper),
  );
  return [...new Set([...members.filter((one) => one.marker === leader.marker), ...below])];
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
