/** What the process layer asks of an operating system. One implementation a folder; `index.ts` selects. */
import type { ProcessRow } from '../types.ts';

/**
 * What a look at one pid gave. `dead` is a zombie. `hidden`: the process exists but nothing about it can be read (a
 * `hidepid` mount, no file handle left, no fresh snapshot), so nothing may be concluded from it.
 */
export type Observation =
  | { readonly kind: 'absent' }
  | { readonly kind: 'hidden'; readonly detail: string }
  | { readonly kind: 'present'; readonly row: ProcessRow; readonly dead: boolean };

/** The value of an environment variable of a process, `null` when it has none; `unreadable` proves nothing. */
export type EnvironmentValue = string | null | 'unreadable';

/** One reading of the whole process table. Rows of kernel threads are left out; zombies are in, with state `Z`. */
export interface TableReading {
  readonly rows: ReadonlyMap<number, ProcessRow>;
  /** Reads a tree marker; asked at most once per process and table. */
  readonly markerOf: (row: ProcessRow) => EnvironmentValue;
}

export interface Platform {
  /** Opaque name of this boot of the machine; empty when it cannot be read. */
  bootId(): string;
  observe(pid: number): Observation;
  /** Throws only when the table as a whole cannot be read (no file handle left): then nothing is known. */
  readTable(): TableReading;
  readTableAsync(): Promise<TableReading>;
  /** Negative when `a` started before `b`; 0 when in the same tick or when it cannot be told. */
  compareStartTimes(a: string, b: string): number;
  readEnvironmentVariable(pid: number, name: string): EnvironmentValue;
  readCommandLine(pid: number): string[];
  /**
   * Whether a group may be believed when its leader is gone and no member is proven otherwise. `corroborated`: never.
   * `unless-recycled`: when no other process has taken the number, for systems that hide the environment.
   */
  readonly groupTrust: 'corroborated' | 'unless-recycled';
  /** Shortest sensible time between two readings, ms: one `ps` costs 20 ms, one `/proc` scan under one. */
  readonly scanIntervalMs: number;
  /** Ends a tree where signals do not exist (Windows); the caller has verified the identity. */
  readonly endTree: ((pid: number, force: boolean) => Promise<void>) | null;
}
