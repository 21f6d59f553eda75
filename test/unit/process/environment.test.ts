import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  cleanEnvironment,
  composeEnvironment,
  ENVIRONMENT_RULES,
  stripDebuggerOptions,
} from '../../../server/process/environment.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

const MARKER = 'w/web/1/ab';

describe('cleanEnvironment', () => {
  for (const name of [
    'CLAUDECODE',
    'CLAUDE_CODE_ENTRYPOINT',
    'CLAUDE_CODE_SESSION',
    'MCP_SESSION_ID',
    'VSCODE_CWD',
    'VSCODE_IPC_HOOK_CLI',
    'VSCODE_INSPECTOR_OPTIONS',
    'VSCODE_SOMETHING_NEW',
    'ELECTRON_RUN_AS_NODE',
    'ELECTRON_NO_ASAR',
    'CURSOR_TRACE_ID',
    'GEMINI_CLI',
    'CODEX_SANDBOX',
    'npm_lifecycle_event',
    'npm_package_json',
    'npm_config_user_agent',
    'npm_config_local_prefix',
    'npm_execpath',
    'INIT_CWD',
    'COPPICE_TREE',
    'NODE_CHANNEL_FD',
    'NODE_UNIQUE_ID',
    'NOTIFY_SOCKET',
    'SNAP_NAME',
    'MallocStackLogging',
  ]) {
    it(`removes ${name} (R113)`, () => {
      const { env, removed } = cleanEnvironment({ [name]: 'x', HOME: '/home/u' });
      assert.deepEqual([env, removed], [{ HOME: '/home/u' }, [name]]);
    });
  }

  for (const name of [
    'PATH',
    'HOME',
    'SystemRoot',
    'ComSpec',
    'TEMP',
    'APPDATA',
    'PATHEXT',
    'ANTHROPIC_API_KEY',
    'OPENAI_API_KEY',
    'GITHUB_TOKEN',
    'HTTP_PROXY',
    'http_proxy',
    'no_proxy',
    'npm_config_registry',
    'npm_config_https_proxy',
    'npm_config__authToken',
    'NODE_ENV',
    'NODE_EXTRA_CA_CERTS',
    'LD_PRELOAD',
    'DEBUG',
    'COPPICE_STATE_HOME',
    'SNAP_API_KEY',
    'GIT_ASKPASS',
    'BROWSER',
    'MAKEFLAGS',
  ]) {
    it(`keeps ${name} (R109)`, () => {
      const { env, removed } = cleanEnvironment({ [name]: 'value' });
      assert.deepEqual([env, removed], [{ [name]: 'value' }, []]);
    });
  }

  for (const name of [
    'CLAUDE_CODE_GIT_BASH_PATH',
    'CLAUDE_CODE_OAUTH_TOKEN',
    'CLAUDE_CODE_USE_BEDROCK',
    'CLAUDE_CODE_SKIP_VERTEX_AUTH',
    'CURSOR_API_KEY',
    'ELECTRON_MIRROR',
  ]) {
    it(`keeps ${name} although its prefix goes, and says so (R110, R119)`, () => {
      const { env, removed, preserved } = cleanEnvironment({ [name]: 'value' });
      assert.deepEqual([env, removed, preserved], [{ [name]: 'value' }, [], [name]]);
    });
  }

  it('does not change its source and skips what is undefined (R112)', () => {
    const source = Object.freeze({ CLAUDECODE: '1', A: 'a', B: undefined });
    assert.deepEqual(cleanEnvironment(source).env, { A: 'a' });
    assert.deepEqual(source, { CLAUDECODE: '1', A: 'a', B: undefined });
  });

  it('takes the job server out of reach of a child that does not have its descriptors', () => {
    const { env, removed } = cleanEnvironment({ MAKEFLAGS: ' -j8 --jobserver-auth=3,4', MFLAGS: '-k' });
    assert.deepEqual([env, removed], [{ MFLAGS: '-k' }, ['MAKEFLAGS']]);
  });

  it('removes the askpass program and the browser of an editor, and keeps those of a user', () => {
    const base = {
      GIT_ASKPASS: '/opt/code/resources/app/extensions/git/dist/askpass.sh',
      BROWSER: '/srv/bin/helpers/browser.sh',
      SSH_ASKPASS: '/usr/bin/ksshaskpass',
    };
    assert.deepEqual(cleanEnvironment(base).env, { SSH_ASKPASS: '/usr/bin/ksshaskpass' });
  });

  it('removes the NODE that npm set and keeps that of a user', () => {
    assert.deepEqual(cleanEnvironment({ NODE: '/n', npm_node_execpath: '/n' }).env, {});
    assert.deepEqual(cleanEnvironment({ NODE: '/mine', npm_node_execpath: '/n' }).env, { NODE: '/mine' });
  });

  it('restores what the snap of an editor changed', () => {
    const base = {
      GTK_PATH: '/snap/code/1/gtk',
      GTK_PATH_VSCODE_SNAP_ORIG: '/usr/gtk',
      LOCPATH: '/snap/x',
      LOCPATH_VSCODE_SNAP_ORIG: '',
      SNAP: '/snap/code/1',
    };
    const { env, removed } = cleanEnvironment(base);
    assert.deepEqual(env, { GTK_PATH: '/usr/gtk' });
    assert.deepEqual(removed, ['GTK_PATH_VSCODE_SNAP_ORIG', 'LOCPATH', 'LOCPATH_VSCODE_SNAP_ORIG', 'SNAP']);
  });

  it('knows names in any case on Windows, and only there', () => {
    const base = { vscode_cwd: 'x', ClaudeCode: '1', Npm_Config_User_Agent: 'npm', Electron_Mirror: 'm' };
    assert.deepEqual(cleanEnvironment(base, 'win32').env, { Electron_Mirror: 'm' });
    assert.deepEqual(cleanEnvironment(base, 'linux').env, base);
  });

  it('has a table without a name that is both removed and kept', () => {
    const { exact, preserve } = ENVIRONMENT_RULES;
    const both = exact.filter((name) =>
      preserve.some((item) => (typeof item === 'string' ? item === name : item.test(name))),
    );
    assert.deepEqual(both, []);
  });

  it('is at rest when done twice', () => {
    const once = cleanEnvironment({ ...process.env, CLAUDECODE: '1', NODE_OPTIONS: '--inspect --trace-warnings' });
    const twice = cleanEnvironment(once.env);
    assert.deepEqual([twice.env, twice.removed], [once.env, []]);
  });
});

