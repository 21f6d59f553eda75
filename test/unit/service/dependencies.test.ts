import assert from 'node:assert/strict';
import type { DependencyCondition } from '../../../server/config/model.ts';
import {
  type ConditionState,
  decideStart,
  type GraphEntry,
  stopsAfter,
  withDependencies,
} from '../../../server/service/dependencies.ts';

const graph = new Map<string, GraphEntry>();
const add = (name: string, dependsOn: readonly [string, DependencyCondition][] = []): void => {
  graph.set(name, { name, dependsOn: dependsOn.map(([on, condition]) => ({ name: on, condition })) });
};
add('database');
add('build');
add('api', [['database', 'ready']]);
add('web', [
  ['api', 'ready'],
  ['build', 'succeeded'],
]);
add('docs');

const reader =
  (states: Record<string, ConditionState>) =>
  (name: string): ConditionState =>
    states[name] ?? { kind: 'coming' };

describe('dependencies', () => {
  it('starts an entry whose conditions are all met', () => {
    const decision = decideStart(graph.get('web')!, reader({ api: { kind: 'met' }, build: { kind: 'met' } }));
    assert.deepEqual(decision, { kind: 'start' });
  });

  it('lets an entry wait and names every dependency that is still coming', () => {
    const decision = decideStart(graph.get('web')!, reader({ api: { kind: 'met' } }));
    assert.deepEqual(decision, { kind: 'wait', on: [{ name: 'build', condition: 'succeeded' }] });
  });

  it('blocks on a hopeless dependency even while another is still coming', () => {
    const decision = decideStart(
      graph.get('web')!,
      reader({ build: { kind: 'hopeless', because: 'build ended as failed' } }),
    );
    assert.deepEqual(decision, { kind: 'blocked', by: 'build', because: 'build ended as failed' });
  });

  it('lists what names need, dependencies first and each once', () => {
    assert.deepEqual(withDependencies(['web', 'api'], graph), ['database', 'api', 'build', 'web']);
  });

  it('leaves unknown names out of the closure', () => {
    assert.deepEqual(withDependencies(['nobody', 'docs'], graph), ['docs']);
  });

  it('stops dependents before what they depend on, and independent entries at the same time', () => {
    const after = stopsAfter(['web', 'api', 'database', 'docs'], graph);
    assert.deepEqual([...after.get('database')!].sort(), ['api', 'web']);
    assert.deepEqual([...after.get('api')!], ['web']);
    assert.deepEqual([...after.get('web')!, ...after.get('docs')!], []);
  });

  it('keeps the order through an entry that is not itself being stopped', () => {
    assert.deepEqual([...stopsAfter(['web', 'database'], graph).get('database')!], ['web']);
  });
});
