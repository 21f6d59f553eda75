import assert from 'node:assert/strict';
import { createLedger } from '../../../server/process/membership.ts';
import type { Liveness, ProcessIdentity } from '../../../server/process/types.ts';
import { identityOf } from '../../support/tableOf.ts';

function seen(...identities: ProcessIdentity[]): { identity: ProcessIdentity }[] {
  return identities.map((identity) => ({ identity }));
}

function pids(ledger: { identities(): readonly ProcessIdentity[] }): number[] {
  return ledger.identities().map((identity) => identity.pid);
}

describe('the ledger of a tree', () => {
  const states = new Map<number, Liveness>();
  const liveness = (identity: ProcessIdentity): Liveness => states.get(identity.pid) ?? 'alive';
  beforeEach(() => states.clear());

  it('remembers who was seen and is not seen any more but lives', () => {
    const ledger = createLedger({ liveness });
    ledger.observe(seen(identityOf(1001), identityOf(1002)));
    ledger.observe(seen(identityOf(1002)));
    assert.deepEqual(pids(ledger), [1001, 1002]);
  });

  for (const state of ['gone', 'zombie', 'recycled'] as const) {
    it(`forgets who is ${state}`, () => {
      const ledger = createLedger({ liveness });
      ledger.observe(seen(identityOf(1001), identityOf(1002)));
      states.set(1001, state);
      ledger.observe(seen(identityOf(1002)));
      assert.deepEqual(pids(ledger), [1002]);
    });
  }

  it('keeps who cannot be verified just now', () => {
    const ledger = createLedger({ liveness });
    ledger.observe(seen(identityOf(1001)));
    states.set(1001, 'unknown');
    ledger.observe([]);
    assert.deepEqual(pids(ledger), [1001]);
  });

  it('holds both owners of a pid that was recycled within the tree', () => {
    const ledger = createLedger({ liveness });
    ledger.observe(seen(identityOf(1001, 5)));
    ledger.observe(seen(identityOf(1001, 9)));
    assert.equal(ledger.identities().length, 2);
  });

  it('is bounded', () => {
    const ledger = createLedger({ liveness, limit: 10 });
    ledger.observe(seen(...Array.from({ length: 25 }, (_, index) => identityOf(1000 + index))));
    assert.equal(ledger.identities().length, 10);
  });

  it('continues from what an earlier supervisor recorded', () => {
    assert.deepEqual(pids(createLedger({ liveness, initial: [identityOf(1001)] })), [1001]);
  });

  it('takes nobody who could not be recognised again (R6)', () => {
    const ledger = createLedger({ liveness, initial: [{ pid: 1001, startTime: '', bootId: 'b' }] });
    ledger.observe(seen({ pid: 1002, startTime: '5', bootId: '' }));
    assert.deepEqual(pids(ledger), []);
  });
});
