import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, liveness } from '../../../server/process/identity.ts';
import { runHelper } from '../../../server/process/launch.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const sh = (script: string): [string, ...string[]] => ['/bin/sh', '-c', script];

describe('runHelper', () => {
  after(removeTemporaryFolders);

  it('gives output and exit code of a command that ran to its end', async () => {
    const result = await runHelper(sh('echo out; echo err >&2; exit 3'), { timeoutMs: 5000 });
    assert.deepEqual(result, { ok: true, code: 3, signal: null, stdout: 'out\n', stderr: 'err\n' });
  });

  it('kills the whole group when the time is over', async () => {
    const note = join(temporaryFolder('helper'), 'pid');
    const result = await runHelper(sh(`sleep 60 & echo $! > ${note}; wait`), { timeoutMs: 300 });
    assert.ok(!result.ok && result.reason === 'timeout');
    const pid = Number(readFileSync(note, 'utf8'));
    await until('the end of the background child', () => {
      const identity = identify(pid);
      return identity === null || liveness(identity) !== 'alive';
    });
  });

  it('does not wait for a background child that holds the pipes', async () => {
    const began = performance.now();
    const result = await runHelper(sh('sleep 3 & echo done'), { timeoutMs: 4000 });
    assert.ok(result.ok && result.stdout === 'done\n');
    assert.ok(performance.now() - began < 2000);
  });

  it('stops a command that prints without end', async () => {
    const result = await runHelper(['/usr/bin/yes'], { timeoutMs: 5000, maxBytes: 10_000 });
    assert.ok(!result.ok && result.reason === 'too_much_output');
    assert.ok(result.stdout.length <= 10_000);
  });

  it('says that a command does not exist', async () => {
    const result = await runHelper(['/no/such/command'], { timeoutMs: 1000 });
    assert.ok(!result.ok && result.reason === 'spawn_error' && result.detail === 'ENOENT');
  });

  it('ends upon a signal to abort', async () => {
    const stop = new AbortController();
    const result = runHelper(sh('sleep 60'), { timeoutMs: 50_000, signal: stop.signal });
    stop.abort();
    const { ok } = await result;
    assert.equal(ok, false);
  });

  it('gives the command no input and no mark of a host (R108)', async () => {
    process.env.CLAUDECODE = '1';
    const result = await runHelper(sh('read line || echo "end$CLAUDECODE"'), { timeoutMs: 5000 });
    delete process.env.CLAUDECODE;
    assert.ok(result.ok && result.stdout === 'end\n');
  });
});
