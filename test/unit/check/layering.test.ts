import assert from 'node:assert/strict';
import { checkLayering } from '../../check/layering.ts';

function findings(path: string, text: string): string[] {
  return checkLayering([{ path, text }]).map(({ line, message }) => `${line}: ${message}`);
}

describe('layering check', () => {
  const upwards: readonly [string, string][] = [
    ['server/process/x.ts', "import { y } from '../store/types.ts';"],
    ['server/process/x.ts', "import type { y } from '../store/types.ts';"],
    ['server/service/x.ts', "import { y } from '../api/protocol.ts';"],
    ['server/service/x.ts', "export { y } from '../task/run.ts';"],
    ['server/service/x.ts', "const y = await import('../language/host.ts');"],
    ['server/service/x.ts', "import {\n  a,\n  y,\n} from '../supervisor.ts';"],
    ['server/supervisor.ts', "import '../server/main.ts';"],
    ['server/config/x.ts', "import { y } from '../process/identity.ts';"],
    ['server/text/x.ts', "import { y } from '../config/model.ts';"],
    ['server/cli/x.ts', "import { y } from '../../extension/main.ts';"],
    ['extension/x.ts', "import { y } from '../server/process/launch.ts';"],
    ['server/cli/x.ts', "import * as vscode from 'vscode';"],
    ['server/cli/x.ts', "import { y } from '../unknown/y.ts';"],
    ['server/unknown/x.ts', 'export const y = 1;'],
  ];
  for (const [path, text] of upwards) {
    it(`fails on ${JSON.stringify(text)} in ${path}`, () => {
      assert.equal(findings(path, text).length, 1);
    });
  }

  const downwards: readonly [string, string][] = [
    ['extension/x.ts', "import { y } from '../server/api/protocol.ts';\nimport * as vscode from 'vscode';"],
    ['extension/x.ts', "import { y } from '../server/service/restartCore.ts';"],
    ['server/cli/verbs/x.ts', "import { y } from '../../api/client.ts';"],
    ['server/main.ts', "import { y } from './supervisor.ts';"],
    ['server/service/probes/x.ts', "import { y } from '../../process/types.ts';\nimport { z } from '../status.ts';"],
    ['server/config/x.ts', "import { y } from '../text/units.ts';\nimport { z } from 'zod';"],
    ['server/process/x.ts', " * import { y } from '../store/types.ts';"],
  ];
  for (const [path, text] of downwards) {
    it(`accepts ${JSON.stringify(text)} in ${path}`, () => {
      assert.deepEqual(findings(path, text), []);
    });
  }

  it('names the line of the import', () => {
    assert.match(findings('server/process/x.ts', "\n\nimport { y } from '../api/server.ts';")[0] ?? '', /^3: /);
  });
});
