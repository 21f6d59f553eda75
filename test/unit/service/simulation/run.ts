import type { ServicePolicySettings } from '../../../../server/service/policy/state.ts';
import { defaults } from '../policyCases.ts';
import { Checker, Violation } from './checker.ts';
import { Seeded } from './seeded.ts';
import { type Policy, World } from './world.ts';

export interface RunResult {
  readonly events: number;
  /** `null`: no promise was broken. Otherwise what, the episode's seed and the last events. */
  readonly violation: string | null;
  /** How often each state was entered, failures by reason: a run that never fails proves nothing about failing. */
  readonly visits: Readonly<Record<string, number>>;
}

const EVENTS_PER_EPISODE = 2000;

/** Drives `policy` through at least `events` events, in episodes of its own settings each, until a promise is broken. */
export function simulate(policy: Policy, seed: number, events: number): RunResult {
  const visits: Record<string, number> = {};
  let driven = 0;
  for (let episode = 0; driven < events; episode += 1) {
    const episodeSeed = (seed + Math.imul(episode, 0x9e3779b1)) >>> 0;
    const first = runEpisode(policy, episodeSeed, false, visits);
    driven += first.events;
    if (first.violation !== null) {
      // The same again, this time with a record of what happened.
      const again = runEpisode(policy, episodeSeed, true, {});
      return { events: driven, violation: `seed ${seed}, episode ${episode}: ${again.violation}`, visits };
    }
  }
  return { events: driven, violation: null, visits };
}

function runEpisode(
  policy: Policy,
  seed: number,
  record: boolean,
  visits: Record<string, number>,
): { readonly events: number; readonly violation: string | null } {
  const seeded = new Seeded(seed);
  const world = new World(policy, settingsFor(seeded), seeded, new Checker(record));
  try {
    while (world.events < EVENTS_PER_EPISODE) {
      const before = world.facts.state;
      world.tick();
      const { state } = world.facts;
      if (state.name === before.name) continue;
      const visited = state.name === 'failed' ? `failed: ${state.failure.why.reason}` : state.name;
      visits[visited] = (visits[visited] ?? 0) + 1;
    }
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { events: world.events, violation: error.message };
  }
  return { events: world.events, violation: null };
}

/** The defaults, or smaller budgets, shorter delays and other policies. */
function settingsFor(seeded: Seeded): ServicePolicySettings {
  const policy = seeded.pick<ServicePolicySettings['policy']>(['always', 'on-failure', 'always', 'on-failure', 'no']);
  if (seeded.chance(0.4)) return { ...defaults, policy };
  const initialMs = seeded.pick([0, 1, 1000]);
  return {
    policy,
    backoff: { initialMs, maxMs: seeded.pick([initialMs, 60_000]) },
    crashes: { count: 1 + seeded.below(10), windowMs: seeded.pick([10_000, 300_000]) },
    slow: { count: seeded.below(12), windowMs: seeded.pick([60_000, 3_600_000]) },
    clean: { count: seeded.below(11), windowMs: seeded.pick([5_000, 60_000]) },
    drains: { count: seeded.below(4), windowMs: 600_000 },
    wedges: { count: seeded.below(4), windowMs: 1_800_000 },
    recoveryMs: 60_000,
    failures: 1 + seeded.below(4),
  };
}