describe('NODE_OPTIONS', () => {
  for (const [what, options, kept] of [
    ['--inspect', '--inspect', ''],
    ['--inspect with an address', '--inspect=127.0.0.1:9229 --max-old-space-size=4096', '--max-old-space-size=4096'],
    ['--inspect-brk', '--trace-warnings --inspect-brk=0', '--trace-warnings'],
    ['--inspect-port with its port in the next word', '--inspect-port 9230 --no-warnings', '--no-warnings'],
    ['a bootloader', '--require /h/.vscode/extensions/ms-vscode.js-debug/src/bootloader.js', ''],
    ['a bootloader in quotes', '-r "/a b/js-debug/bootloader.js" --no-warnings', '--no-warnings'],
    ['a bootloader after =', '--require="/a b/ms-vscode.js-debug/bootloader.bundle.js" -r ./mine.cjs', '-r ./mine.cjs'],
    ['an imported bootloader', '--import=file:///x/js-debug/bootloader.js', ''],
  ] as const) {
    it(`loses ${what}`, () => {
      assert.equal(stripDebuggerOptions(options), kept);
    });
  }

  for (const options of [
    '--max-old-space-size=4096',
    '  --require ./setup.cjs   --import tsx ',
    '--require /work/.pnp.cjs --experimental-loader file:///work/.pnp.loader.mjs',
    '-r "/a b/dotenv/config.js"',
    '--title "--inspect"',
    '',
  ]) {
    it(`stays as it is: ${JSON.stringify(options)}`, () => {
      assert.equal(stripDebuggerOptions(options), options);
    });
  }

  it('counts as removed when a part of it went, and is gone when nothing is left', () => {
    const part = cleanEnvironment({ NODE_OPTIONS: '--inspect --no-warnings' });
    assert.deepEqual([part.env, part.removed], [{ NODE_OPTIONS: '--no-warnings' }, ['NODE_OPTIONS']]);
    const whole = cleanEnvironment({ NODE_OPTIONS: '--inspect' });
    assert.deepEqual([whole.env, whole.removed], [{}, ['NODE_OPTIONS']]);
  });
});

