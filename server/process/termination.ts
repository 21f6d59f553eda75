import { identityKey, liveness } from './identity.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { callerLine, census } from './membership.ts';
import { platform } from './platform/index.ts';
import { withReserve } from './reserve.ts';
import { signalGroup, signalProcess } from './signal.ts';
import { describeSurvivors, missedLeader } from './survivors.ts';
import { isGroupOfCaller, type KillRecord, killMembers, mayEndTree, wasAnyoneKilled } from './sweep.ts';
import { nextTable, type ProcessTable } from './table.ts';
import type { EmptyProof, ProcessIdentity, TreeIdentity, TreeMember } from './types.ts';

export interface TerminationProgress {
  readonly phase: 'signalled' | 'killing' | 'proving';
  readonly members: readonly TreeMember[];
}

export interface ReapOptions {
  /** Read for members seen earlier, and told of those seen now. */
  readonly ledger?: Ledger | undefined;
  readonly onProgress?: ((progress: TerminationProgress) => void) | undefined;
  /** How long SIGKILL is repeated on a tree that does not become empty, ms (3000). */
  readonly killLimitMs?: number | undefined;
}

export interface TerminationOptions extends ReapOptions {
  readonly stopSignal: NodeJS.Signals;
  /** How long the whole tree may take to end by itself, ms; 0 kills at once. */
  readonly stopTimeoutMs: number;
}

/** Ends a tree gracefully, then by force, and proves that it is empty. Works from the record alone; never rejects. */
export function terminateTree(tree: TreeIdentity, options: TerminationOptions): Promise<EmptyProof> {
  return new Termination(tree, options).run();
}

/** `terminateTree` with SIGKILL at once. */
export function reapTree(tree: TreeIdentity, options: ReapOptions = {}): Promise<EmptyProof> {
  return new Termination(tree, { ...options, stopSignal: 'SIGKILL', stopTimeoutMs: 0 }).run();
}

/** Two, as one reading of the table is not one moment: a process can fork away behind the reader. */
const EMPTY_SCANS = 2;
/** How long a keeper may outlive its last visible descendant: what it waits for may be hidden from the scan. */
const KEEPER_PATIENCE_MS = 1000;
const KILL_LIMIT_MS = 3000;
/** While a known member lives the tree is not empty; the whole table is read this often then, for new members. */
const RESCAN_MS = 100;
/** How long an unreadable process table (no file handle left) is tried again before the proof is given up. */
const UNREADABLE_LIMIT_MS = 2000;
const POLL_DELAYS_MS = [2, 2, 5, 5, 10, 10];

class Termination {
  readonly #tree: TreeIdentity;
  readonly #options: TerminationOptions;
  readonly #ledger: Ledger;
  readonly #began = performance.now();
  /** Everyone ever found here, by identity. */
  readonly #found = new Map<string, TreeMember>();
  /** Who was sent the stop signal, and whether only as one of the tree's group. */
  readonly #asked = new Map<string, { readonly asGroup: boolean }>();
  readonly #killed: KillRecord = new Map();
  #table: ProcessTable | null = null;

  constructor(tree: TreeIdentity, options: TerminationOptions) {
    this.#tree = tree;
    this.#options = options;
    this.#ledger = createLedger({ initial: options.ledger?.identities() ?? [] });
  }

  async run(): Promise<EmptyProof> {
    try {
      let members: readonly TreeMember[] = await this.#scan();
      if (members.length > 0 && this.#options.stopTimeoutMs > 0) {
        await this.#ask(members);
        members = await this.#waitUntilEmpty(members);
      }
      return await this.#killUntilProven(members);
    } catch (error) {
      return this.#unproven(error);
    }
  }

  #scan(): Promise<TreeMember[]> {
    return withReserve(() => this.#look());
  }

