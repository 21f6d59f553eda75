import assert from 'node:assert/strict';
import { CONFIGURATION, Owners, ownerName, parseOwners } from '../../../server/service/owners.ts';
import type { SessionOwner } from '../../../server/store/types.ts';

const of = (session: string, pid = 1): SessionOwner => ({
  kind: 'session',
  session,
  holder: 'window',
  process: { pid, startTime: '1', bootId: 'b' },
});

function owners(...claims: (SessionOwner | typeof CONFIGURATION)[]): { owners: Owners; names: () => string[] } {
  const all = new Owners(() => {}, claims);
  return { owners: all, names: () => all.all.map(ownerName) };
}

describe('who asked for a thing', () => {
  it('is the configuration as long as nobody did', () => {
    assert.equal(owners().owners.first, CONFIGURATION);
  });

  it('has it in the order of asking', () => {
    const { owners: all, names } = owners();
    for (const session of ['a', 'b', 'a']) all.add(of(session));
    assert.deepEqual(names(), ['a', 'b']);
  });

  it('is the configuration alone once that has asked, since it never goes', () => {
    const { owners: all, names } = owners(of('a'));
    all.add(CONFIGURATION);
    all.add(of('b'));
    assert.deepEqual(names(), ['configuration']);
  });

  it('is known by its newest process', () => {
    const { owners: all } = owners(of('a', 1), of('b', 2));
    all.renew(of('b', 3));
    assert.deepEqual(all.all, [of('a', 1), of('b', 3)]);
  });

  it('is followed by the next when it needs the thing no more', () => {
    const { owners: all, names } = owners(of('a'), of('b'));
    all.drop(new Set(['a']));
    assert.deepEqual(names(), ['b']);
  });

  it('gives it to another, with those who asked besides', () => {
    const { owners: all, names } = owners(of('a'), of('b'), of('c'));
    all.pass(new Set(['a']), of('c'));
    assert.deepEqual(names(), ['c', 'b']);
  });

  it('is told of as a change only when it is one', () => {
    let changes = 0;
    const all = new Owners(() => {
      changes += 1;
    });
    for (const owner of [of('a'), of('a'), of('b')]) all.add(owner);
    all.begin(of('a'));
    assert.equal(changes, 2);
  });

  it('is read from a record as far as it can be', () => {
    const written = JSON.parse(JSON.stringify([of('a'), { kind: 'nobody' }, CONFIGURATION]));
    assert.deepEqual(parseOwners(written), [of('a'), CONFIGURATION]);
  });

  it('is a named session on a record that does not tell what stood behind it', () => {
    assert.deepEqual(parseOwners([{ kind: 'session', session: 's', process: null }]), [
      { kind: 'session', session: 's', holder: 'named', process: null },
    ]);
  });
});