describe('composeEnvironment', () => {
  after(removeTemporaryFolders);

  const compose = (layers: Partial<Parameters<typeof composeEnvironment>[0]>): Record<string, string> => {
    const composed = composeEnvironment({ base: {}, marker: MARKER, platform: 'linux', ...layers });
    assert.ok(composed.ok);
    return composed.env;
  };

  it('lets files win over the base, the entry over files, and the launcher over the entry', () => {
    const file = join(temporaryFolder('env'), '.env');
    writeFileSync(file, 'A=file\nB=file\nC=file\n');
    const env = compose({
      base: { A: 'base', B: 'base', C: 'base', D: 'base' },
      envFiles: [file],
      entryEnv: { B: 'entry', C: 'entry' },
      extra: { C: 'extra' },
    });
    assert.deepEqual([env.A, env.B, env.C, env.D], ['file', 'entry', 'extra', 'base']);
  });

  it('lets a later file win, and fill in variables of an earlier one', () => {
    const folder = temporaryFolder('env');
    writeFileSync(join(folder, 'one'), 'HOST=a\nNAME=one\n');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the file
    writeFileSync(join(folder, 'two'), 'NAME=two\nURL=http://${HOST}\n');
    const env = compose({ envFiles: [join(folder, 'one'), join(folder, 'two')] });
    assert.deepEqual([env.NAME, env.URL], ['two', 'http://a']);
  });

  it('replaces the marker of an outer tree', () => {
    assert.equal(
      compose({ base: { COPPICE_TREE: 'outer' }, entryEnv: { COPPICE_TREE: 'forged' } }).COPPICE_TREE,
      MARKER,
    );
  });

  it('keeps what the entry asks for although a host could have set it', () => {
    assert.equal(compose({ entryEnv: { NODE_OPTIONS: '--inspect' } }).NODE_OPTIONS, '--inspect');
  });

  it('asks for colours and whole lines', () => {
    const { FORCE_COLOR, CLICOLOR_FORCE, PYTHONUNBUFFERED } = compose({});
    assert.deepEqual([FORCE_COLOR, CLICOLOR_FORCE, PYTHONUNBUFFERED], ['1', '1', '1']);
  });

  it('asks for no colours where the user wants none', () => {
    const env = compose({ entryEnv: { NO_COLOR: '1' } });
    assert.deepEqual([env.FORCE_COLOR, env.CLICOLOR_FORCE, env.CARGO_TERM_COLOR], [undefined, undefined, undefined]);
  });

  it('keeps what the user chose', () => {
    const env = compose({ base: { FORCE_COLOR: '0', PYTHONUNBUFFERED: 'x' } });
    assert.deepEqual([env.FORCE_COLOR, env.PYTHONUNBUFFERED], ['0', 'x']);
  });

  it('puts the tool folders first on PATH, once', () => {
    const env = compose({
      base: { PATH: '/usr/bin:/w/node_modules/.bin::/bin' },
      pathPrefix: ['/w/node_modules/.bin'],
    });
    assert.equal(env.PATH, '/w/node_modules/.bin:/usr/bin:/bin');
  });

  it('writes over a Windows variable under the name that it has', () => {
    const env = compose({
      platform: 'win32',
      base: { Path: 'C:\\a' },
      entryEnv: { path: 'C:\\b' },
      pathPrefix: ['C:\\t'],
    });
    assert.equal(env.Path, 'C:\\t;C:\\b');
    assert.deepEqual(
      Object.keys(env).filter((name) => name.toLowerCase() === 'path'),
      ['Path'],
    );
  });

  it('fails with file and line, and without the value, for a file that it does not understand', () => {
    const file = join(temporaryFolder('env'), '.env');
    writeFileSync(file, 'A=1\nsecret: hunter2\n');
    const composed = composeEnvironment({ base: {}, envFiles: [file], marker: MARKER });
    assert.deepEqual(composed, {
      ok: false,
      failure: { reason: 'environment_file', file, detail: 'line 2: expected NAME=value, found a colon' },
    });
  });

  it('fails for a file that is not there', () => {
    const composed = composeEnvironment({ base: {}, envFiles: ['/no/such/.env'], marker: MARKER });
    assert.ok(!composed.ok && composed.failure.reason === 'environment_file');
    assert.equal(composed.failure.detail, 'does not exist');
  });
});

describe('a frozen base', () => {
  it('gives every caller a copy of its own', () => {
    const base = Object.freeze({ PATH: '/bin', CLAUDECODE: '1' });
    const first = cleanEnvironment(base);
    first.env.PATH = '/changed';
    first.removed.push('PATH');
    assert.deepEqual(cleanEnvironment(base).env, { PATH: '/bin' });
    assert.deepEqual(cleanEnvironment(base).removed, ['CLAUDECODE']);
  });
});
