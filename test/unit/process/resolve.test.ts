import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CommandSpec } from '../../../server/config/model.ts';
import { type ProgramFiles, resolveCommand, searchPath } from '../../../server/process/resolve.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

const argv = (...words: [string, ...string[]]): CommandSpec => ({ kind: 'argv', argv: words });

describe('resolveCommand', () => {
  after(removeTemporaryFolders);

  it('prefers the tools of the entry, then of the workspace, then PATH', () => {
    const root = temporaryFolder('resolve');
    const cwd = join(root, 'packages', 'web');
    const bin = join(root, 'bin');
    const context = { cwd, workspaceRoot: root, env: { PATH: bin } };
    mkdirSync(cwd, { recursive: true });
    const found: string[] = [];
    for (const place of [
      bin,
      join(root, 'node_modules/.bin'),
      join(cwd, '.venv/bin'),
      join(cwd, 'node_modules/.bin'),
    ]) {
      program(join(place, 'vite'));
      const result = resolveCommand(argv('vite', '--port', '1'), context);
      assert.ok(result.ok);
      assert.deepEqual(result.argv.slice(1), ['--port', '1']);
      found.push(dirname(result.argv[0]));
    }
    assert.deepEqual(found, [
      bin,
      join(root, 'node_modules/.bin'),
      join(cwd, '.venv/bin'),
      join(cwd, 'node_modules/.bin'),
    ]);
  });

  it('does not look above the workspace root', () => {
    const outside = temporaryFolder('resolve');
    const root = join(outside, 'workspace');
    mkdirSync(root);
    program(join(outside, 'node_modules/.bin/vite'));
    assert.equal(resolveCommand(argv('vite'), { cwd: root, workspaceRoot: root, env: {} }).ok, false);
  });

  it('says where it looked', () => {
    const context = { cwd: '/w/web', workspaceRoot: '/w', env: { PATH: '/usr/local/bin:/usr/bin::tools' } };
    assert.deepEqual(resolveCommand(argv('no-such-tool'), context, 'linux'), {
      ok: false,
      failure: {
        reason: 'command_not_found',
        command: 'no-such-tool',
        searched: [
          '/w/web/node_modules/.bin',
          '/w/web/.venv/bin',
          '/w/node_modules/.bin',
          '/w/.venv/bin',
          '/usr/local/bin',
          '/usr/bin',
          '/w/web/tools',
        ],
      },
    });
  });

  it('does not run programs of the current folder because of a stray colon in PATH', () => {
    const cwd = temporaryFolder('resolve');
    program(join(cwd, 'tool'));
    assert.equal(resolveCommand(argv('tool'), { cwd, workspaceRoot: cwd, env: { PATH: ':/usr/bin:' } }).ok, false);
  });

  it('takes a name with a slash as a path from the folder of the entry', () => {
    const cwd = temporaryFolder('resolve');
    program(join(cwd, 'scripts/run'));
    const context = { cwd, workspaceRoot: cwd, env: {} };
    assert.deepEqual(resolveCommand(argv('./scripts/run', 'x'), context), {
      ok: true,
      argv: [join(cwd, 'scripts/run'), 'x'],
    });
    assert.deepEqual(resolveCommand(argv('scripts/nope'), context), {
      ok: false,
      failure: { reason: 'command_not_found', command: 'scripts/nope', searched: [join(cwd, 'scripts/nope')] },
    });
  });

  it('names the file that is there but may not be executed', () => {
    const cwd = temporaryFolder('resolve');
    const file = program(join(cwd, 'bin/tool'), 0o644);
    const expected = { reason: 'not_executable', command: file, detail: 'its execute bit is not set' };
    const byName = resolveCommand(argv('tool'), { cwd, workspaceRoot: cwd, env: { PATH: join(cwd, 'bin') } });
    const byPath = resolveCommand(argv('./bin/tool'), { cwd, workspaceRoot: cwd, env: {} });
    assert.deepEqual([!byName.ok && byName.failure, !byPath.ok && byPath.failure], [expected, expected]);
  });

  it('goes on after one that may not be executed', () => {
    const cwd = temporaryFolder('resolve');
    program(join(cwd, 'one/tool'), 0o644);
    mkdirSync(join(cwd, 'two/tool'), { recursive: true });
    const good = program(join(cwd, 'three/tool'));
    const env = { PATH: ['one', 'two', 'three'].map((name) => join(cwd, name)).join(':') };
    assert.deepEqual(resolveCommand(argv('tool'), { cwd, workspaceRoot: cwd, env }), { ok: true, argv: [good] });
  });

  it('gives a script to the shell as one word', () => {
    const context = { cwd: '/w', workspaceRoot: '/w', env: {} };
    const script = 'echo "a  b" && exit 3';
    assert.deepEqual(resolveCommand({ kind: 'shell', script }, context, 'linux'), {
      ok: true,
      argv: ['/bin/sh', '-c', script],
    });
  });

  describe('on Windows', () => {
    const context = {
      cwd: 'C:\\w',
      workspaceRoot: 'C:\\w',
      env: { Path: '"C:\\Program Files\\nodejs";C:\\tools', PATHEXT: '.COM;.EXE;.CMD', SystemRoot: 'C:\\Windows' },
    };
    const having = (...paths: string[]): ProgramFiles => ({
      look: (path) => (paths.includes(path) ? 'program' : 'absent'),
    });

    it('tries the extensions of PATHEXT in their order', () => {
      const files = having('C:\\Program Files\\nodejs\\npm.cmd', 'C:\\tools\\npm.exe');
      assert.deepEqual(resolveCommand(argv('npm'), context, 'win32', files), {
        ok: true,
        argv: ['C:\\Program Files\\nodejs\\npm.cmd'],
      });
    });

    it('takes a name with its extension as it is', () => {
      const files = having('C:\\tools\\node.exe', 'C:\\tools\\node.exe.cmd');
      assert.deepEqual(resolveCommand(argv('node.exe'), context, 'win32', files), {
        ok: true,
        argv: ['C:\\tools\\node.exe'],
      });
    });

    it('does not run a file without an extension, such as the sh wrapper of npm', () => {
      const files = having('C:\\w\\node_modules\\.bin\\vite', 'C:\\w\\node_modules\\.bin\\vite.cmd');
      assert.deepEqual(resolveCommand(argv('vite'), context, 'win32', files), {
        ok: true,
        argv: ['C:\\w\\node_modules\\.bin\\vite.cmd'],
      });
    });

    it('knows paths by their backslash', () => {
      const files = having('C:\\w\\bin\\run.cmd');
      assert.deepEqual(resolveCommand(argv('bin\\run'), context, 'win32', files), {
        ok: true,
        argv: ['C:\\w\\bin\\run.cmd'],
      });
    });

    it('quotes a script for cmd.exe by its own rule', () => {
      const result = resolveCommand({ kind: 'shell', script: 'echo "a b" & dir' }, context, 'win32');
      assert.deepEqual(result, {
        ok: true,
        argv: ['C:\\Windows\\System32\\cmd.exe', '/d', '/s', '/c', '"echo "a b" & dir"'],
      });
    });
  });
});

describe('searchPath', () => {
  it('goes from the folder of the entry up to the root of the workspace', () => {
    assert.deepEqual(searchPath('/w/a', '/w', 'linux'), [
      '/w/a/node_modules/.bin',
      '/w/a/.venv/bin',
      '/w/node_modules/.bin',
      '/w/.venv/bin',
    ]);
  });

  it('stays in a folder that is not in the workspace', () => {
    assert.deepEqual(searchPath('/elsewhere/a', '/w', 'linux'), [
      '/elsewhere/a/node_modules/.bin',
      '/elsewhere/a/.venv/bin',
    ]);
    assert.equal(searchPath('/wide', '/w', 'linux').length, 2);
  });

  it('ends at the root of the file system', () => {
    assert.deepEqual(searchPath('/', '/', 'linux'), ['/node_modules/.bin', '/.venv/bin']);
    assert.deepEqual(searchPath('/a', '/', 'linux').length, 4);
  });
});

function program(path: string, mode = 0o755): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, mode);
  return path;
}
