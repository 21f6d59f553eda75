import type { IoFailure, WriteResult } from './ioFailure.ts';

/** What has become of the writing of a file, in the words of the journal. */
export interface WriteNews {
  readonly event: 'health_warn' | 'health_recovered';
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface WriteHealthOptions {
  readonly tell: (news: WriteNews) => void;
  /** Asked before anything is tried again: the state may be another supervisor's by then. */
  readonly mayWrite?: () => boolean;
  /** ms, of a clock that never jumps. */
  readonly now?: () => number;
  readonly retryMs?: number;
}

/**
 * Sees to it that what cannot be written (a full disk, no descriptors) is written once it can be, and tells failures from
 * their repetitions: of each file, that it cannot be written is news once, and so is that it can be again. Where the journal
 * itself is on the full disk, both lines wait in memory and stand in it afterwards.
 */
export class WriteHealth {
  readonly #options: WriteHealthOptions;
  readonly #failing = new Map<string, { readonly failure: IoFailure; readonly since: number }>();
  readonly #again = new Map<string, NodeJS.Timeout>();

  constructor(options: WriteHealthOptions) {
    this.#options = options;
  }

  /** How a write of `file`, a name that people know, went. */
  note(file: string, result: WriteResult): void {
    const { tell, now = () => performance.now() } = this.#options;
    const known = this.#failing.get(file);
    if (result.ok) {
      if (known === undefined) return;
      this.#failing.delete(file);
      const { reason, code } = known.failure;
      tell({ event: 'health_recovered', fields: { reason, code, file, failedMs: Math.round(now() - known.since) } });
      return;
    }
    const { reason, code, detail } = result.failure;
    if (known?.failure.code === code) return;
    this.#failing.set(file, { failure: result.failure, since: known?.since ?? now() });
    tell({ event: 'health_warn', fields: { reason, code, file, detail } });
  }

  /**
   * Writes `file` now, and again every second while that fails, until it works or a newer `save` of the same file takes
   * its place. A folder that is gone was deleted with all that it meant: that is told, and not tried again.
   */
  save(file: string, write: () => WriteResult): void {
    clearTimeout(this.#again.get(file));
    this.#again.delete(file);
    const result = write();
    this.note(file, result);
    if (result.ok || result.failure.reason === 'missing_folder') return;
    const { mayWrite = () => true, retryMs = RETRY_MS } = this.#options;
    const retry = (): void => {
      this.#again.delete(file);
      if (mayWrite()) this.save(file, write);
    };
    this.#again.set(file, setTimeout(retry, retryMs).unref());
  }
}

const RETRY_MS = 1000;
