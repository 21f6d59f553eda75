/** The bytes of a request to the spawner; `platform/linux/keeperSpawner.h` reads them. */
import { constants } from 'node:os';
import type { LaunchRequest } from './types.ts';

/** What the spawner takes at the most. */
export const MOST_BYTES = 1024 * 1024;
export const MOST_WORDS = 32_766;
/** A keeper's room for a path, its end included. */
const MOST_PATH_BYTES = 4096;

/** `null` for a request that the spawner cannot take: too long, or with a NUL in it, which would end a text early. */
export function encodeRequest(number: number, request: LaunchRequest): Buffer | null {
  const { argv, cwd, env, stdin, outputPath, exitRecordPath, pact } = request;
  const entries = environmentEntries(env);
  if (argv.length + entries.length > MOST_WORDS) return null;
  const texts = [cwd, outputPath, exitRecordPath, argv[0], ...argv, ...entries];
  if (Buffer.byteLength(exitRecordPath) >= MOST_PATH_BYTES) return null;
  const signal = pact === undefined ? 0 : signalNumber(pact.stopSignal);
  const numbers = [number, stdin === 'hold' ? 1 : 0, signal, pact?.stopTimeoutMs ?? 0, argv.length, entries.length];
  return encodeMessage(numbers, texts);
}

/** How many bytes follow, the numbers, then the texts, each ended by NUL; `null` for what cannot be said so. */
export function encodeMessage(numbers: readonly number[], texts: readonly string[]): Buffer | null {
  const joined = `${texts.join('\0')}\0`;
  if (countNul(joined) !== texts.length) return null;
  const bytes = Buffer.byteLength(joined);
  if (bytes > MOST_BYTES) return null;
  const header = (numbers.length + 1) * 4;
  const buffer = Buffer.allocUnsafe(header + bytes);
  // Both architectures that have a native keeper are little-endian.
  for (const [index, value] of [header - 4 + bytes, ...numbers].entries()) buffer.writeUInt32LE(value, index * 4);
  buffer.write(joined, header, 'utf8');
  return buffer;
}

export function environmentEntries(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : `${name}=${value}`));
}

/** The system's own number. */
export function signalNumber(signal: NodeJS.Signals): number {
  return constants.signals[signal];
}

function countNul(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\0'); at !== -1; at = text.indexOf('\0', at + 1)) count++;
  return count;
}
