import assert from 'node:assert/strict';
import { FrameReader } from '../../../server/api/frames.ts';

function frame(text: string): string {
  return `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

function read(chunks: readonly (string | Buffer)[]): { bodies: string[]; good: boolean } {
  const bodies: string[] = [];
  const reader = new FrameReader((body) => bodies.push(body.toString()));
  const good = chunks.every((chunk) => reader.push(Buffer.from(chunk as string)));
  return { bodies, good };
}

describe('the frames of the protocol', () => {
  it('are read however the stream is cut', () => {
    const stream = Buffer.from(frame('{"a":"é"}') + frame('') + frame('[]'));
    for (let size = 1; size <= stream.length; size += 1) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size));
      assert.deepEqual(read(chunks), { bodies: ['{"a":"é"}', '', '[]'], good: true });
    }
  });

  it('may carry other headers', () => {
    assert.deepEqual(read(['Content-Type: x\r\nContent-Length: 2\r\n\r\n{}']), { bodies: ['{}'], good: true });
  });

  for (const [what, text] of [
    ['no length', 'X: 1\r\n\r\n{}'],
    ['a length that is no number', 'Content-Length: x\r\n\r\n{}'],
    ['a length beyond the limit', 'Content-Length: 999999999\r\n\r\n{}'],
    ['a header without end', 'a'.repeat(2000)],
  ] as const) {
    it(`are refused with ${what}`, () => assert.equal(read([text]).good, false));
  }
});
