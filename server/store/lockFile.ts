import { join } from 'node:path';
import { isValidPid } from '../process/identity.ts';
import type { IoFailure } from './ioFailure.ts';
import { shortHash } from './names.ts';
import { parseObject, readSmallFile } from './smallFile.ts';
import type { SupervisorLock } from './types.ts';

export type LockFile =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'lock';
      readonly lock: SupervisorLock;
      readonly text: string;
      readonly mtimeMs: number;
      /** Names this very claim; see `takeover.ts`. */
      readonly generation: string;
    }
  /** Torn, foreign, or no regular file at all. */
  | { readonly kind: 'corrupt'; readonly detail: string; readonly generation: string; readonly mtimeMs: number }
  | { readonly kind: 'unreadable'; readonly failure: IoFailure };

export function coppiceFolder(root: string): string {
  return join(root, '.coppice');
}

export function readLockFile(path: string): LockFile {
  const file = readSmallFile(path);
  switch (file.kind) {
    case 'absent':
    case 'unreadable':
      return file;
    case 'odd':
      return { kind: 'corrupt', detail: file.detail, generation: hash(`odd ${file.detail}`), mtimeMs: 0 };
    case 'text': {
      const { text, mtimeMs } = file;
      const lock = parseLock(text);
      // A whole lock holds a nonce, so its text alone names it, on every machine that shares the folder. What is torn
      // may be empty, and is told apart by the file that holds it.
      if (lock !== null) return { kind: 'lock', lock, text, mtimeMs, generation: hash(text) };
      const generation = hash(`torn ${file.inode} ${mtimeMs} ${text}`);
      return { kind: 'corrupt', detail: `${text.length} characters that are no lock`, generation, mtimeMs };
    }
    default:
      return file satisfies never;
  }
}

export function lockText(lock: SupervisorLock): string {
  return `${JSON.stringify(lock)}\n`;
}

/**
 * Only what says who holds the workspace has to be there and right: a lock of a newer version is a lock too, and to take
 * it for a torn one would make a second master.
 */
export function parseLock(text: string): SupervisorLock | null {
  const value = parseObject(text);
  if (value === null) return null;
  const { pid, startTime, bootId, hostname, pidNamespace, limits, startedAt, folder, nonce } = value;
  if (!isValidPid(pid) || typeof startTime !== 'string' || typeof bootId !== 'string') return null;
  const heap = typeof limits === 'object' && limits !== null ? (limits as Record<string, unknown>).maxHeapMb : 0;
  return {
    pid,
    startTime,
    bootId,
    hostname: asText(hostname),
    pidNamespace: typeof pidNamespace === 'string' ? pidNamespace : null,
    endpoint: asText(value.endpoint),
    stateDir: asText(value.stateDir),
    version: asText(value.version),
    startedAt: typeof startedAt === 'number' ? startedAt : 0,
    limits: { maxHeapMb: typeof heap === 'number' ? heap : 0 },
    ...(typeof folder === 'string' ? { folder } : {}),
    ...(typeof nonce === 'string' ? { nonce } : {}),
  };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** 128 bits: two halves of the same text, one of them turned around. */
function hash(text: string): string {
  return shortHash(text) + shortHash(`${text.length} ${[...text].reverse().join('')}`);
}
