/** The bytes of a request to the spawner; `platform/linux/keeperSpawner.h` reads them. */
import type { LaunchRequest } from './types.ts';

/** What the spawner takes at the most. */
export const MOST_BYTES = 1024 * 1024;
export const MOST_WORDS = 32_766;
/** A keeper's room for a path, its end included. */
const MOST_PATH_BYTES = 4096;
const HEADER_NUMBERS = 5;

/** `null` for a request that the spawner cannot take: too long, or with a NUL in it, which would end a text early. */
export function encodeRequest(number: number, request: LaunchRequest): Buffer | null {
  const { argv, cwd, env, stdin, outputPath, exitRecordPath } = request;
  const entries = Object.entries(env)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
  if (argv.length + entries.length > MOST_WORDS) return null;
  const texts = [cwd, outputPath, exitRecordPath, argv[0], ...argv, ...entries];
  if (Buffer.byteLength(exitRecordPath) >= MOST_PATH_BYTES) return null;
  const joined = `${texts.join('\0')}\0`;
  if (countNul(joined) !== texts.length) return null;
  const bytes = Buffer.byteLength(joined);
  if (bytes > MOST_BYTES) return null;
  const header = HEADER_NUMBERS * 4;
  const buffer = Buffer.allocUnsafe(header + bytes);
  const numbers = [header - 4 + bytes, number, stdin === 'hold' ? 1 : 0, argv.length, entries.length];
  // Both architectures that have a native keeper are little-endian.
  for (const [index, value] of numbers.entries()) buffer.writeUInt32LE(value, index * 4);
  buffer.write(joined, header, 'utf8');
  return buffer;
}

function countNul(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\0'); at !== -1; at = text.indexOf('\0', at + 1)) count++;
  return count;
}
