/** One answer of a probe. */
export interface ProbeResult {
  readonly ok: boolean;
  /** What was asked and what came back, for `ps`, the journal and the text of a failure. Never empty. */
  readonly detail: string;
}

/** What a probe may know of the incarnation that it asks. */
export interface ProbeContext {
  /** Put in place of `${port}`; also where a path as `http` target is asked for. */
  readonly port: number | null;
  readonly cwd: string;
  readonly workspaceRoot: string;
  /** The environment the incarnation itself was given; what `exec` runs in. */
  readonly env: Readonly<Record<string, string>>;
  /** Where it prints, and the position at which this incarnation's own output begins. */
  readonly output: { readonly path: string; readonly offset: number };
  /** Where the host process of a language server answers; `null` for any other kind. */
  readonly hostSocket: string | null;
  /**
   * Who is in the tree. A server counts only when its process is one of these. `recent`: a reading shared with others
   * will do; `now`: the process that is looked for may have started since.
   */
  readonly treePids: (freshness: 'recent' | 'now') => ReadonlySet<number> | Promise<ReadonlySet<number>>;
}

/** `readiness` asks until the first success, `liveness` again and again for as long as the incarnation lives. */
export type ProbePurpose = 'readiness' | 'liveness';

/** Asks one incarnation, one question at a time; may remember what it asked before. */
export interface Prober {
  /** Resolves at the latest soon after `signal` is aborted. Never rejects. */
  attempt(signal: AbortSignal): Promise<ProbeResult>;
  /** An attempt waits for the answer by itself, so it is not to be cut short and asked anew. */
  readonly patient: boolean;
}

export const ABANDONED: ProbeResult = { ok: false, detail: 'no answer in time' };
