import assert from 'node:assert/strict';
import { type GraphEntry, withDependencies } from '../../../../server/service/dependencies.ts';
import { type Holding, handOver } from '../../../../server/service/lease/handover.ts';
import { CONFIGURATION, ownerName } from '../../../../server/service/owners.ts';
import type { Owner } from '../../../../server/store/types.ts';

const of = (session: string): Owner => ({ kind: 'session', session, holder: 'named', process: null });
const A = of('a');
const B = of('b');
const C = of('c');

const service = (name: string, ...claims: Owner[]): Holding => ({
  key: `service/${name}`,
  claims,
  entries: [name],
  adopt: false,
});
const run = (id: string, tasks: string[], ...claims: Owner[]): Holding => ({
  key: `run/${id}`,
  claims,
  entries: tasks,
  adopt: false,
});

/** `name: dependencies` */
function graphOf(dependencies: Readonly<Record<string, readonly string[]>>): Map<string, GraphEntry> {
  const entry = (name: string, names: readonly string[]): GraphEntry => ({
    name,
    dependsOn: names.map((one) => ({ name: one, condition: 'ready' })),
  });
  return new Map(Object.entries(dependencies).map(([name, names]) => [name, entry(name, names)]));
}

function plan(holdings: Holding[], dependencies: Readonly<Record<string, readonly string[]>> = {}, ...over: string[]) {
  const { handedOver, over: gone } = handOver(new Set(over.length > 0 ? over : ['a']), holdings, graphOf(dependencies));
  return { to: Object.fromEntries([...handedOver].map(([key, owner]) => [key, ownerName(owner)])), over: gone };
}

describe('the things of a session that is over', () => {
  it('end with it when nobody else asked for them', () => {
    assert.deepEqual(plan([service('web', A)]), { to: {}, over: ['service/web'] });
  });

  it('go to the next who asked for them', () => {
    assert.deepEqual(plan([service('web', A, B, C)]), { to: { 'service/web': 'b' }, over: [] });
  });

  it('go to nobody who is over as well', () => {
    const { to, over } = plan([service('web', A, B, C), service('api', A, B)], {}, 'a', 'b');
    assert.deepEqual([to, over], [{ 'service/web': 'c' }, ['service/api']]);
  });

  it('go to whoever runs something that depends on them, through any number of steps', () => {
    const holdings = [service('db', A), service('api', A), service('web', B)];
    assert.deepEqual(plan(holdings, { db: [], api: ['db'], web: ['api'] }), {
      to: { 'service/db': 'b', 'service/api': 'b' },
      over: [],
    });
  });

  it('go to the configuration rather than to a session that needs them too', () => {
    const holdings = [service('db', A), service('web', B), service('api', CONFIGURATION)];
    assert.deepEqual(plan(holdings, { db: [], api: ['db'], web: ['db'] }).to, { 'service/db': 'configuration' });
  });

  it('end, though something of theirs depends on what stays', () => {
    const holdings = [service('db', B), service('web', A)];
    assert.deepEqual(plan(holdings, { db: [], web: ['db'] }), { to: {}, over: ['service/web'] });
  });

  it('go to the configuration when they are to be adopted, with what they depend on', () => {
    const holdings = [service('db', A), { ...service('web', A), adopt: true }];
    assert.deepEqual(plan(holdings, { db: [], web: ['db'] }), {
      to: { 'service/db': 'configuration', 'service/web': 'configuration' },
      over: [],
    });
  });

  it('go to another session that asked, though they could be adopted', () => {
    assert.deepEqual(plan([{ ...service('web', A, B), adopt: true }]).to, { 'service/web': 'b' });
  });

  it('leave what others own and they asked for as well where it is', () => {
    assert.deepEqual(plan([service('web', B, A)]), { to: {}, over: [] });
  });

  it('never are those of the configuration', () => {
    assert.deepEqual(plan([service('web'), service('api', CONFIGURATION)]), { to: {}, over: [] });
  });

  it('are kept as a run that somebody waits for, with the services that its tasks need', () => {
    const holdings = [run('1', ['build'], A), service('db', A), service('preview', B)];
    assert.deepEqual(plan(holdings, { db: [], build: ['db'], preview: ['build'] }), {
      to: { 'run/1': 'b', 'service/db': 'b' },
      over: [],
    });
  });

  it('end as a run of which nobody needs what is left to do', () => {
    const holdings = [run('1', ['lint'], A), service('preview', B)];
    assert.deepEqual(plan(holdings, { lint: [], build: [], preview: ['build'] }).over, ['run/1']);
  });
});

describe('handing over in any workspace', () => {
  it('ends nothing that something which goes on depends on, and keeps nothing that nobody needs', () => {
    for (let seed = 1; seed <= 3000; seed += 1) {
      let state = seed;
      const random = (below: number): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      const names = Array.from({ length: 1 + random(8) }, (_, at) => `s${at}`);
      // Only on earlier ones, so that there is no cycle.
      const dependencies = Object.fromEntries(
        names.map((name, at) => [name, names.slice(0, at).filter(() => random(3) === 0)]),
      );
      const owners = [A, B, C, CONFIGURATION];
      const holdings = names.map((name): Holding => {
        const claims = owners.filter((one) => one !== CONFIGURATION && random(2) === 0);
        return { ...service(name, ...(random(6) === 0 ? [CONFIGURATION] : claims)), adopt: random(6) === 0 };
      });
      const over = new Set(['a', ...(random(2) === 0 ? ['b'] : [])]);
      const graph = graphOf(dependencies);
      const result = handOver(over, holdings, graph);
      const gone = new Set(result.over);
      const kept = holdings.filter((one) => !gone.has(one.key));
      const lives = (one: Owner): boolean => one.kind === 'configuration' || !over.has(one.session);
      for (const { key, entries } of kept)
        for (const needed of withDependencies(entries, graph))
          assert.ok(!gone.has(`service/${needed}`), `seed ${seed}: ${key} needs ${needed}, which ends`);
      const wanted = holdings.filter((one) => one.adopt || one.claims.length === 0 || one.claims.some(lives));
      const needed = new Set(
        withDependencies(
          wanted.flatMap((one) => one.entries),
          graph,
        ),
      );
      for (const { key, entries } of kept)
        assert.ok(
          entries.some((name) => needed.has(name)),
          `seed ${seed}: ${key} stays and nobody needs it`,
        );
      for (const [key, owner] of result.handedOver)
        assert.ok(lives(owner), `seed ${seed}: ${key} goes to one that is over`);
    }
  });
});
