/** What `coppice why` answers, and what it is answered from. */
import type { ServiceConfig, TaskConfig } from '../../config/model.ts';
import type { ServiceStatus } from '../../service/status.ts';
import type { JournalEvent, TreeRecord } from '../../store/types.ts';
import type { TaskStatus } from '../../task/status.ts';

export type Role = 'service' | 'task' | 'exec';

export type MomentKind =
  | 'request'
  | 'configuration'
  | 'supervisor'
  | 'waiting'
  | 'spawn'
  | 'ready'
  | 'trouble'
  | 'stopping'
  | 'exit'
  | 'reaped'
  | 'backoff'
  | 'failed'
  | 'reset'
  | 'adopted'
  | 'task'
  | 'repeat'
  | 'other';

/** One link of the chain. */
export interface Moment {
  /** Number of the journal's event (the first of them, where several were put together). */
  readonly id: number;
  /** Epoch milliseconds, as the clock of that time had it. */
  readonly at: number;
  /** Of what was put together the last one's time; `null` for a single event. */
  readonly until: number | null;
  /** How often it happened, one after another. */
  readonly times: number;
  readonly kind: MomentKind;
  readonly text: string;
  readonly tone: 'good' | 'bad' | 'warn' | 'plain';
  /** `id` of what brought it about, which is in the chain too; `null` at a chain's beginning. */
  readonly causedBy: number | null;
}

export interface Advice {
  readonly text: string;
  /** What to type; `null` where nothing can be typed. */
  readonly command: string | null;
}

export interface BudgetUse {
  readonly budget: 'crashes' | 'slow' | 'clean' | 'drains' | 'wedges';
  readonly used: number;
  readonly limit: number;
  readonly windowMs: number;
}

export interface Answer {
  readonly name: string;
  readonly kind: Role;
  /** The word that `ps` shows, `waiting`, or `unknown`. */
  readonly state: string;
  /** Epoch milliseconds; `null` where it is not known. */
  readonly since: number | null;
  /** The state and its cause in one line. */
  readonly headline: string;
  /** Oldest first, each cause before what it brought about. */
  readonly chain: readonly Moment[];
  /** Events that led here and are not in `chain`, since there were too many. */
  readonly earlier: number;
  readonly budgets: readonly BudgetUse[];
  readonly output: OutputTail | null;
  readonly advice: readonly Advice[];
  /** What keeps the answer from being whole: a silent supervisor, lines that could not be read. */
  readonly notes: readonly string[];
  /** The entries that this one waits for, each with its own answer. */
  readonly because: readonly Answer[];
}

export interface OutputTail {
  readonly log: string;
  /** Bytes at which the output of the incarnation in question begins. */
  readonly fromOffset: number;
  readonly lines: readonly string[];
}

/** How the supervisor stands, as far as can be told from here. */
export type SupervisorView =
  | { readonly kind: 'serving'; readonly pid: number }
  /** It lives and does not answer; `stuck`: though it listens, so that it is neither starting nor ending. */
  | {
      readonly kind: 'silent';
      readonly pid: number;
      readonly detail: string;
      readonly beatAt: number | null;
      readonly stuck: boolean;
    }
  /** On another machine or in another container. */
  | { readonly kind: 'elsewhere'; readonly pid: number; readonly host: string }
  /** Its process is gone and it has not ended in an orderly way. */
  | {
      readonly kind: 'lost';
      readonly pid: number;
      /** Pid of the guardian that is about to start a successor. */
      readonly guardian: number | null;
      /** Why no successor is started any more. */
      readonly gaveUp: string | null;
    }
  | { readonly kind: 'none' };

/** Everything that an answer is made of. */
export interface WhyFacts {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly events: readonly JournalEvent[];
  /** Lines of the journal that are no records. */
  readonly skipped: number;
  readonly supervisor: SupervisorView;
  /** Of the supervisor itself, while it answers. */
  readonly statuses: ReadonlyMap<string, ServiceStatus>;
  readonly tasks: ReadonlyMap<string, TaskStatus>;
  /** Per service, as its policy wrote it for a successor. */
  readonly snapshots: Readonly<Record<string, unknown>>;
  readonly trees: readonly TreeView[];
  readonly services: ReadonlyMap<string, ServiceConfig>;
  readonly taskConfigs: ReadonlyMap<string, TaskConfig>;
  /** Why the configuration on the disk cannot be used, with its place; `null` when it can. */
  readonly configurationError: string | null;
  /** `coppice.yaml:12` for a path of the configuration; `null` where it is not written. */
  readonly placeOf: (path: readonly string[]) => string | null;
  /** Who listens now on fixed ports of the configuration, in words. */
  readonly portHolders: ReadonlyMap<number, string>;
  readonly logOf: (name: string) => string;
}

export interface TreeView {
  readonly record: TreeRecord;
  readonly alive: boolean;
}
