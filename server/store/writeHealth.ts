import type { IoFailure, WriteResult } from './ioFailure.ts';

/** What has become of the writing of a file, in the words of the journal. */
export interface WriteNews {
  readonly event: 'health_warn' | 'health_recovered';
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Tells failures of writing from their repetitions: of each file, that it cannot be written is news once, and so is that
 * it can be again. Where the journal itself is on the full disk, both lines wait in memory and stand in it afterwards.
 */
export class WriteHealth {
  readonly #tell: (news: WriteNews) => void;
  readonly #now: () => number;
  readonly #failing = new Map<string, { readonly failure: IoFailure; readonly since: number }>();

  /** `now` in ms, of a clock that never jumps. */
  constructor(tell: (news: WriteNews) => void, now: () => number = () => performance.now()) {
    this.#tell = tell;
    this.#now = now;
  }

  /** How a write of `file`, a name that people know, went. */
  note(file: string, result: WriteResult): void {
    const known = this.#failing.get(file);
    if (result.ok) {
      if (known === undefined) return;
      this.#failing.delete(file);
      const { reason, code } = known.failure;
      this.#tell({
        event: 'health_recovered',
        fields: { reason, code, file, failedMs: Math.round(this.#now() - known.since) },
      });
      return;
    }
    const { reason, code, detail } = result.failure;
    if (known?.failure.code === code) return;
    this.#failing.set(file, { failure: result.failure, since: known?.since ?? this.#now() });
    this.#tell({ event: 'health_warn', fields: { reason, code, file, detail } });
  }
}
