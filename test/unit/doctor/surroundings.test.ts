import assert from 'node:assert/strict';
import type { DoctorFacts, FolderFacts, Machine, StateFacts } from '../../../server/doctor/facts.ts';
import { checkFileSystem } from '../../../server/doctor/filesystem.ts';
import { lookAtFolders, silentPaths } from '../../../server/doctor/gather/folders.ts';
import { within } from '../../../server/doctor/gather/limits.ts';
import { NO_STATE } from '../../../server/doctor/gather/state.ts';
import { checkMachine } from '../../../server/doctor/machine.ts';
import { checkState } from '../../../server/doctor/state.ts';
import { facts } from '../../support/doctorFacts.ts';

const MB = 1024 ** 2;

describe('the doctor on file systems', () => {
  const folder = (change: Partial<FolderFacts> = {}): FolderFacts => ({
    role: 'workspace',
    path: '/w',
    mount: { path: '/', type: 'ext4', source: '/dev/sda' },
    remote: false,
    answers: true,
    space: { freeBytes: 50_000 * MB, totalBytes: 100_000 * MB, freeFiles: 1e6 },
    ...change,
  });
  const on = (type: string): Partial<FolderFacts> => ({ mount: { path: '/m', type, source: 'x' }, remote: true });
  const space = (freeBytes: number, freeFiles = 1e6): Partial<FolderFacts> => ({
    space: { freeBytes, totalBytes: 1e12, freeFiles },
  });
  const cases: readonly [string, Partial<FolderFacts>, RegExp | null][] = [
    ['a local disk with room', {}, null],
    ['a workspace on NFS', on('nfs4'), /^warn: the workspace lies on nfs4/],
    ['a workspace on a drive of Windows', on('9p'), /^warn: the workspace lies on 9p/],
    [
      'state on a network file system',
      { ...on('cifs'), role: 'state directory' },
      /^warn: the state directory .* cifs/,
    ],
    ['a mount that does not answer', { ...on('nfs'), answers: false, space: null }, /^error: .* does not answer/],
    ['a full disk', space(3 * MB), /^error: the disk of \/ \(workspace\) is full: 3MB left/],
    ['a nearly full disk', space(200 * MB), /^warn: .* nearly full/],
    ['a disk that can take few more files', space(1e12, 500), /^warn: .* only 500 more files/],
    ['a disk that can take no more files', space(1e12, 0), /^error: .* only 0 more files/],
  ];
  for (const [what, change, wanted] of cases) {
    it(`${wanted === null ? 'has nothing to say of' : 'tells of'} ${what}`, () => {
      const { machine } = facts();
      const said = checkFileSystem(facts({ machine: { ...machine, folders: [folder(change)] } }));
      if (wanted === null) assert.deepEqual(said, []);
      else assert.match(`${said[0]?.level}: ${said[0]?.message}`, wanted);
    });
  }

  it('tells of a disk that holds both folders once', () => {
    const both = (['workspace', 'state directory'] as const).map((role) => folder({ role, ...space(200 * MB) }));
    assert.equal(checkFileSystem(facts({ machine: { ...facts().machine, folders: both } })).length, 1);
  });

  it('touches nothing on a network mount that does not answer', async () => {
    const mounts = [
      { path: '/', type: 'ext4', source: '' },
      { path: '/dead', type: 'nfs4', source: 'server:/x' },
    ];
    const asked: string[] = [];
    const eyes = { mounts, answers: async (path: string) => asked.push(path) === 0 };
    const [workspace, state] = await lookAtFolders('/dead/w', '/tmp', eyes);
    assert.deepEqual([workspace?.answers, workspace?.space, state?.answers], [false, null, true]);
    assert.deepEqual(await silentPaths(['/dead/w', '/tmp'], eyes), ['/dead/w']);
    assert.deepEqual(asked, ['/dead', '/dead']);
  });

  it('waits for no look that hangs', async () => {
    assert.equal(await within(10, new Promise<string>(() => {}), 'otherwise'), 'otherwise');
    assert.equal(await within(10, Promise.reject(new Error('x')), 'otherwise'), 'otherwise');
    assert.equal(await within(1000, Promise.resolve('seen'), 'otherwise'), 'seen');
  });
});

