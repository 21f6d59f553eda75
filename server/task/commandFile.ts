/**
 * `execs/<id>.json`: one command of `coppice exec`. Written before its launch, so that the same `exec` asked for twice is
 * one command whatever becomes of the supervisor in between, and with its result once it has ended. Its words and its
 * environment, which may hold secrets, are not in it.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import type { EmptyProof, ExitStatus } from '../process/types.ts';
import { writeFileAtomicSync } from '../store/atomic.ts';
import type { WriteResult } from '../store/ioFailure.ts';
import { commandFilePath, decodeName, execsFolder } from '../store/paths.ts';
import { parseObject, readSmallFile } from '../store/smallFile.ts';
import { isObject, parseOwner } from '../store/treeRecord.ts';
import type { Owner } from '../store/types.ts';

export interface CommandFile {
  readonly id: string;
  readonly marker: string;
  readonly owner: Owner;
  readonly startedAt: number;
  /** It lives no longer than the terminal that asked for it. */
  readonly attached: boolean;
  /** It was being ended. */
  readonly stopping: boolean;
  readonly result: CommandResult | null;
}

export interface CommandResult {
  readonly pid: number;
  readonly status: ExitStatus;
  readonly proof: EmptyProof;
}

export type CommandReading =
  | { readonly kind: 'command'; readonly file: CommandFile }
  | { readonly kind: 'absent' }
  | { readonly kind: 'corrupt'; readonly path: string };

/** Not flushed: it outlives the supervisor, and with the power the command itself is lost. */
export function writeCommandFile(stateDir: string, file: CommandFile): WriteResult {
  try {
    mkdirSync(execsFolder(stateDir), { mode: 0o700 });
  } catch {
    // It is there; or the state directory is gone, and the write says so.
  }
  const text = `${JSON.stringify({ version: 1, ...file })}\n`;
  return writeFileAtomicSync(commandFilePath(stateDir, file.id), text, { durable: false });
}

/** Ids of all that have a file. */
export function listCommands(stateDir: string): string[] {
  try {
    const names = readdirSync(execsFolder(stateDir)).filter((name) => name.endsWith('.json'));
    return names.flatMap((name) => decodeName(name.slice(0, -'.json'.length)) ?? []);
  } catch {
    return [];
  }
}

export function readCommandFile(stateDir: string, id: string): CommandReading {
  const path = commandFilePath(stateDir, id);
  const read = readSmallFile(path, LARGEST_FILE);
  if (read.kind === 'absent' || read.kind === 'unreadable') return { kind: 'absent' };
  const file = read.kind === 'text' ? parseCommandFile(read.text, id) : null;
  return file === null ? { kind: 'corrupt', path } : { kind: 'command', file };
}

/** A proof names every process that was found. */
const LARGEST_FILE = 16 * 1024 * 1024;

/** `null` for text that is not wholly the record of this command. */
export function parseCommandFile(text: string, id: string): CommandFile | null {
  const value = parseObject(text);
  if (value === null || value.version !== 1 || value.id !== id) return null;
  const { marker, startedAt, attached, stopping } = value;
  const owner = parseOwner(value.owner);
  const result = value.result === null ? null : parseResult(value.result);
  if (owner === null || result === undefined || typeof marker !== 'string' || typeof startedAt !== 'number')
    return null;
  if (typeof attached !== 'boolean' || typeof stopping !== 'boolean') return null;
  return { id, marker, owner, startedAt, attached, stopping, result };
}

/** The lists of a proof are only shown again; of what they hold nothing is decided. */
function parseResult(value: unknown): CommandResult | undefined {
  if (!isObject(value) || !isObject(value.status) || !isObject(value.proof)) return undefined;
  const { pid } = value;
  const { code, signal } = value.status;
  const { confirmed, survivors, emptyScans, killed, durationMs } = value.proof;
  if (!Number.isSafeInteger(pid) || !(code === null || Number.isSafeInteger(code))) return undefined;
  if (!(signal === null || typeof signal === 'string')) return undefined;
  if (!Array.isArray(confirmed) || !Array.isArray(survivors)) return undefined;
  if (typeof emptyScans !== 'number' || typeof killed !== 'boolean' || typeof durationMs !== 'number') return undefined;
  return {
    pid: pid as number,
    status: { code: code as number | null, signal: signal as NodeJS.Signals | null },
    proof: { confirmed, survivors, emptyScans, killed, durationMs },
  };
}
