import assert from 'node:assert/strict';
import { judgeLoss } from '../../../server/life/claimLoss.ts';
import type { SupervisorLock } from '../../../server/store/types.ts';

const OWN: SupervisorLock = {
  pid: 100,
  startTime: '1',
  bootId: 'a boot',
  hostname: 'here',
  pidNamespace: 'pid:[1]',
  endpoint: '/run/one.sock',
  stateDir: '/state/one',
  version: '1',
  startedAt: 0,
  limits: { maxHeapMb: 1 },
};

describe('what becomes of the trees of a supervisor that lost its workspace', () => {
  const cases: [string, Partial<SupervisorLock>, 'live' | 'stale', 'hand_over' | 'stop', boolean][] = [
    ['a live one of the same state, host and pid namespace has them', {}, 'live', 'hand_over', true],
    ['one that is dead already does not', {}, 'stale', 'stop', true],
    ['one with its state elsewhere does not', { stateDir: '/state/two' }, 'live', 'stop', false],
    ['one on another host does not', { hostname: 'there' }, 'live', 'stop', true],
    ['one of another boot does not', { bootId: 'another boot' }, 'live', 'stop', true],
    ['one in another pid namespace does not', { pidNamespace: 'pid:[2]' }, 'live', 'stop', true],
  ];
  for (const [what, change, verdict, trees, isStateShared] of cases) {
    it(what, () => {
      const loss = judgeLoss(OWN, { ...OWN, pid: 200, ...change }, verdict);
      assert.deepEqual([loss.trees, loss.isStateShared, loss.holder?.pid], [trees, isStateShared, 200]);
    });
  }

  it('are stopped when nobody can tell who has it', () => {
    assert.deepEqual(judgeLoss(OWN, null, 'stale'), { trees: 'stop', isStateShared: false, holder: null });
  });
});
