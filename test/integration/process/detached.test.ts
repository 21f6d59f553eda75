import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DetachedProcess, type DetachedRequest, launchDetached } from '../../../server/process/launchDetached.ts';
import { readProcessTable } from '../../../server/process/table.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const COMPLAINER = fileURLToPath(new URL('../../support/programs/complainer.mjs', import.meta.url));

describe('launchDetached', () => {
  after(removeTemporaryFolders);

  it('starts a program in a session of its own with the options of its interpreter', async () => {
    const started = await detached({
      argv: [process.execPath, '-e', 'console.error(process.execArgv[0])'],
      execArgv: ['--max-old-space-size=64'],
    });
    const [row, text] = [readProcessTable().rows.get(started.pid), await textOf(started)];
    assert.equal(row?.session, started.pid);
    assert.equal(text.trim(), '--max-old-space-size=64');
  });

  it('gives what an early end had to say, and its code', async () => {
    const started = await detached({ argv: ['/bin/sh', '-c', 'echo "held by another" >&2; exit 2'] });
    assert.equal(await textOf(started), 'held by another\n');
    assert.deepEqual(await started.exited, { code: 2, signal: null });
  });

  it('lets go of a program that lives on and complains to nobody', async () => {
    const folder = temporaryFolder('detached');
    const [gate, proof] = [join(folder, 'gate'), join(folder, 'proof')];
    const started = await detached({ argv: [process.execPath, COMPLAINER, gate, proof] });
    await new Promise((resolve) => started.stderr.once('data', resolve));
    started.release();
    writeFileSync(gate, '');
    await until('a sign of life', () => existsSync(proof) && readFileSync(proof, 'utf8').includes(String(started.pid)));
  });

  it('is not blocked by a reader that does not read', async () => {
    const started = await detached({ argv: ['/bin/sh', '-c', 'head -c 3000000 /dev/zero >&2; exit 3'] });
    assert.deepEqual(await started.exited, { code: 3, signal: null });
    started.release();
  });

  it('hands on only the environment that it is given', async () => {
    const started = await detached({ argv: ['/bin/sh', '-c', 'env >&2'], env: { ONLY: 'this' } });
    const names = (await textOf(started))
      .split('\n')
      .filter((line) => line !== '' && !/^(PWD|SHLVL|_|OLDPWD)=/.test(line));
    assert.deepEqual(names, ['ONLY=this']);
  });

  it('says what failed', async () => {
    const base = { cwd: temporaryFolder('detached'), env: {} };
    const missing = await launchDetached({ ...base, argv: ['/no/such/node'] });
    assert.ok(!missing.ok && missing.failure.reason === 'command_not_found');
    const nowhere = await launchDetached({ ...base, argv: ['/bin/true'], cwd: '/no/such/folder' });
    assert.ok(!nowhere.ok && nowhere.failure.reason === 'bad_cwd');
  });
});

async function detached(request: Partial<DetachedRequest> & Pick<DetachedRequest, 'argv'>): Promise<DetachedProcess> {
  const result = await launchDetached({
    cwd: temporaryFolder('detached'),
    env: { PATH: process.env.PATH ?? '' },
    ...request,
  });
  assert.ok(result.ok);
  return result.process;
}

async function textOf(started: DetachedProcess): Promise<string> {
  let text = '';
  for await (const chunk of started.stderr) text += chunk;
  return text;
}
