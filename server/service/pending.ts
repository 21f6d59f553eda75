/** What a service waits for that was asked for and cannot start yet; shown for as long as it is at rest. */
export class Pending {
  readonly #changed: () => void;
  #said: { readonly text: string; readonly blockedBy: string | null } | null = null;

  constructor(changed: () => void) {
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
  say(text: string, blockedBy: string | null = null): boolean {
    if (this.#said?.text === text && this.#said.blockedBy === blockedBy) return false;
    this.#said = { text, blockedBy };
    this.#changed();
    return true;
  }

  /** It starts, or is not asked for any more. Not a change of its own: between this and the start it would look given up. */
  end(): void {
    this.#said = null;
  }
}
