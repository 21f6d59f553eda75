import assert from 'node:assert/strict';
import { FrameGuard } from '../../../server/api/guard.ts';
import { MAX_MESSAGE_BYTES } from '../../../server/api/protocol.ts';

const frame = (body: string): Buffer => Buffer.from(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);

/** Feeds the pieces and gives what came through, and the error if there was one. */
async function pass(pieces: readonly Buffer[]): Promise<{ output: string; error: string | null }> {
  const guard = new FrameGuard();
  const output: Buffer[] = [];
  let error: string | null = null;
  guard.on('data', (chunk: Buffer) => {
    output.push(chunk);
  });
  const closed = new Promise<void>((resolve) => guard.once('close', resolve));
  guard.on('error', (failure) => {
    error = failure.message;
  });
  for (const piece of pieces) if (error === null) guard.write(piece);
  guard.end();
  await closed;
  return { output: Buffer.concat(output).toString(), error };
}

describe('frame guard', () => {
  it('lets well-framed messages through unchanged, however they are cut', async () => {
    const whole = Buffer.concat([frame('{"a":1}'), frame('{"b":"Ä"}'), frame('')]);
    for (let size = 1; size < 40; size += 1) {
      const pieces: Buffer[] = [];
      for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
      assert.deepEqual(await pass(pieces), { output: whole.toString(), error: null });
    }
  });

  it('refuses a message that announces more than the limit before any of it is read', async () => {
    const { error } = await pass([Buffer.from(`Content-Length: ${MAX_MESSAGE_BYTES + 1}\r\n\r\n`)]);
    assert.match(error ?? '', /are allowed/);
  });

  it('refuses a header that never ends', async () => {
    const { error } = await pass([Buffer.alloc(5000, 'x')]);
    assert.equal(error, 'a header without end');
  });

  for (const header of [
    'GET / HTTP/1.1',
    'Content-Length: -1',
    'Content-Length: 1e3',
    'Content-Type: x',
    'Content-Length: ',
  ]) {
    it(`refuses the header ${JSON.stringify(header)}`, async () => {
      const { error } = await pass([Buffer.from(`${header}\r\n\r\nabc`)]);
      assert.equal(error, 'a header that is not of the protocol');
    });
  }
});
