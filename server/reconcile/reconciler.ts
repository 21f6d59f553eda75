import type { WorkspaceHost } from '../service/host.ts';
import { sampledTable } from '../service/sampling.ts';
import type { SupervisedTree } from '../service/tree.ts';
import { isLeftover } from '../store/leftover.ts';
import type { TreeRecord } from '../store/types.ts';
import {
  endRecorded,
  endUnrecorded,
  type Heirs,
  judgeRecord,
  recordedEnd,
  takeOverTree,
  tellUnrecorded,
  tellVerdict,
} from './effects.ts';
import type { LastHeartbeat } from './lastHeartbeat.ts';
import {
  type FailedEnds,
  judgeEnd,
  judgeRound,
  NO_MEMORY,
  type RoundAct,
  type RoundMemory,
  type Seen,
  stillFailed,
} from './round.ts';
import { findUnrecorded, type UnrecordedTree } from './unrecorded.ts';

/** How often everything on record is looked at. */
export const ROUND_PERIOD_MS = 30_000;

/** Looks at all that is on record, and at all that should be, again and again: what is odd twice is put right. */
export class Reconciler {
  readonly #host: WorkspaceHost;
  readonly #heirs: Heirs;
  readonly #heartbeat: LastHeartbeat;
  #memory: RoundMemory = NO_MEMORY;
  #failedEnds: FailedEnds = new Set();
  #round: Promise<void> | null = null;

  /** `heartbeat`: the earlier supervisor's last. */
  constructor(host: WorkspaceHost, heirs: Heirs, heartbeat: LastHeartbeat) {
    this.#host = host;
    this.#heirs = heirs;
    this.#heartbeat = heartbeat;
  }

  /** One round; a second call joins the first. */
  round(): Promise<void> {
    this.#round ??= this.#look().finally(() => {
      this.#round = null;
    });
    return this.#round;
  }

  async #look(): Promise<void> {
    const { registry } = this.#host;
    registry.restoreFile();
    let strange: readonly UnrecordedTree[];
    try {
      strange = await findUnrecorded(this.#host, registry.records());
    } catch {
      // The process table cannot be read (no file handle left): nothing is known, and the next round looks again.
      return;
    }
    if (!this.#host.holds()) return;
    // Read after the table: what was entered meanwhile is no stranger.
    const records = new Map(registry.records().map((record) => [record.tree.marker, record]));
    const followers = this.#followers();
    rememberFamilies([...followers.values()]);
    this.#heirs.runs.forgetRemoved();
    const seen: Seen = {
      recorded: [...records].map(([marker, record]) => ({
        marker,
        verdict: judgeRecord(record, this.#heartbeat),
        standing: isLeftover(record.key) ? 'leftover' : followers.has(marker) ? 'followed' : 'unfollowed',
      })),
      strange: strange
        .filter(({ tree }) => !records.has(tree.marker))
        .map(({ tree, elsewhere }) => {
          const { marker } = tree;
          return { marker, launching: this.#host.launching.has(marker) || followers.has(marker), elsewhere };
        }),
    };
    const { memory, acts } = judgeRound(this.#memory, seen);
    this.#memory = memory;
    this.#failedEnds = stillFailed(this.#failedEnds, seen);
    const strangers = new Map(strange.map((one) => [one.tree.marker, one]));
    await Promise.allSettled(acts.map((act) => this.#act(act, records, followers, strangers)));
  }

  async #act(
    act: RoundAct,
    records: ReadonlyMap<string, TreeRecord>,
    followers: ReadonlyMap<string, SupervisedTree>,
    strangers: ReadonlyMap<string, UnrecordedTree>,
  ): Promise<void> {
    const record = records.get(act.marker);
    switch (act.kind) {
      case 'tell_end':
        if (record === undefined) return;
        tellVerdict(this.#host, record, act.verdict, this.#heartbeat);
        followers.get(act.marker)?.tellEnd(recordedEnd(record));
        return;
      case 'take_over':
        if (record !== undefined) await takeOverTree(this.#host, this.#heirs, record, act.verdict, this.#heartbeat);
        return;
      case 'end_recorded':
        if (record === undefined) return;
        if (!isLeftover(record.key) && !this.#failedEnds.has(act.marker))
          tellVerdict(this.#host, record, act.verdict, this.#heartbeat);
        await endRecorded(this.#host, this.#heirs, record, act.verdict, this.#newsOf(act.marker));
        return;
      case 'end_strange': {
        const stranger = strangers.get(act.marker);
        if (stranger === undefined) return;
        if (!this.#failedEnds.has(act.marker)) tellUnrecorded(this.#host, stranger);
        await endUnrecorded(this.#host, stranger, this.#newsOf(act.marker));
        return;
      }
      default:
        act satisfies never;
    }
  }

  /** Remembers how an end went; says whether that is news. */
  #newsOf(marker: string): (survivors: number) => boolean {
    return (survivors) => {
      const { failed, tell } = judgeEnd(this.#failedEnds, marker, survivors);
      this.#failedEnds = failed;
      return tell;
    };
  }

  /** By marker, every tree whose end somebody waits for. */
  #followers(): ReadonlyMap<string, SupervisedTree> {
    const { services, runs, commands } = this.#heirs;
    const trees = [
      ...[...services.values()].map((service) => service.tree),
      ...[...runs.values()].flatMap((run) => [...run.tasks.values()].map((task) => task.tree)),
      ...[...commands.live.values()].map((command) => command.tree),
    ];
    return new Map(trees.flatMap((tree) => (tree === null ? [] : [[tree.record.tree.marker, tree] as const])));
  }
}

/** Tasks and commands have no watch of their own that would look at who belongs to them. */
function rememberFamilies(trees: readonly SupervisedTree[]): void {
  try {
    for (const tree of trees) {
      tree.family(sampledTable());
      tree.rememberLasting();
    }
  } catch {
    // The process table cannot be read just now.
  }
}
