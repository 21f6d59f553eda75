/** What `doctor --fix` did, or left alone, and why. */
export interface FixOutcome {
  readonly check: string;
  /** False: it was left as it is. */
  readonly done: boolean;
  /** What was done with the evidence, or why not. */
  readonly message: string;
}
