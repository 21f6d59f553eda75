import assert from 'node:assert/strict';
import { Intent } from '../../../server/service/intent.ts';
import type { Owner } from '../../../server/store/types.ts';

const OWNER: Owner = { kind: 'configuration' };

/** What a store would hold after all changes, and how often it was written to. */
class Store {
  readonly kept: Record<string, unknown> = {};
  writes = 0;

  setIntent(changes: Readonly<Record<string, unknown>>): void {
    this.writes += 1;
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) delete this.kept[key];
      else this.kept[key] = JSON.parse(JSON.stringify(value));
    }
  }
}

function restored(kept: Readonly<Record<string, unknown>>, wanted: readonly string[] = []): Intent {
  const intent = new Intent(new Store());
  intent.restore(kept, new Map(wanted.map((name) => [name, OWNER])));
  return intent;
}

describe('intent', () => {
  it('that begins and ends between two saves costs no write', () => {
    const store = new Store();
    const intent = new Intent(store);
    for (let index = 0; index < 1000; index += 1) intent.pend(`s${index}`, OWNER);
    for (let index = 0; index < 1000; index += 1) intent.unpend(`s${index}`);
    intent.save();
    assert.equal(store.writes, 0);
  });

  it('is found again by a successor as it was saved', () => {
    const store = new Store();
    const intent = new Intent(store);
    intent.askForEverything(OWNER);
    intent.pend('web', OWNER);
    intent.stop({ name: 'db', incarnation: 3, thenFor: OWNER });
    intent.save();
    const next = restored(store.kept);
    assert.deepEqual(
      [next.everythingFor, [...next.pending], next.stops],
      [OWNER, [['web', OWNER]], [{ name: 'db', incarnation: 3, thenFor: OWNER }]],
    );
  });

  it('leaves nothing in the store once all of it is done', () => {
    const store = new Store();
    const intent = new Intent(store);
    const stop = { name: 'db', incarnation: 3, thenFor: null };
    intent.pend('web', OWNER);
    intent.stop(stop);
    intent.save();
    intent.unpend('web');
    intent.stopped(stop);
    intent.save();
    assert.deepEqual(store.kept, {});
  });

  it('to start ends an earlier one to stop, and the other way round', () => {
    const intent = new Intent(new Store());
    const stop = { name: 'web', incarnation: 1, thenFor: null };
    intent.stop(stop);
    intent.pend('web', OWNER);
    assert.deepEqual([intent.isCurrent(stop), intent.pending.has('web')], [false, true]);
    intent.stop(stop);
    assert.deepEqual([intent.isCurrent(stop), intent.pending.has('web')], [true, false]);
  });

  it('of an earlier stop does not end a later one of the same name', () => {
    const intent = new Intent(new Store());
    const [first, second] = [1, 2].map((incarnation) => ({ name: 'web', incarnation, thenFor: null }));
    assert.ok(first !== undefined && second !== undefined);
    intent.stop(first);
    intent.stop(second);
    intent.stopped(first);
    assert.ok(intent.isCurrent(second));
  });

  it('takes up what was to run and is not there, unless it was being stopped', () => {
    const kept = { 'stop/db': { incarnation: 1, thenFor: null } };
    assert.deepEqual([...restored(kept, ['db', 'web']).pending.keys()], ['web']);
  });

  it('to end everything outweighs all else', () => {
    const intent = restored({ drain: 'client', everything: OWNER, 'pending/web': OWNER }, ['db']);
    assert.deepEqual([intent.drainBy, intent.everythingFor, intent.pending.size], ['client', null, 0]);
  });

  it('that nobody can have saved is left out and removed', () => {
    const store = new Store();
    Object.assign(store.kept, {
      'pending/web': 7,
      'stop/db': { incarnation: 'x' },
      drain: 5,
      everything: [],
      other: 1,
    });
    const intent = new Intent(store);
    intent.restore({ ...store.kept }, new Map());
    intent.save();
    assert.deepEqual([intent.pending.size, intent.stops, intent.drainBy, store.kept], [0, [], null, {}]);
  });
});