  async #look(): Promise<TreeMember[]> {
    this.#table = await readableTable();
    const members = census(this.#table, this.#tree, this.#ledger);
    this.#ledger.observe(members);
    this.#options.ledger?.observe(members);
    for (const member of members) this.#found.set(identityKey(member.identity), member);
    return members;
  }

  /** The stop signal: to the group as a whole, and to each who is outside it. */
  async #ask(members: readonly TreeMember[]): Promise<void> {
    this.#report('signalled', members);
    if (platform.endTree !== null) {
      if (mayEndTree(this.#tree, this.#table)) await platform.endTree(this.#tree.leader.pid, false);
      return;
    }
    const identities = members.map((member) => member.identity);
    const apart = this.#table !== null && !isGroupOfCaller(this.#table, this.#tree.group);
    const wholeGroup = apart && signalGroup(this.#tree, this.#options.stopSignal, identities) === 'delivered';
    for (const member of members) this.#askOne(member, wholeGroup);
  }

  #askOne(member: TreeMember, wholeGroup: boolean): void {
    const row = this.#table?.rowOf(member.identity) ?? null;
    const asGroup = wholeGroup && row?.group === this.#tree.group;
    this.#asked.set(identityKey(member.identity), { asGroup });
    if (!asGroup) signalProcess(member.identity, this.#options.stopSignal);
    // A stopped process keeps the signal pending until it runs again.
    if (row?.state.startsWith('T')) signalProcess(member.identity, 'SIGCONT');
  }

  /** Waits for the whole tree, not for its leader: `sh -c` ends within milliseconds while its children clean up. */
  async #waitUntilEmpty(first: readonly TreeMember[]): Promise<readonly TreeMember[]> {
    const deadline = performance.now() + this.#options.stopTimeoutMs;
    let members = first;
    let lastScan = performance.now();
    for (let round = 0; ; round++) {
      await pause(Math.min(pollDelay(round), deadline - performance.now()));
      const over = performance.now() >= deadline;
      if (!over && performance.now() - lastScan < RESCAN_MS && members.some(lives)) continue;
      members = await this.#scan();
      lastScan = performance.now();
      if (members.length === 0 || over) return members;
      this.#askMissed(members);
    }
  }

  /**
   * Members that the stop signal did not reach: who left the group between the census and the signal, and who appeared
   * after it outside the group. Of these, one whose parent is in the tree may be that parent's clean-up and is left to
   * it; one without slipped out.
   */
  #askMissed(members: readonly TreeMember[]): void {
    if (platform.endTree !== null) return;
    const pids = new Set(members.map((member) => member.identity.pid));
    for (const member of members) {
      const row = this.#table?.rowOf(member.identity);
      if (!row || row.group === this.#tree.group) continue;
      const asked = this.#asked.get(identityKey(member.identity));
      if (asked?.asGroup || (asked === undefined && !pids.has(row.parent))) this.#askOne(member, false);
    }
  }

  /** Kills whoever is there until two scans in a row find nobody and the keeper, too, is gone. */
  async #killUntilProven(first: readonly TreeMember[]): Promise<EmptyProof> {
    let members = first;
    let emptyScans = members.length === 0 ? 1 : 0;
    let killDeadline: number | null = null;
    let aloneSince: number | null = null;
    this.#report('proving', members);
    for (let round = 0; ; round++) {
      const now = performance.now();
      const keeper = this.#livingKeeper();
      if (members.length > 0) {
        emptyScans = 0;
        aloneSince = null;
        killDeadline ??= now + (this.#options.killLimitMs ?? KILL_LIMIT_MS);
        if (now > killDeadline) return this.#proof(members, 0);
        await this.#kill(members);
        await waitForDeaths(members, round);
      } else if (keeper !== null) {
        aloneSince ??= now;
        const patience = now - aloneSince;
        if (patience > 2 * KEEPER_PATIENCE_MS) return this.#proof([this.#asMember(keeper)], 0);
        if (this.#table?.rowOf(keeper)?.state.startsWith('T')) signalProcess(keeper, 'SIGCONT');
        if (patience > KEEPER_PATIENCE_MS) {
          emptyScans = 0;
          await this.#kill([this.#asMember(keeper)]);
        }
        await pause(pollDelay(round));
      } else if (emptyScans >= EMPTY_SCANS) {
        return this.#proof([], emptyScans);
      }
      members = await this.#scan();
      if (members.length === 0) emptyScans += 1;
    }
  }

  async #kill(members: readonly TreeMember[]): Promise<void> {
    this.#report('killing', members);
    await killMembers(this.#tree, members, this.#table, this.#killed);
  }

  /** The keeper while it is to be waited for. A record that names this process or its parents names no keeper of ours. */
  #livingKeeper(): ProcessIdentity | null {
    const { keeper } = this.#tree;
    if (keeper === null || liveness(keeper) !== 'alive') return null;
    return this.#table !== null && callerLine(this.#table).has(keeper.pid) ? null : keeper;
  }

  #asMember(keeper: ProcessIdentity): TreeMember {
    const name = this.#table?.rowOf(keeper)?.name ?? 'keeper';
    const member: TreeMember = { identity: keeper, evidence: 'keeper', name };
    this.#found.set(identityKey(keeper), member);
    return member;
  }

