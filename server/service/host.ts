import type { CommandSpec, ServiceConfig } from '../config/model.ts';
import type { WriteResult } from '../store/ioFailure.ts';
import type { JournalEventName } from '../store/journalEvents.ts';
import type { Registry } from '../store/registry.ts';

/** What the supervisor gives to everything that it runs. */
export interface WorkspaceHost {
  readonly id: string;
  /** Real path of the workspace. */
  readonly root: string;
  readonly stateDir: string;
  /** The supervisor's own environment, not yet cleaned. */
  readonly environment: () => NodeJS.ProcessEnv;
  /** Names that were taken out of that environment before this process began. */
  readonly removedBefore: readonly string[];
  readonly registry: Registry;
  /** Markers of trees that are being launched and not yet registered. */
  readonly launching: Set<string>;
  readonly ports: PortReservations;
  /** The workspace is this supervisor's still; asked before whatever a second master must not do. */
  readonly holds: () => boolean;
  /** Appends to the journal; never throws. */
  readonly journal: (event: JournalEventName, fields: Readonly<Record<string, unknown>>) => void;
  /** To be told how each write of a durable file, by a name that people know, went: the journal says what changes. */
  readonly wrote: (file: string, result: WriteResult) => void;
  /** Writes a durable file now, and again until that works; the journal says what changes. */
  readonly save: (file: string, write: () => WriteResult) => void;
  /** What is really run for a service: its command, or the host process of a language server. */
  readonly commandOf: (config: ServiceConfig) => CommandSpec;
  /** Where the host process of a language server answers; `null` for any other kind. */
  readonly hostSocketOf: (config: ServiceConfig) => string | null;
  /** Milliseconds of a clock that never jumps; for windows and delays, not for showing. */
  readonly now: () => number;
  readonly random: () => number;
}

/** Ports that entries of this workspace hold or are about to bind, so that no two are given the same (R73). */
export class PortReservations {
  readonly #holders = new Map<number, string>();

  /** `false` when another holder has the port. */
  reserve(port: number, holder: string): boolean {
    const current = this.#holders.get(port);
    if (current !== undefined && current !== holder) return false;
    this.#holders.set(port, holder);
    return true;
  }

  release(port: number, holder: string): void {
    if (this.#holders.get(port) === holder) this.#holders.delete(port);
  }

  holder(port: number): string | null {
    return this.#holders.get(port) ?? null;
  }

  get reserved(): ReadonlySet<number> {
    return new Set(this.#holders.keys());
  }
}
