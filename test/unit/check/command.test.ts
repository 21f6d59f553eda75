import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { transformSync } from 'esbuild';

const file = join(import.meta.dirname, '../../../server/cli/coppice.cjs');
const text = readFileSync(file, 'utf8');

interface Outcome {
  exitCode: number | null;
  stderr: string;
  required: string[];
  spawned: { program: string; words: string[]; env: Record<string, string> }[];
}

/** Runs the command's first lines as a Node of `version` would, with `existing` the only files there are. */
function runUnder(version: string, existing: readonly string[], env: Record<string, string> = {}): Outcome {
  const outcome: Outcome = { exitCode: null, stderr: '', required: [], spawned: [] };
  const modules: Record<string, unknown> = {
    path: { join: (...parts: string[]) => join(...parts), dirname: (path: string) => join(path, '..') },
    fs: { existsSync: (path: string) => existing.includes(path) },
    './cli.cjs': {},
    module: {},
    child_process: {
      spawn: (program: string, words: string[], options: { env: Record<string, string> }) => {
        outcome.spawned.push({ program, words, env: options.env });
        return { on: () => {}, kill: () => {} };
      },
    },
  };
  const fakeProcess = {
    argv: ['node', 'coppice', 'ps', '--json'],
    env,
    execPath: '/usr/bin/node',
    platform: 'linux',
    version: `v${version}`,
    versions: { node: version },
    stdin: { isTTY: false },
    stderr: { write: (words: string) => (outcome.stderr += words) },
    on: () => {},
    exit: (code: number) => (outcome.exitCode = code),
  };
  const require = (name: string): unknown => {
    outcome.required.push(name);
    return modules[name];
  };
  runInNewContext(text.replace(/^#!.*/, ''), {
    require,
    process: fakeProcess,
    __dirname: '/home/u/app/node_modules/coppice/dist',
    __filename: '/home/u/app/node_modules/coppice/dist/coppice.cjs',
  });
  return outcome;
}

describe('the first lines of the command', () => {
  it('are written in ES5, so that any Node can say what is wrong', () => {
    const options = { loader: 'js', minify: true } as const;
    const es5 = transformSync(text, { ...options, target: 'es5' }).code;
    assert.equal(
      es5,
      transformSync(text, { ...options, target: 'esnext', supported: { arrow: false, 'template-literal': false } })
        .code,
    );
  });

  it('run the command under Node 22', () => {
    assert.equal(runUnder('22.0.0', []).required.includes('./cli.cjs'), true);
  });

  for (const version of ['0.10.48', '8.17.0', '20.19.0', '21.9.9']) {
    it(`say what to do under Node ${version} and exit 64`, () => {
      const { exitCode, stderr, required } = runUnder(version, []);
      assert.equal(exitCode, 64);
      assert.match(stderr, /needs Node\.js 22 or newer, this is v/);
      assert.match(stderr, /npm install --save-dev node@24/);
      assert.equal(required.includes('./cli.cjs'), false);
    });
  }

  for (const found of [
    '/home/u/app/node_modules/coppice/node_modules/node/bin/node',
    '/home/u/app/node_modules/node/bin/node',
  ]) {
    it(`go on under ${found} when the Node that runs them is too old`, () => {
      const { spawned, exitCode } = runUnder('20.19.0', [found], { HOME: '/home/u' });
      assert.equal(exitCode, null);
      assert.deepEqual(
        [...(spawned[0]?.words ?? [])],
        ['/home/u/app/node_modules/coppice/dist/coppice.cjs', 'ps', '--json'],
      );
      assert.equal(spawned[0]?.program, found);
      assert.equal(spawned[0]?.env.HOME, '/home/u');
    });
  }

  it('do not start themselves without end when the Node that was found is too old as well', () => {
    const found = '/home/u/app/node_modules/node/bin/node';
    const { spawned, exitCode } = runUnder('20.19.0', [found], { COPPICE_NODE_FOUND: '1' });
    assert.deepEqual(spawned, []);
    assert.equal(exitCode, 64);
  });
});
