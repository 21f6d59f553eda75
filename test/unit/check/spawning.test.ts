import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readSources } from '../../check/source.ts';
import { COMMAND_PROLOGUE, checkSpawning, LAUNCHER, SIGNALLER, TREE_LAUNCHERS } from '../../check/spawning.ts';

function findings(path: string, text: string): string[] {
  return checkSpawning([{ path, text }]).map(({ line, message }) => `${line}: ${message}`);
}

describe('spawn lint (R108)', () => {
  const planted: readonly [string, string][] = [
    ['a static import', "import { spawn } from 'node:child_process';\nspawn('ls', [], { env: {} });"],
    ['an import without the node: prefix', "import * as c from 'child_process';\nc.spawn('ls');"],
    ['a default import', 'import c from "node:child_process";\nc.spawn("ls");'],
    ['a re-export', "export { spawn } from 'node:child_process';"],
    ['a dynamic import', "const { spawn } = await import('node:child_process');\nspawn('ls');"],
    ['a require', "const { spawn } = require('child_process');\nspawn('ls');"],
    ['getBuiltinModule', "process.getBuiltinModule('child_process').spawn('ls');"],
    ['a name made of two halves', "const c = await import('node:child_' + 'process');\nc.spawn('ls');"],
    ['a name in a variable', 'export const load = (name: string) => import(name);'],
    ['a template as name', 'const name = "child";\nawait import(`node:${name}_process`);'],
    ['a require of its own', "import { createRequire } from 'node:module';\ncreateRequire(import.meta.url);"],
    ['execa', "import { execa } from 'execa';\nawait execa('ls');"],
    ['cluster', "import cluster from 'node:cluster';\ncluster.fork();"],
    ['process.binding', "(process as any).binding('spawn_sync');"],
    ['process.execve', "process.execve?.('/bin/ls', ['ls'], {});"],
    ['a computed property of process', "const name = 'kill';\n(process as any)[name](1, 9);"],
  ];
  for (const [what, text] of planted) {
    it(`fails on ${what} in a service file`, () => {
      assert.equal(findings('server/service/x.ts', text).length > 0, true);
    });
  }

  it('names the line', () => {
    assert.match(findings('server/cli/x.ts', "\n\nimport 'node:child_process';")[0] ?? '', /^3: starts processes/);
  });

  it('fails in the extension as well', () => {
    assert.equal(findings('extension/x.ts', "import { fork } from 'node:child_process';\nfork('x');").length, 1);
  });

  it('takes no notice of comments, types and words in messages', () => {
    const text = [
      '// import { spawn } from "node:child_process"',
      "import type { ChildProcess } from 'node:child_process';",
      "export const message = 'process kill of a child process';",
      'export type Child = ChildProcess;',
      "export const lazy = () => import('./other.ts');",
      "const match = /a/.exec('a');",
      'export const home = process.env["HOME"];',
    ].join('\n');
    assert.deepEqual(findings('server/service/x.ts', text), []);
  });

  describe('signals', () => {
    for (const text of [
      "process.kill(1, 'SIGTERM');",
      'export const alive = (pid: number) => process.kill(pid, 0);',
      'const { kill } = process;\nkill(1);',
      "import { kill } from 'node:process';\nkill(1);",
    ]) {
      it(`fails on ${JSON.stringify(text)} outside the signaller (R3)`, () => {
        assert.match(findings('server/process/identity.ts', text)[0] ?? '', /sends signals/);
      });
    }

    it('lets the signaller signal', () => {
      assert.deepEqual(findings(SIGNALLER, "process.kill(1, 'SIGTERM');"), []);
    });
  });

  describe('in the launcher', () => {
    const imports = "import { execFile, spawn } from 'node:child_process';\n";

    it('accepts a start with an environment', () => {
      assert.deepEqual(
        findings(LAUNCHER, `${imports}export const go = (env: any) => spawn('x', [], { cwd: '/', env });`),
        [],
      );
    });

    it('fails on a start with no options', () => {
      assert.match(findings(LAUNCHER, `${imports}spawn('x', ['(']);`)[0] ?? '', /^2: spawn\(\) has no env/);
    });

    it('fails on options without env', () => {
      assert.match(findings(LAUNCHER, `${imports}execFile('x', [], { cwd: '/' }, () => {});`)[0] ?? '', /has no env/);
    });

    it('fails on a start through the module as a whole', () => {
      const text = "import * as childProcess from 'node:child_process';\nchildProcess.exec('x', { cwd: '/' });";
      assert.match(findings(LAUNCHER, text)[0] ?? '', /has no env/);
    });

    it('fails on a start through a module that is loaded late', () => {
      const text =
        "export const go = async () => {\n  const { execa } = await import('execa');\n  execa('x', [], { cwd: '/' });\n};";
      assert.match(findings(LAUNCHER, text)[0] ?? '', /has no env/);
    });

    it("fails on this process's own environment handed on", () => {
      assert.match(findings(LAUNCHER, `${imports}spawn('x', [], { env: process.env });`)[0] ?? '', /uncleaned/);
    });

    it('does not take a regular expression for a start', () => {
      assert.deepEqual(findings(LAUNCHER, "export const found = /x/.exec('x');"), []);
    });
  });

  for (const path of TREE_LAUNCHERS) {
    describe(`in ${path}`, () => {
      const start = (options: string) => `import { spawn } from 'node:child_process';\nspawn('x', [], ${options});`;

      it('accepts a start with an environment', () => {
        assert.deepEqual(findings(path, start('{ env: {} }')), []);
      });

      it('fails on options without env', () => {
        assert.match(findings(path, start("{ cwd: '/' }"))[0] ?? '', /has no env/);
      });

      it("fails on this process's own environment handed on", () => {
        assert.match(findings(path, start('{ env: process.env }'))[0] ?? '', /uncleaned/);
      });

      it('fails on execa', () => {
        assert.equal(findings(path, "import { execa } from 'execa';\nexeca('x', { env: {} });").length > 0, true);
      });
    });
  }

  it('holds for the project, whose one exception is the prologue of the command', () => {
    const sources = readSources(join(import.meta.dirname, '../../..'), ['extension', 'server']);
    assert.deepEqual(checkSpawning(sources), []);
    assert.equal(
      sources.some(({ path }) => path === COMMAND_PROLOGUE),
      true,
    );
  });
});
