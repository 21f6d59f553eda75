import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeForgottenExitRecords, tidyState } from '../../../server/life/housekeeping.ts';
import { execsFolder, exitsFolder, logsFolder, runsFolder } from '../../../server/store/paths.ts';
import { Supervisor } from '../../../server/supervisor.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { configOf, type UnitHost, unitHost } from '../../support/unitHost.ts';

describe('housekeeping in the state directory', () => {
  const now = Date.now();
  let unit: UnitHost;
  let supervisor: Supervisor;
  beforeEach(() => {
    unit = unitHost('tidy');
    supervisor = new Supervisor(
      unit.host,
      configOf(unit.host.root, { services: { web: { command: 'true' } } }),
      () => {},
    );
  });
  afterEach(() => unit.close());
  after(removeTemporaryFolders);

  function file(folder: string, name: string, ageMs: number): void {
    writeFileSync(join(folder, name), '');
    utimesSync(join(folder, name), new Date(now - ageMs), new Date(now - ageMs));
  }

  it('removes logs of commands after a day, with what was rotated away of them, and never those of services', () => {
    const logs = logsFolder(unit.host.stateDir);
    const old = 25 * 3_600_000;
    for (const name of [
      'exec-a1-b2-1.log',
      'exec-a1-b2-1.log.1',
      'exec-a1-b2-1.log.rotation',
      'web.log',
      'exec-web.log',
    ])
      file(logs, name, old);
    file(logs, 'exec-a1-b2-2.log', 1000);
    tidyState(supervisor, now);
    assert.deepEqual(readdirSync(logs).sort(), ['exec-a1-b2-2.log', 'exec-web.log', 'web.log']);
  });

  it('keeps the logs of the newest fifty commands', () => {
    const logs = logsFolder(unit.host.stateDir);
    for (let index = 1; index <= 60; index += 1) file(logs, `exec-a1-b2-${index}.log`, index * 1000);
    tidyState(supervisor, now);
    assert.deepEqual(
      readdirSync(logs)
        .map((name) => Number(/-(\d+)\.log/.exec(name)?.[1]))
        .sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, index) => index + 1),
    );
  });

  it('forgets the result of a command after a day, with its log and exit record, whoever chose its id', () => {
    const { stateDir } = unit.host;
    mkdirSync(execsFolder(stateDir));
    for (const [id, age] of [
      ['mine.log', 25],
      ['new', 1],
    ] as const) {
      file(execsFolder(stateDir), `${id}.json`, age * 3_600_000);
      file(exitsFolder(stateDir), `exec%2f${id}-1.json`, age * 3_600_000);
      file(logsFolder(stateDir), `exec-${id}.log`, age * 3_600_000);
    }
    tidyState(supervisor, now);
    const left = [execsFolder, exitsFolder, logsFolder].map((folder) => readdirSync(folder(stateDir)));
    assert.deepEqual(left, [['new.json'], ['exec%2fnew-1.json'], ['exec-new.log']]);
  });

  it('keeps the folders of the newest twenty runs of earlier supervisors', () => {
    const runs = runsFolder(unit.host.stateDir);
    for (let index = 1; index <= 25; index += 1) {
      const folder = join(runs, `run-${index}`);
      mkdirSync(folder);
      file(folder, 'run.json', 0);
      utimesSync(folder, new Date(now - index * 1000), new Date(now - index * 1000));
    }
    tidyState(supervisor, now);
    assert.equal(readdirSync(runs).length, 20);
  });

  it('removes exit records that belong to no tree on record, but for those of commands', () => {
    const exits = exitsFolder(unit.host.stateDir);
    file(exits, 'exec%2fone-1.json', 0);
    for (const name of ['service%2fweb-1.json', 'service%2fweb-2.json']) file(exits, name, 0);
    removeForgottenExitRecords(unit.host.stateDir, [{ exitRecordPath: join(exits, 'service%2fweb-2.json') }]);
    assert.deepEqual(readdirSync(exits).sort(), ['exec%2fone-1.json', 'service%2fweb-2.json']);
  });
});
