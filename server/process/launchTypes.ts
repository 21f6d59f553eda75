/** What is asked of, and answered by, the starts that are not managed trees. */
import type { Readable } from 'node:stream';
import type { ExitStatus, LaunchFailure } from './types.ts';

export interface DetachedRequest {
  /** Program as an absolute path, then its arguments. */
  readonly argv: readonly [string, ...string[]];
  /** Options of the program that stand before `argv`'s arguments, such as `--max-old-space-size=512`. */
  readonly execArgv?: readonly string[];
  readonly cwd: string;
  /** The whole environment; the caller has cleaned it. */
  readonly env: Readonly<Record<string, string>>;
}

export interface DetachedProcess {
  readonly pid: number;
  /** What it prints as errors until `release`; what nobody reads is dropped after 1 MB, and never blocks it. */
  readonly stderr: Readable;
  /** Settles when it ends. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Lets go of it: it keeps running, and this process may end. From then on its writes to stderr fail with EPIPE. */
  release(): void;
}

export type DetachedResult =
  | { readonly ok: true; readonly process: DetachedProcess }
  | { readonly ok: false; readonly failure: LaunchFailure };

export interface HelperOptions {
  /** Default: this process's own environment, cleaned. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** When it is over the helper's whole group is killed. */
  readonly timeoutMs: number;
  /** Of stdout and stderr each; more kills the group as well. */
  readonly maxBytes?: number;
  /** Aborting kills the group. */
  readonly signal?: AbortSignal;
}

/** `ok` means that it ran to an end of its own, whatever its exit code. */
export type HelperResult = { readonly stdout: string; readonly stderr: string } & (
  | ({ readonly ok: true } & ExitStatus)
  | {
      readonly ok: false;
      readonly reason: 'spawn_error' | 'timeout' | 'too_much_output' | 'aborted';
      readonly detail: string;
    }
);
