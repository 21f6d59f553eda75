import assert from 'node:assert/strict';
import { join } from 'node:path';
import { startTree } from '../../../server/service/tree.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { unitHost } from '../../support/unitHost.ts';

describe('a tree whose leader has ended', () => {
  after(removeTemporaryFolders);

  it('is proven empty by the end of its keeper, without a look at every process of the machine', async () => {
    const { status, proof } = await concluded('exit 3');
    assert.deepEqual([status.code, proof.emptyScans, proof.survivors], [3, 0, []]);
  });

  it('is looked for among all processes when it has left somebody', async () => {
    const { proof } = await concluded('sleep 1000 & exit 3');
    assert.deepEqual([proof.confirmed.length, proof.emptyScans >= 2, proof.survivors], [1, true, []]);
  });

  it('is looked for as well when one has left its session and its environment', async () => {
    const { proof } = await concluded('(setsid env -i sleep 1000 &); sleep 0.1; exit 3');
    assert.deepEqual([proof.confirmed.length, proof.emptyScans >= 2, proof.survivors], [1, true, []]);
  });
});

async function concluded(script: string) {
  const { host, close } = unitHost('reaped');
  const { root } = host;
  const started = await startTree(host, {
    key: 'service/web',
    name: 'web',
    role: 'service',
    incarnation: 1,
    owner: { kind: 'configuration' },
    onSupervisorLoss: 'adopt',
    command: { kind: 'shell', script },
    cwd: root,
    baseEnvironment: process.env,
    env: {},
    envFiles: [],
    stdin: 'ignore',
    port: null,
    logPath: join(root, 'web.log'),
  });
  assert.ok(started.ok);
  const end = await started.tree.conclude();
  close();
  return end;
}
