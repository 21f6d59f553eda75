import assert from 'node:assert/strict';
import { step } from '../../../server/service/policy/policy.ts';
import { mutants } from './simulation/mutants.ts';
import { type RunResult, simulate } from './simulation/run.ts';

const EVENTS = 1_000_000;
const EVENTS_PER_MUTANT = 200_000;
/** Any seed is as good as another; the one of a failed run is in the title of the test and in its message. */
const seed = Number(process.env.COPPICE_SEED ?? Math.floor(Math.random() * 2 ** 32));

describe(`the service policy in a random world (COPPICE_SEED=${seed})`, function () {
  this.timeout(60_000);
  let result: RunResult;

  before(() => {
    result = simulate(step, seed, EVENTS);
  });

  it(`keeps every promise over ${EVENTS} events (R16, R21, R22, R38, R53-R62, R65, R70)`, () => {
    assert.ok(result.violation === null, result.violation ?? '');
    assert.ok(result.events >= EVENTS);
  });

  for (const visited of [
    'stopped',
    'starting',
    'ready',
    'degraded',
    'backoff',
    'stopping',
    'completed',
    'failed: crashes',
    'failed: slow',
    'failed: drains',
    'failed: wedges',
    'failed: survivors',
    'failed: not_restarted',
  ]) {
    it(`comes by ${visited} often enough to prove something`, () => {
      const times = result.visits[visited] ?? 0;
      assert.ok(times >= 50, `${times} times`);
    });
  }
});

describe(`the checker of the random world (COPPICE_SEED=${seed})`, function () {
  this.timeout(60_000);

  for (const { promise, policy } of mutants) {
    it(`notices a policy that breaks: ${promise}`, () => {
      assert.notEqual(simulate(policy, seed, EVENTS_PER_MUTANT).violation, null);
    });
  }

  it('says the seed and what happened last', () => {
    const [first] = mutants;
    const { violation } = simulate(first!.policy, seed, EVENTS_PER_MUTANT);
    assert.match(violation ?? '', new RegExp(`^seed ${seed}, episode \\d+: [^\\n]+\\n\\d+ `));
  });

  it('finds the same again with the same seed', () => {
    const [first] = mutants;
    const run = (): string | null => simulate(first!.policy, seed, EVENTS_PER_MUTANT).violation;
    assert.equal(run(), run());
  });
});
