import { Transform, type TransformCallback } from 'node:stream';
import { MAX_MESSAGE_BYTES } from './protocol.ts';

/** A client may say `Content-Length` and `Content-Type`; more than this before the blank line is not our protocol. */
const MAX_HEADER_BYTES = 1024;

/**
 * So many messages may have come through and not been taken up yet; then the socket is not read on until they are. A
 * client that sends faster than it is served would otherwise fill the memory and, each of its messages costing a turn
 * of the event loop, keep everybody else waiting.
 */
const MOST_WAITING = 100;

/**
 * Lets through only what is framed as the protocol says (`Content-Length: n`, blank line, n bytes; n within the
 * limit) and fails at the first byte that is not, so that a client which speaks something else can neither make the
 * supervisor gather bytes without end nor keep a connection.
 */
export class FrameGuard extends Transform {
  #header = Buffer.alloc(0);
  #bodyLeft = 0;
  #waiting = 0;
  #held: TransformCallback | null = null;

  /** One more of the messages that came through was taken up. */
  taken(): void {
    this.#waiting -= 1;
    if (this.#held === null || this.#waiting > MOST_WAITING) return;
    const done = this.#held;
    this.#held = null;
    done();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const problem = this.#problem(chunk);
    if (problem !== null) {
      done(new Error(problem));
      return;
    }
    this.push(chunk);
    if (this.#waiting > MOST_WAITING) this.#held = done;
    else done();
  }

  /** Follows the framing through one more chunk; what is wrong with it, in words. */
  #problem(chunk: Buffer): string | null {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#bodyLeft > 0) {
        const body = rest.subarray(0, this.#bodyLeft);
        this.#bodyLeft -= body.length;
        rest = rest.subarray(body.length);
        continue;
      }
      const before = this.#header.length;
      this.#header = Buffer.concat([this.#header, rest.subarray(0, MAX_HEADER_BYTES)]);
      const end = this.#header.indexOf('\r\n\r\n');
      if (end === -1) {
        if (this.#header.length >= MAX_HEADER_BYTES) return 'a header without end';
        rest = rest.subarray(Math.min(rest.length, MAX_HEADER_BYTES));
        continue;
      }
      const length = contentLength(this.#header.subarray(0, end).toString('latin1'));
      if (length === null) return 'a header that is not of the protocol';
      if (length > MAX_MESSAGE_BYTES) return `a message of ${length} bytes; ${MAX_MESSAGE_BYTES} are allowed`;
      rest = rest.subarray(end + 4 - before);
      this.#header = Buffer.alloc(0);
      this.#bodyLeft = length;
      this.#waiting += 1;
    }
    return null;
  }
}

function contentLength(header: string): number | null {
  let length: number | null = null;
  for (const line of header.split('\r\n')) {
    const match = /^(Content-Length|Content-Type):\s*(.*)$/i.exec(line);
    if (match === null) return null;
    if (match[1]?.toLowerCase() !== 'content-length') continue;
    if (!/^\d{1,12}$/.test(match[2] ?? '')) return null;
    length = Number(match[2]);
  }
  return length;
}