describe('the doctor on the machine', () => {
  const base = facts().machine;
  const given = (change: Partial<Machine>, more: Partial<DoctorFacts['machine']> = {}): DoctorFacts =>
    facts({ machine: { ...base, ...more, machine: { ...base.machine, ...change } } });
  const cases: readonly [string, DoctorFacts, RegExp | null][] = [
    ['a machine as it should be', given({}), null],
    ['an old Node', given({ node: '20.11.0' }), /^error: this is Node 20\.11\.0/],
    ['WSL', given({ wsl: true }), /^info: this is WSL/],
    ['a container', given({ container: 'docker', init: 'node' }), /^info: .* container \(docker, process 1 is node\)/],
    [
      'a process 1 that does not reap',
      given({ init: 'node' }, { unreaped: 80 }),
      /^warn: process 1 \(node\) .* 80 dead/,
    ],
    ['a process 1 that reaps late', given({}, { unreaped: 3 }), null],
    [
      'few watches',
      given({ inotify: { watches: 8192, instances: 512 } }),
      /^warn: fs\.inotify\.max_user_watches is 8192/,
    ],
    ['few instances', given({ inotify: { watches: 1e6, instances: 64 } }), /^warn: .*max_user_instances is 64/],
    ['no instance left', given({ watchFailure: 'EMFILE' }), /^error: no file can be watched \(EMFILE\)/],
    ['few files', given({ openFiles: 256 }), /^warn: a process may open only 256 files/],
    ['no limit', given({ openFiles: null }), null],
    [
      'a supervisor with few left',
      given({}, { supervisorFiles: { open: 900, limit: 1024 } }),
      /^error: .* 900 of at most/,
    ],
    ['a supervisor without limit', given({}, { supervisorFiles: { open: 900, limit: null } }), null],
  ];
  for (const [what, machine, wanted] of cases) {
    it(`${wanted === null ? 'has nothing to say of' : 'tells of'} ${what}`, () => {
      const said = checkMachine(machine);
      if (wanted === null) assert.deepEqual(said, []);
      else assert.match(`${said[0]?.level}: ${said[0]?.message}`, wanted);
    });
  }
});

describe('the doctor on the state directory', () => {
  const state = (change: Partial<StateFacts>, more: Partial<DoctorFacts> = {}): DoctorFacts =>
    facts({ state: { ...NO_STATE, ...change }, ...more });
  const cases: readonly [string, DoctorFacts, RegExp | null][] = [
    ['nothing', state({}), null],
    ['evidence', state({ aside: ['/s/a.corrupt'] }), /^info: set aside/],
    ['files of others', state({ foreign: ['/s/a'] }), /^error: files of other users/],
    ['files that others may change', state({ open: ['/s/a'] }), /^warn: other users may change/],
    ['a torn journal', state({ journalTorn: true }), /^info: the last line of the journal/],
    ['a journal that is being written', state({ journalTorn: true }, { holder: 'alive' }), null],
    ['a line that is none', state({ journalSkipped: 1 }), /^info: 1 line of the newest/],
    ['a torn exit record', state({ tornExits: ['/s/exits/a.json'] }), /^warn: exit records .* a\.json/],
    ['a torn run', state({ tornRuns: ['/s/runs/a/run.json'] }), /^warn: runs that cannot/],
    ['a half-written file', state({ abandoned: ['/s/.a.tmp'] }), /^info: half-written/],
    ['a socket', state({ sockets: ['/r/a.sock'] }), /^info: sockets of earlier/],
    ['a forgotten exit record', state({ forgottenExits: ['/s/exits/a.json'] }), /^info: 1 exit record belongs/],
  ];
  for (const [what, given, wanted] of cases) {
    it(`${wanted === null ? 'has nothing to say of' : 'tells of'} ${what}`, () => {
      const said = checkState(given);
      if (wanted === null) assert.deepEqual(said, []);
      else assert.match(`${said[0]?.level}: ${said[0]?.message}`, wanted);
    });
  }
});
