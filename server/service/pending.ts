/** Why a service that was asked for does not start yet. */
export interface Waiting {
  /** One line for a person. */
  readonly text: string;
  /** The entry that can never meet the condition. */
  readonly blockedBy: string | null;
  /** The entries that it waits for. */
  readonly on: readonly string[];
}

/** What a service waits for that was asked for and cannot start yet; shown for as long as it is at rest. */
export class Pending {
  readonly #changed: (said: Waiting) => void;
  #said: Waiting | null = null;

  constructor(changed: (said: Waiting) => void) {
    this.#changed = changed;
  }

  /** One line for a person; `null` when it waits for nothing. */
  get text(): string | null {
    return this.#said?.text ?? null;
  }

  /** The entry that can never meet the condition. */
  get blockedBy(): string | null {
    return this.#said?.blockedBy ?? null;
  }

  /** It will start by itself once what it waits for is there. */
  get coming(): boolean {
    return this.#said !== null && this.#said.blockedBy === null;
  }

  /** `false` when that was said already. */
  waitFor(names: readonly string[]): boolean {
    return this.#say({ text: `waits for ${names.join(', ')}`, blockedBy: null, on: names });
  }

  block(by: string, because: string): boolean {
    return this.#say({ text: `blocked: ${because}`, blockedBy: by, on: [by] });
  }

  #say(said: Waiting): boolean {
    if (this.#said?.text === said.text && this.#said.blockedBy === said.blockedBy) return false;
    this.#said = said;
    this.#changed(said);
    return true;
  }

  /** It starts, or is not asked for any more. Not a change of its own: between this and the start it would look given up. */
  end(): void {
    this.#said = null;
  }
}
