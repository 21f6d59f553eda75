import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { endpointProblem, planEndpoint, resolveWorkspace, type Workspace } from '../../../server/store/paths.ts';
import { markerPath, type WorkspaceFailure } from '../../../server/store/workspace.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

describe('finding a workspace and its state', () => {
  let home: string;
  let root: string;
  let environment: NodeJS.ProcessEnv;

  beforeEach(() => {
    const base = temporaryFolder('store');
    home = join(base, 'home');
    root = join(base, 'project');
    mkdirSync(home);
    mkdirSync(root);
    environment = { HOME: home };
  });

  after(removeTemporaryFolders);

  function resolve(cwd = root, env = environment): Workspace {
    const result = resolveWorkspace(cwd, { environment: env });
    assert.ok(result.ok, JSON.stringify(result));
    return result.workspace;
  }

  function refusal(): WorkspaceFailure {
    const result = resolveWorkspace(root, { environment });
    assert.ok(!result.ok);
    return result.failure;
  }

  /** Makes a state directory as a supervisor does. */
  function makeState(stateDir: string, workspace: Workspace): void {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const { id, folder } = workspace;
    writeFileSync(markerPath(stateDir), JSON.stringify({ id, root: workspace.root, folder }));
  }

  function point(stateDir: string, id = 'whatever'): void {
    mkdirSync(join(root, '.coppice'), { recursive: true });
    writeFileSync(join(root, '.coppice/workspace.json'), JSON.stringify({ id, stateDir }));
  }

  it('is the nearest folder upwards with a configuration', () => {
    for (const name of ['coppice.yaml', 'coppice.yml', 'coppice.json', 'coppice.jsonc']) {
      const project = join(root, name.replace('.', '-'));
      mkdirSync(join(project, 'src/deep'), { recursive: true });
      writeFileSync(join(project, name), '');
      assert.equal(resolve(join(project, 'src/deep')).root, project);
    }
  });

  it('is the nearest folder upwards with a .coppice folder', () => {
    mkdirSync(join(root, '.coppice'));
    mkdirSync(join(root, 'src'));
    assert.equal(resolve(join(root, 'src')).root, root);
  });

  it('is the folder itself where there is nothing upwards, and always with exact', () => {
    mkdirSync(join(root, 'src'));
    assert.equal(resolve(join(root, 'src')).root, join(root, 'src'));
    writeFileSync(join(root, 'coppice.json'), '{}');
    const exact = resolveWorkspace(join(root, 'src'), { exact: true, environment });
    assert.ok(exact.ok);
    assert.equal(exact.workspace.root, join(root, 'src'));
  });

  it('is the same by any path to it', () => {
    const link = join(dirname(root), 'link');
    symlinkSync(root, link);
    assert.equal(resolve(link).id, resolve().id);
  });

  it('differs for two folders', () => {
    mkdirSync(join(root, 'a'));
    mkdirSync(join(root, 'b'));
    assert.notEqual(resolve(join(root, 'a')).id, resolve(join(root, 'b')).id);
  });

  it('is a failure where there is no folder', () => {
    const result = resolveWorkspace(join(root, 'none'), { environment });
    assert.equal(result.ok ? null : result.failure.reason, 'no_folder');
  });

  it("has its state under $COPPICE_STATE_HOME, else $XDG_STATE_HOME, else the platform's place", () => {
    const { id } = resolve();
    const state = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform = 'linux'): string | null => {
      const result = resolveWorkspace(root, { environment: { HOME: home, ...env }, platform });
      return result.ok ? result.workspace.stateDir : null;
    };
    assert.equal(state({ COPPICE_STATE_HOME: '/c', XDG_STATE_HOME: '/x' }), `/c/coppice/${id}`);
    assert.equal(state({ XDG_STATE_HOME: '/x' }), `/x/coppice/${id}`);
    assert.equal(state({}), `${home}/.local/state/coppice/${id}`);
    assert.equal(state({}, 'darwin'), `${home}/Library/Application Support/coppice/${id}`);
    assert.equal(state({ LOCALAPPDATA: '/l' }, 'win32'), `/l/coppice/${id}`);
  });

  it('ignores a relative state home and says so', () => {
    const workspace = resolve(root, { HOME: home, XDG_STATE_HOME: 'state' });
    assert.equal(dirname(dirname(workspace.stateDir)), join(home, '.local/state'));
    assert.deepEqual(workspace.findings, [
      { kind: 'variable_ignored', variable: 'XDG_STATE_HOME', reason: 'not_absolute' },
    ]);
  });

  it('finds the same state whatever the HOME of who comes next (R102)', () => {
    const first = resolve();
    makeState(first.stateDir, first);
    point(first.stateDir);
    const second = resolve(root, { HOME: '/nowhere', XDG_STATE_HOME: '/elsewhere' });
    assert.equal(second.stateDir, first.stateDir);
    assert.equal(second.id, first.id);
    assert.deepEqual(second.findings, []);
  });

  it('keeps state and id when the folder is moved', () => {
    const first = resolve();
    makeState(first.stateDir, first);
    point(first.stateDir);
    const moved = join(dirname(root), 'moved');
    renameSync(root, moved);
    assert.deepEqual([resolve(moved).id, resolve(moved).stateDir], [first.id, first.stateDir]);
  });

  it('does not give a copy of the folder the state of the original', () => {
    const first = resolve();
    makeState(first.stateDir, first);
    point(first.stateDir);
    const copy = join(dirname(root), 'copy');
    cpSync(root, copy, { recursive: true });
    const second = resolve(copy);
    assert.notEqual(second.stateDir, first.stateDir);
    assert.deepEqual(second.findings, [
      { kind: 'state_dir_ignored', stateDir: first.stateDir, reason: 'marked_for_other' },
    ]);
  });

  describe('does not use a state directory that .coppice names and', () => {
    const cases: [string, string, (stateDir: string, workspace: Workspace) => void][] = [
      ['is missing', 'missing', (stateDir) => rmSync(stateDir, { recursive: true })],
      ['others can read', 'not_private', (stateDir) => chmodSync(stateDir, 0o750)],
      ['others can write', 'not_private', (stateDir) => chmodSync(stateDir, 0o777)],
      ['is a link', 'symlink', replaceByLink],
      ['is a file', 'not_a_folder', replaceByFile],
      ['has no marker', 'not_marked', (stateDir) => rmSync(markerPath(stateDir))],
      [
        'has a marker of another workspace',
        'marked_for_other',
        (stateDir, workspace) => makeState(stateDir, { ...workspace, folder: '1:2' }),
      ],
      ['has a marker that is a link', 'not_marked', (stateDir) => replaceByLink(markerPath(stateDir))],
    ];
    for (const [title, reason, spoil] of cases) {
      it(title, () => {
        const stateDir = join(home, 'foreign');
        makeState(stateDir, resolve());
        spoil(stateDir, { ...resolve(), root: '/other' });
        point(stateDir);
        const workspace = resolve();
        assert.deepEqual(workspace.findings, [{ kind: 'state_dir_ignored', stateDir, reason }]);
        assert.equal(dirname(dirname(workspace.stateDir)), join(home, '.local/state'));
      });
    }

    it('lies within the workspace, as a clone could bring it', () => {
      const stateDir = join(root, 'state');
      makeState(stateDir, resolve());
      point(stateDir);
      assert.deepEqual(resolve().findings, [{ kind: 'state_dir_ignored', stateDir, reason: 'inside_workspace' }]);
    });

    it('is no absolute path', () => {
      point('../state');
      assert.deepEqual(resolve().findings, [
        { kind: 'state_dir_ignored', stateDir: '../state', reason: 'not_absolute' },
      ]);
    });

    if (process.getuid?.() === 0) {
      it('belongs to another user', async () => {
        const { chownSync } = await import('node:fs');
        const stateDir = join(home, 'foreign');
        makeState(stateDir, resolve());
        chownSync(stateDir, 12345, 12345);
        point(stateDir);
        assert.deepEqual(resolve().findings, [{ kind: 'state_dir_ignored', stateDir, reason: 'other_owner' }]);
      });
    }
  });

  it('reports a workspace file that cannot be understood', () => {
    mkdirSync(join(root, '.coppice'));
    writeFileSync(join(root, '.coppice/workspace.json'), '{"id": ');
    assert.deepEqual(resolve().findings, [
      { kind: 'workspace_file_corrupt', path: join(root, '.coppice/workspace.json') },
    ]);
  });

  it('refuses its own state directory when it is a link or open to others', () => {
    const { stateDir } = resolve();
    mkdirSync(stateDir, { recursive: true, mode: 0o755 });
    assert.deepEqual(refusal(), { reason: 'state_dir_refused', stateDir, problem: 'not_private' });
    rmSync(stateDir, { recursive: true });
    symlinkSync(home, stateDir);
    assert.deepEqual(refusal(), { reason: 'state_dir_refused', stateDir, problem: 'symlink' });
  });
});

