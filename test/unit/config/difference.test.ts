import assert from 'node:assert/strict';
import { diffConfig } from '../../../server/config/difference.ts';
import { accepted } from './support.ts';

const BASE = `services:
  web: { command: vite, port: 3000, env: { A: 1, B: 2 } }
  api: { command: node api.js }
tasks:
  build: { command: vite build }
`;

function difference(after: string) {
  return diffConfig(accepted(BASE), accepted(after));
}

describe('diffConfig', () => {
  it('finds nothing in a file that was only written differently', () => {
    const after = `# reordered, requoted, with defaults spelled out
tasks: { build: { command: [vite, build], stopTimeout: 5000ms } }
services:
  api: { command: "node 'api.js'", restart: on-failure }
  web: { env: { B: "2", A: "1" }, port: 3000, command: vite }
`;
    const { unchanged, ...rest } = difference(after);
    assert.deepEqual([...unchanged].sort(), ['api', 'build', 'web']);
    assert.deepEqual(rest, { added: [], removed: [], changed: [], retuned: [], idleGraceChanged: false });
  });

  const restarts: readonly [string, string][] = [
    ['command: vite', 'command: vite --host'],
    ['port: 3000', 'port: auto'],
    ['A: 1', 'A: 2'],
    ['port: 3000', 'port: 3000, cwd: somewhere'],
    ['port: 3000', 'port: 3000, stdin: hold'],
    ['port: 3000', 'port: 3000, kind: vite'],
    ['port: 3000', 'port: 3000, envFile: .env'],
    ['command: vite', 'command: vite, shell: true'],
  ];
  for (const [from, to] of restarts) {
    it(`wants a new process for ${from} -> ${to}, and touches nothing else`, () => {
      const { changed, retuned, unchanged } = difference(BASE.replace(from, to));
      assert.deepEqual(
        changed.map(({ name }) => name),
        ['web'],
      );
      assert.deepEqual(retuned, []);
      assert.deepEqual(unchanged, ['api', 'build']);
    });
  }

  const retunings: readonly [string, string[]][] = [
    ['restart: always', ['restart']],
    ['memory: { max: 1GB }', ['memory']],
    ['ready: { tcp: 3000 }', ['ready']],
    ['live: { tcp: 3000 }', ['live']],
    ['dependsOn: [api]', ['dependsOn']],
    ['stopTimeout: 1s', ['stopTimeoutMs']],
    ['enabled: false', ['enabled']],
    ['idleStop: 5m', ['idleStopMs']],
    ['onSupervisorLoss: stop', ['onSupervisorLoss']],
    ['onOwnerLoss: adopt', ['onOwnerLoss']],
  ];
  for (const [line, fields] of retunings) {
    it(`takes over ${line} without a new process`, () => {
      const { changed, retuned } = difference(BASE.replace('port: 3000', `port: 3000, ${line}`));
      assert.deepEqual(changed, []);
      assert.deepEqual(retuned, [{ name: 'web', fields }]);
    });
  }

  it('names all fields of an entry that needs a new process', () => {
    const { changed } = difference(BASE.replace('command: vite,', 'command: x, restart: no,'));
    assert.deepEqual(changed, [{ name: 'web', fields: ['command', 'restart'] }]);
  });

  it('tells what is new and what is gone', () => {
    const { added, removed, unchanged } = difference(BASE.replace('  api:', '  db:'));
    assert.deepEqual({ added, removed, unchanged }, { added: ['db'], removed: ['api'], unchanged: ['web', 'build'] });
  });

  it('takes a service that has become a task for another entry', () => {
    const { added, removed } = difference('services: { build: { command: vite build } }\n');
    assert.deepEqual(added, ['build']);
    assert.deepEqual(removed, ['web', 'api', 'build']);
  });

  it('notices another grace', () => {
    assert.equal(difference(`idle: { grace: 1m }\n${BASE}`).idleGraceChanged, true);
  });
});
