import { appendFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { format } from 'node:util';

const MAX_BYTES = 1024 * 1024;

/**
 * From now on what this process prints goes to `path`, kept small: whoever started it may be gone at any time, and a
 * write to its end of a pipe must not end the supervisor.
 */
export function writeOwnLog(path: string): void {
  const { stderr } = process;
  const write = stderr.write.bind(stderr);
  toStarter = (text) => void write(text);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {});
    stream.write = ((chunk: string | Uint8Array) => {
      append(path, typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      return true;
    }) as typeof stream.write;
  }
}

/** One line of the supervisor's own log. */
export function say(text: string, ...values: readonly unknown[]): void {
  process.stderr.write(`${new Date().toISOString()} ${format(text, ...values)}\n`);
}

/** What whoever started this supervisor must know, as long as he listens; in the log as well. */
export function tellStarter(text: string): void {
  toStarter?.(`coppice: ${text}\n`);
  say(text);
}

/** `null` while what is said goes there anyway. */
let toStarter: ((text: string) => void) | null = null;

function append(path: string, text: string): void {
  try {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_BYTES) renameSync(path, `${path}.1`);
    // A state directory that was removed is not brought back by a log line.
    if (statSync(dirname(path), { throwIfNoEntry: false }) !== undefined) appendFileSync(path, text, { mode: 0o600 });
  } catch {
    // A full disk: what matters is in the journal's queue.
  }
}