function replaceByLink(path: string): void {
  renameSync(path, `${path}-real`);
  symlinkSync(`${path}-real`, path);
}

function replaceByFile(path: string): void {
  rmSync(path, { recursive: true });
  writeFileSync(path, '');
}

describe('choosing an endpoint', () => {
  const id = '0123456789abcdef';
  let base: string;

  beforeEach(() => {
    base = temporaryFolder('endpoint');
  });

  after(removeTemporaryFolders);

  function plan(environment: NodeJS.ProcessEnv): { path: string; findings: readonly unknown[] } {
    const result = planEndpoint(id, { environment });
    assert.ok(result.ok, JSON.stringify(result));
    return result.endpoint;
  }

  it('takes a private $XDG_RUNTIME_DIR', () => {
    chmodSync(base, 0o700);
    const { path, findings } = plan({ XDG_RUNTIME_DIR: base });
    assert.equal(dirname(path), join(base, 'coppice'));
    assert.deepEqual(findings, []);
  });

  it('takes a folder of the user under the temporary one where $XDG_RUNTIME_DIR is open to others, and says so', () => {
    chmodSync(base, 0o755);
    const { path, findings } = plan({ XDG_RUNTIME_DIR: base, TMPDIR: base });
    assert.equal(dirname(path), join(base, `coppice-${process.getuid?.()}`));
    assert.deepEqual(findings, [{ kind: 'runtime_dir_ignored', path: base, reason: 'not_private' }]);
  });

  it('refuses a folder under the temporary one that somebody made a link', () => {
    symlinkSync('/tmp', join(base, `coppice-${process.getuid?.()}`));
    const result = planEndpoint(id, { environment: { TMPDIR: base } });
    assert.equal(result.ok ? null : result.failure.problem, 'symlink');
  });

  it("never plans a path that is longer than a socket's may be", () => {
    const long = join(base, 'x'.repeat(100));
    mkdirSync(long, { mode: 0o700 });
    const { path, findings } = plan({ XDG_RUNTIME_DIR: long, TMPDIR: long });
    assert.ok(Buffer.byteLength(path) <= 107, path);
    assert.deepEqual(findings, [{ kind: 'runtime_dir_ignored', path: long, reason: 'too_long' }]);
  });

  it('never plans the same path twice, so that a supervisor can only remove its own socket', () => {
    assert.notEqual(plan({ TMPDIR: base }).path, plan({ TMPDIR: base }).path);
  });

  it('objects to a socket in a folder that others can enter', () => {
    chmodSync(base, 0o755);
    assert.equal(endpointProblem(join(base, 'x.sock')), 'not_private');
    chmodSync(base, 0o700);
    assert.equal(endpointProblem(join(base, 'x.sock')), null);
    assert.equal(endpointProblem('x.sock'), 'not_absolute');
  });
});
