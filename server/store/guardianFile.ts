/** `guardian.json`: who guards the supervisor, what was counted of its losses, and whether the guardian has given up. */
import type { ProcessIdentity } from '../process/types.ts';
import { writeFileAtomicSync } from './atomic.ts';
import type { WriteResult } from './ioFailure.ts';
import { guardianPath } from './paths.ts';
import { parseObject, readSmallFile } from './smallFile.ts';

export interface GuardianFile {
  /** The guardian; `null` where there is none. */
  readonly guardian: ProcessIdentity | null;
  /** Whom it guards. */
  readonly supervisor: { readonly pid: number; readonly startTime: string };
  /** What starts a successor. */
  readonly argv: readonly string[];
  /** Restart accounting of the supervisor (opaque to the store). */
  readonly accounting: unknown;
}

/** The guardian's last word: no successor is started any more. */
export interface GaveUp {
  readonly at: number;
  readonly losses: number;
  /** What happened and what to do, in words. */
  readonly text: string;
}

export type GuardianReading = GuardianFile & { readonly gaveUp: GaveUp | null };

const LARGEST_BYTES = 256 * 1024;

/** Not flushed to the disk: after a loss of power there is neither guardian nor supervisor. */
export function writeGuardianFile(stateDir: string, file: GuardianFile): WriteResult {
  return writeFileAtomicSync(guardianPath(stateDir), `${JSON.stringify({ ...flat(file), gaveUp: null })}\n`, {
    durable: false,
  });
}

/** What a guardian that gives up writes around the numbers that only it knows (`GuardianPlan.recordText`). */
export function gaveUpText(file: GuardianFile, text: string): { readonly before: string; readonly after: string } {
  const whole = JSON.stringify({ ...flat({ ...file, guardian: null }), gaveUp: { text } });
  return { before: `${whole.slice(0, -2)},`, after: '}}\n' };
}

/** `null`: there is none, or nothing that can be understood. Never throws. */
export function readGuardianFile(stateDir: string): GuardianReading | null {
  const file = readSmallFile(guardianPath(stateDir), LARGEST_BYTES);
  return file.kind === 'text' ? parseGuardianFile(file.text) : null;
}

export function parseGuardianFile(text: string): GuardianReading | null {
  const value = parseObject(text);
  if (value === null) return null;
  const { pid, startTime, bootId, supervisor, argv, accounting, gaveUp } = value;
  const guarded = asObject(supervisor);
  if (!isCount(guarded.pid) || typeof guarded.startTime !== 'string') return null;
  const words = Array.isArray(argv) ? argv.filter((word) => typeof word === 'string') : [];
  const known = isCount(pid) && typeof startTime === 'string' && typeof bootId === 'string';
  return {
    guardian: known ? { pid, startTime, bootId } : null,
    supervisor: { pid: guarded.pid, startTime: guarded.startTime },
    argv: words,
    accounting,
    gaveUp: readGaveUp(gaveUp, words),
  };
}

function flat({ guardian, ...rest }: GuardianFile): object {
  return { ...(guardian ?? { pid: null, startTime: null, bootId: null }), ...rest };
}

function readGaveUp(value: unknown, argv: readonly string[]): GaveUp | null {
  const { text, losses, at, code, signal, missing } = asObject(value);
  if (typeof text !== 'string' || !isCount(losses) || !isCount(at)) return null;
  const gone = isCount(missing) ? argv[missing] : undefined;
  const last =
    typeof signal === 'string'
      ? `; the last one was ended by ${signal}`
      : isCount(code)
        ? `; the last one ended with exit code ${code}`
        : '';
  const why = gone === undefined ? '' : `; ${gone} does not exist any more`;
  return { at, losses, text: `the supervisor was lost ${losses} times${last}${why}. ${text}` };
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