  /** Who is left is looked at once more, each by itself. */
  #proof(left: readonly TreeMember[], emptyScans: number): Promise<EmptyProof> {
    return withReserve(async () => this.#conclude(left, emptyScans));
  }

  #conclude(left: readonly TreeMember[], emptyScans: number): EmptyProof {
    const survivors = describeSurvivors(left, this.#killed, this.#table);
    const missed = missedLeader(this.#tree.leader, survivors);
    if (missed !== null) survivors.push(missed);
    const alive = new Set(survivors.map((survivor) => identityKey(survivor.identity)));
    return {
      confirmed: [...this.#found].filter(([key]) => !alive.has(key)).map(([, member]) => member),
      survivors,
      emptyScans: survivors.length === 0 ? emptyScans : 0,
      killed: wasAnyoneKilled(this.#killed),
      durationMs: Math.round(performance.now() - this.#began),
    };
  }

  /** The table could not be read: nothing is proven, and that is what is said. */
  #unproven(error: unknown): EmptyProof {
    const reason = error instanceof Error ? error.message : String(error);
    const found = [...this.#found.values()];
    const left = found.filter((member) => liveness(member.identity) !== 'gone');
    const leader: TreeMember = { identity: this.#tree.leader, evidence: 'leader', name: '' };
    return {
      confirmed: found.filter((member) => !left.includes(member)),
      survivors: (left.length > 0 ? left : [leader]).map((member) => ({
        ...member,
        reason: `not known whether it ended: the process table could not be read (${reason})`,
      })),
      emptyScans: 0,
      killed: wasAnyoneKilled(this.#killed),
      durationMs: Math.round(performance.now() - this.#began),
    };
  }

  #report(phase: TerminationProgress['phase'], members: readonly TreeMember[]): void {
    try {
      this.#options.onProgress?.({ phase, members });
    } catch {
      // A listener's bug must not leave a tree half stopped.
    }
  }
}

async function readableTable(): Promise<ProcessTable> {
  const began = performance.now();
  for (;;) {
    try {
      return await nextTable();
    } catch (error) {
      if (performance.now() - began > UNREADABLE_LIMIT_MS) throw error;
      await pause(50);
    }
  }
}

/** Gives killed processes a moment to end, longer in later rounds; those in a system call cannot end at once. */
async function waitForDeaths(members: readonly TreeMember[], round: number): Promise<void> {
  for (let look = 0; look < 4 + round && members.some(lives); look++) await pause(pollDelay(look));
}

function lives(member: TreeMember): boolean {
  return liveness(member.identity) === 'alive';
}

function pollDelay(round: number): number {
  return POLL_DELAYS_MS[round] ?? (round < 80 ? 20 : 50);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
