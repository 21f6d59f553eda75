import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type OpenedRegistry, openRegistry, readRegistry } from '../../../server/store/registry.ts';
import type { TreeRecord } from '../../../server/store/types.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const BOOT = '11111111-2222-4333-8444-555555555555';
const SUPERVISOR = { pid: 10, startTime: '1' };

function tree(name: string, changes: Partial<TreeRecord> = {}): TreeRecord {
  const leader = { pid: 500, startTime: '9', bootId: BOOT };
  return {
    key: `service/${name}`,
    name,
    role: 'service',
    incarnation: 1,
    tree: { leader, keeper: { ...leader, pid: 499 }, group: 500, session: 500, marker: `w/${name}/1/r` },
    owner: { kind: 'configuration' },
    onSupervisorLoss: 'adopt',
    logPath: '/l',
    outputOffset: 0,
    exitRecordPath: '/e',
    ports: [3000],
    startedAt: 1,
    readyAt: null,
    environment: ['PATH'],
    lineage: [leader],
    ...changes,
  };
}

describe('the registry', () => {
  let stateDir: string;
  const opened: OpenedRegistry[] = [];

  beforeEach(() => {
    stateDir = temporaryFolder('registry');
  });

  afterEach(() => {
    for (const { registry } of opened.splice(0)) registry.close();
  });

  after(removeTemporaryFolders);

  function open(options: Partial<Parameters<typeof openRegistry>[1]> = {}): OpenedRegistry {
    const one = openRegistry(stateDir, { supervisor: SUPERVISOR, ...options });
    opened.push(one);
    return one;
  }

  /** What a successor would find if this supervisor were killed now. */
  function found(): string[] {
    return [...readRegistry(stateDir).trees.keys()].sort();
  }

  it('holds a tree for a successor as soon as registerNow returns, and not after unregister', () => {
    const { registry } = open();
    registry.registerNow(tree('web'));
    assert.deepEqual(found(), ['service/web']);
    registry.unregister('service/web');
    assert.deepEqual(found(), []);
  });

  it('gives every field of a record back', async () => {
    const process = { pid: 3, startTime: '3', bootId: BOOT };
    const session = { kind: 'session', session: 's', holder: 'window', process } as const;
    const record = tree('web', { owner: session, readyAt: 5 });
    open().registry.registerNow(record);
    assert.deepEqual(readRegistry(stateDir).trees.get(record.key), record);
    await opened[0]?.registry.flush();
    assert.deepEqual(readRegistry(stateDir).trees.get(record.key), record);
  });

  it('writes everything into registry.json within a moment, in few writes', async () => {
    const { registry } = open();
    for (let at = 0; at < 200; at += 1) registry.register(tree(`s${at}`));
    const path = join(stateDir, 'registry.json');
    const file = await until('registry.json', () => existsSync(path) && JSON.parse(readFileSync(path, 'utf8')));
    assert.equal(file.trees.length, 200);
    assert.deepEqual(file.supervisor, SUPERVISOR);
  });

  it('empties the list of changes once the whole is written', async () => {
    const { registry } = open();
    registry.registerNow(tree('web'));
    await registry.flush();
    assert.equal(readFileSync(join(stateDir, 'registry.changes.jsonl'), 'utf8'), '');
    assert.deepEqual(found(), ['service/web']);
  });

  it('is right when it was killed between writing the whole and emptying the changes', async () => {
    const { registry } = open();
    registry.registerNow(tree('web'));
    registry.unregister('service/web');
    registry.registerNow(tree('api'));
    const changes = readFileSync(join(stateDir, 'registry.changes.jsonl'));
    await registry.flush();
    writeFileSync(join(stateDir, 'registry.changes.jsonl'), changes);
    assert.deepEqual(found(), ['service/api']);
  });

  it('goes on with what an earlier supervisor left', () => {
    open().registry.registerNow(tree('web'));
    const { registry, findings } = open();
    assert.deepEqual(
      registry.records().map((one) => one.key),
      ['service/web'],
    );
    assert.deepEqual(findings, []);
    registry.unregister('service/web');
    assert.deepEqual(found(), []);
  });

  it('keeps what restart accounting a successor goes on with', () => {
    const first = open().registry;
    first.setService('web', { crashes: 3 });
    first.close();
    assert.deepEqual(open().registry.services(), { web: { crashes: 3 } });
  });

  it('may be emptied by who goes through it (R79), and forgets twice without harm (R82)', () => {
    const { registry } = open();
    for (const name of ['a', 'b', 'c']) registry.registerNow(tree(name));
    for (const record of registry.records()) assert.equal(registry.unregister(record.key), true);
    assert.equal(registry.unregister('service/a'), false);
    assert.deepEqual(registry.records(), []);
  });

  it('takes no late word of an earlier start for the current one', () => {
    const { registry } = open();
    registry.registerNow(tree('web'));
    registry.unregister('service/web');
    assert.equal(registry.update(tree('web', { readyAt: 7 })), false);
    const second = tree('web', { incarnation: 2, tree: { ...tree('web').tree, marker: 'w/web/2/q' } });
    registry.registerNow(second);
    assert.equal(registry.update(tree('web', { readyAt: 7 })), false);
    assert.equal(registry.update({ ...second, readyAt: 8 }), true);
    assert.equal(registry.get('service/web')?.readyAt, 8);
  });

  it('sets a file aside that cannot be understood, says so, and starts anew (R77)', () => {
    for (const text of ['', '{"version": 1, "tre', '[]', '{"version":1}']) {
      writeFileSync(join(stateDir, 'registry.json'), text);
      const { registry, findings } = open();
      assert.deepEqual(registry.records(), []);
      const [finding] = findings;
      assert.ok(finding?.kind === 'registry_corrupt' && finding.aside !== null && finding.records === 'all', text);
      assert.equal(readFileSync(finding.aside, 'utf8'), text);
      rmSync(finding.aside);
    }
  });

  it('keeps the good records of a file with a bad one, and a copy of the whole', async () => {
    const first = open().registry;
    for (const name of ['a', 'b']) first.register(tree(name));
    first.close();
    const path = join(stateDir, 'registry.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"group":500', '"group":-1'));
    const { registry, findings } = open();
    assert.deepEqual(
      registry.records().map((one) => one.key),
      ['service/b'],
    );
    assert.ok(findings[0]?.kind === 'registry_corrupt' && findings[0].records === 1);
    assert.match(readFileSync(findings[0].aside ?? '', 'utf8'), /"group":-1/);
  });

  it('reads past a change that was torn, at any byte', () => {
    const first = open().registry;
    first.registerNow(tree('a'));
    const whole = readFileSync(join(stateDir, 'registry.changes.jsonl'), 'utf8');
    first.registerNow(tree('b'));
    const both = readFileSync(join(stateDir, 'registry.changes.jsonl'), 'utf8');
    for (let length = whole.length; length < both.length - 1; length += 1) {
      writeFileSync(join(stateDir, 'registry.changes.jsonl'), both.slice(0, length));
      assert.deepEqual(found(), ['service/a'], `torn after ${length} bytes`);
    }
  });

  it('registers after a torn change without losing the new one', () => {
    appendFileSync(join(stateDir, 'registry.changes.jsonl'), '{"change":1,"set":{"ke');
    const { registry } = open();
    registry.registerNow(tree('a'));
    assert.deepEqual(found(), ['service/a']);
  });

  it('takes no record that would aim a signal at a group of others (R1)', () => {
    const bad: Partial<TreeRecord>[] = [
      { tree: { ...tree('a').tree, group: 0 } },
      { tree: { ...tree('a').tree, group: 1 } },
      { tree: { ...tree('a').tree, session: -5 } },
      { tree: { ...tree('a').tree, leader: { pid: 0, startTime: '1', bootId: BOOT } } },
      { tree: { ...tree('a').tree, marker: '' } },
      { lineage: [{ pid: 1.5, startTime: '1', bootId: BOOT }] },
    ];
    for (const changes of bad) {
      writeFileSync(
        join(stateDir, 'registry.changes.jsonl'),
        `${JSON.stringify({ change: 1, set: tree('a', changes) })}\n`,
      );
      assert.deepEqual(found(), [], JSON.stringify(changes));
    }
  });

  it('says that it cannot write, keeps what it knows, and writes it when it can', async () => {
    const failures: string[] = [];
    const aside = `${stateDir}-aside`;
    const { registry } = open({
      onWrite: (file, result) => failures.push(`${file} ${result.ok ? 'ok' : result.failure.reason}`),
    });
    await registry.flush();
    renameSync(stateDir, aside);
    const result = registry.registerNow(tree('a'));
    // A file that is still open can be appended to although its folder was moved; the whole cannot be written.
    assert.equal((await registry.flush()).ok, false);
    assert.equal(typeof result.ok, 'boolean');
    registry.registerNow(tree('b'));
    assert.equal(existsSync(stateDir), false, 'it brought the folder back');
    renameSync(aside, stateDir);
    assert.equal((await registry.flush()).ok, true);
    assert.deepEqual(found(), ['service/a', 'service/b']);
    const whole = failures.filter((one) => one.startsWith('registry.json'));
    assert.deepEqual([whole.includes('registry.json missing_folder'), whole.at(-1)], [true, 'registry.json ok']);
  });

  it('keeps what an end left under a key of its own when the same name is started again', () => {
    const { registry } = open();
    const rest = tree('web');
    registry.registerNow(rest);
    registry.registerNow(tree('web', { tree: { ...rest.tree, marker: 'w/web/2/s' }, incarnation: 2 }));
    assert.deepEqual(found(), ['leftover/service/web/r', 'service/web']);
    registry.unregister('service/web');
    assert.deepEqual(found(), ['leftover/service/web/r']);
  });

  it('holds intent for a successor as soon as it is set, in the changes as in the whole', async () => {
    const { registry } = open();
    registry.setIntent({ drain: 'client', 'pending/web': { kind: 'configuration' } });
    registry.setIntent({ drain: null });
    const expected = { 'pending/web': { kind: 'configuration' } };
    assert.deepEqual(readRegistry(stateDir).intent, expected);
    await registry.flush();
    assert.deepEqual(readRegistry(stateDir).intent, expected);
  });

  it('writes nothing any more once it is abandoned, whatever was waiting', async () => {
    const { registry } = open();
    await registry.flush();
    const before = readFileSync(join(stateDir, 'registry.json'), 'utf8');
    registry.register(tree('web'));
    registry.abandon();
    registry.registerNow(tree('other'));
    await registry.flush();
    registry.close();
    assert.deepEqual([readFileSync(join(stateDir, 'registry.json'), 'utf8'), found()], [before, []]);
  });

  it('writes nothing after it was closed', async () => {
    const { registry } = open();
    registry.registerNow(tree('a'));
    registry.close();
    rmSync(stateDir, { recursive: true });
    mkdirSync(stateDir);
    registry.registerNow(tree('b'));
    registry.register(tree('c'));
    await registry.flush();
    assert.deepEqual(readdirSync(stateDir), []);
  });

  it('registers one of a thousand trees about as fast as the first', () => {
    const { registry } = open();
    const time = (from: number, to: number): number => {
      const began = performance.now();
      for (let at = from; at < to; at += 1) registry.registerNow(tree(`s${at}`));
      return (performance.now() - began) / (to - from);
    };
    time(0, 100);
    const few = time(100, 200);
    time(200, 1000);
    const many = time(1000, 1100);
    assert.ok(many < few * 5 + 0.2, `${few} ms, then ${many} ms`);
  });
});
