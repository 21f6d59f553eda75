import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { identify } from '../../server/process/identity.ts';
import { closeWorkspaces, openWorkspace, STEADY } from '../support/supervised.ts';
import type { CommandEnd } from '../support/workspace.ts';

const CONTENDERS = 50;

describe('fifty `up --detach` at once, each with a HOME, state home and runtime folder of its own', () => {
  after(closeWorkspaces);

  it('make one supervisor and one process a service, and leave no other file (R102, R104, R106)', async () => {
    const workspace = openWorkspace({ services: { web: STEADY, other: STEADY } });
    const homes = Array.from({ length: CONTENDERS }, (_, index) => {
      const home = join(dirname(workspace.root), `home-${index}`);
      for (const folder of [home, join(home, 'state'), join(home, 'run')]) mkdirSync(folder, { mode: 0o700 });
      return home;
    });
    const ends: CommandEnd[] = await Promise.all(
      homes.map(
        (home) =>
          workspace.begin(['up', '--detach'], {
            HOME: home,
            XDG_STATE_HOME: join(home, 'state'),
            XDG_RUNTIME_DIR: join(home, 'run'),
          }).ended,
      ),
    );
    const odd = ends.filter(({ code }) => code !== 0 && code !== 2).map(({ code, stderr }) => `${code}: ${stderr}`);
    assert.deepEqual(odd, []);
    assert.ok(ends.filter(({ code }) => code === 0).length >= 1);
    const { lock } = workspace;
    assert.ok(identify(lock?.pid ?? 0) !== null);
    assert.equal(workspace.eventsNamed('supervisor_started').length, 1);
    assert.deepEqual(
      workspace
        .eventsNamed('service_spawned')
        .map((one) => one.name)
        .sort(),
      ['other', 'web'],
    );
    assert.equal(workspace.marked.length, 2);
    assert.deepEqual(readdirSync(join(workspace.root, '.coppice')).sort(), [
      '.gitignore',
      'supervisor.lock',
      'workspace.json',
    ]);
    const used = homes.filter((home) => workspace.stateDir.startsWith(`${home}/`));
    assert.equal(used.length, 1);
    for (const home of homes) {
      const found = readdirSync(home, { recursive: true }).sort();
      if (home !== used[0]) assert.deepEqual(found, ['run', 'state'], home);
    }
    const sockets = readdirSync(used[0] ?? '', { recursive: true }).filter((one) => String(one).endsWith('.sock'));
    assert.equal(sockets.length, 1);
    const doctor = await workspace.json<{ supervisors: { count: number } }>('doctor');
    assert.equal(doctor.supervisors.count, 1);
  });
});
