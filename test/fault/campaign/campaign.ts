/** Rounds of torment over one workspace: something goes on, something is killed, and then all must be as it should. */
import { until } from '../../support/until.ts';
import { Seeded } from '../../unit/service/simulation/seeded.ts';
import { ACTIVITIES, type Activity, type ActivityName, begin } from './activities.ts';
import { CAST } from './cast.ts';
import { type Seen, takeCensus } from './census.ts';
import { type Expectation, unsettled } from './checks.ts';
import { accountingFaults, countedLines, countingFaults } from './evidence.ts';
import { FAULTS, type FaultName, type Inflicted, inflict, pause, prepare } from './faults.ts';
import type { Stage } from './stage.ts';

export interface Round {
  readonly seed: number;
  readonly activity: ActivityName;
  readonly fault: FaultName;
  readonly victims: readonly string[];
  /** From the last SIGKILL of a supervisor to an answer of the next; `null`: none was lost, or a client had to start it. */
  readonly recoveryMs: number | null;
  readonly settledMs: number;
  /** What did not hold; empty: all did. */
  readonly faults: readonly string[];
}

const SETTLE_LIMIT_MS = 20_000;
/** A successor is in charge within this (issue and README); a machine under load gets no more. */
const RECOVERY_LIMIT_MS = 3_000;

export class Campaign {
  readonly #stage: Stage;
  readonly #alone: boolean;

  constructor(stage: Stage, alone: boolean) {
    this.#stage = stage;
    this.#alone = alone;
  }

  /** Brings the whole cast up; services that are never ready make `up` end with 1. */
  async open(): Promise<string[]> {
    const end = await this.#stage.run('up', '--detach', '--no-wait');
    if (end.code !== 0) return [`up ended with ${end.code}: ${end.errors}`];
    return this.#settle({ stopped: new Set(), open: new Set(), alone: this.#alone });
  }

  async round(seed: number): Promise<Round> {
    const random = new Seeded(seed);
    const activityName = random.pick(ACTIVITIES);
    const fault = random.pick(FAULTS);
    // A command takes a tenth of a second to ask; most faults are to hit what it set in motion.
    const delayMs = random.chance(0.7) ? 40 + random.below(200) : random.below(900);
    const pactOf = (): Seen[] => this.#stage.trees(takeCensus()).filter((one) => one.marker?.split('/')[1] === 'pact');
    const early = pactOf();
    prepare(fault, this.#stage, random);
    const activity = await begin(activityName, this.#stage, random);
    await pause(delayMs);
    // Who dies at a write of its own may have been followed by now, and its pact by another.
    const pact = fault === 'die at a write' ? early : pactOf();
    const inflicted = await inflict(fault, this.#stage, random);
    const began = performance.now();
    const [recovery, commandFaults] = await Promise.all([
      this.#recovery(inflicted),
      this.#commands(activity, inflicted.orphaned),
    ]);
    const open = new Set([...activity.open, ...(inflicted.lost ? ['pact'] : [])]);
    // What depends on something that was stopped may wait for it.
    if (activity.stopped.includes('late')) open.add('after-late');
    const settled = await this.#settle({ stopped: new Set(activity.stopped), open, alone: this.#alone });
    const faults = [...recovery.faults, ...commandFaults, ...settled, ...this.#evidence()];
    if (inflicted.lost) faults.push(...survivorsOf(pact));
    const settledMs = Math.round(performance.now() - began);
    await this.#stage.run('start', ...CAST.filter((one) => one.settled === 'up').map((one) => one.name));
    const { victims } = inflicted;
    return { seed, activity: activityName, fault, victims, recoveryMs: recovery.ms, settledMs, faults };
  }

  /** `down`, and then nothing may be left of it. */
  async close(): Promise<string[]> {
    const end = await this.#stage.run('down');
    const faults = end.code === 0 ? [] : [`down ended with ${end.code}: ${end.errors}${end.output}`];
    faults.push(...this.#evidence());
    try {
      await until('an empty workspace', () => this.#left().length === 0, { timeoutMs: 3000 });
    } catch {
      for (const one of this.#left())
        faults.push(`left behind: ${one.pid} ${one.kind} ${one.words.join(' ').trim()} ${one.marker}`);
    }
    return faults;
  }

  get lines(): number {
    return countedLines(this.#stage.stateDir);
  }

  #left(): Seen[] {
    const census = takeCensus();
    if (!this.#alone) return this.#stage.trees(census);
    const isOurs = (one: Seen): boolean => one.pid === 1 || one.pid === process.pid || one.parent === process.pid;
    return [...census.values()].filter((one) => !isOurs(one));
  }

  async #recovery(inflicted: Inflicted): Promise<{ readonly ms: number | null; readonly faults: readonly string[] }> {
    if (inflicted.orphaned) {
      // Anything that needs a supervisor starts one; this asks for nothing that nobody wanted.
      const end = await this.#stage.run('up', '--detach', '--no-wait', 'crasher');
      return {
        ms: null,
        faults: end.code === 0 ? [] : [`up after the loss of both ended with ${end.code}: ${end.errors}`],
      };
    }
    if (!inflicted.lost) return { ms: null, faults: [] };
    const { lostAt } = inflicted;
    try {
      await until('a successor', () => this.#stage.status(), { timeoutMs: SETTLE_LIMIT_MS, intervalMs: 10 });
    } catch {
      return { ms: null, faults: ['no successor came'] };
    }
    if (lostAt === null) return { ms: null, faults: [] };
    const ms = Math.round(performance.now() - lostAt);
    // The second loss in a row waits for the restart core's second delay, and a frozen guardian for its thaw.
    const late = ms > RECOVERY_LIMIT_MS && inflicted.fault === 'kill supervisor';
    return { ms, faults: late ? [`the successor took ${ms} ms`] : [] };
  }

  async #commands(activity: Activity, orphaned: boolean): Promise<string[]> {
    const ends = await Promise.all(activity.commands);
    if (orphaned) return [];
    const wrong = ends.flatMap(({ words, code, output, errors }, index) => {
      const wanted = activity.codes[index];
      const isRight = wanted === null || code === wanted;
      return isRight ? [] : [`coppice ${words.join(' ')} ended with ${code}: ${errors}${output}`];
    });
    return [...wrong, ...activity.judge(ends)];
  }

  /** Waits until nothing is wrong any more; what is after the limit is the answer. */
  async #settle(expectation: Expectation): Promise<string[]> {
    const deadline = performance.now() + SETTLE_LIMIT_MS;
    for (;;) {
      const faults = await unsettled(this.#stage, takeCensus(), expectation);
      if (faults.length === 0 || performance.now() > deadline) return faults;
      await pause(60);
    }
  }

  #evidence(): string[] {
    const { stateDir, rolls } = this.#stage;
    // The living are read after the written: who ends in between has its end told a moment later.
    const living = (): Set<string> => new Set(this.#stage.trees(takeCensus()).map((one) => one.marker ?? ''));
    let faults: string[] = [];
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const alive = living();
      faults = [
        ...countingFaults(stateDir, rolls, alive),
        ...accountingFaults(stateDir, rolls, alive, this.#stage.tornEvents),
      ];
      if (faults.length === 0) return [];
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
    return faults;
  }
}

function survivorsOf(pact: readonly Seen[]): string[] {
  const census = takeCensus();
  return pact
    .filter((one) => census.get(one.pid)?.startTime === one.startTime)
    .map((one) => `pact ${one.pid} outlived its supervisor`);
}
