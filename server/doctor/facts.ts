/** Everything that the checks look at, gathered once; the checks themselves are pure. */

import type { ConfigResult, ServiceConfig } from '../config/model.ts';
import type { InotifyLimits, Machine, OpenFiles } from '../process/machine.ts';
import type { Mount } from '../process/mounts.ts';
import type { PortOwner } from '../process/ports.ts';
import type { Liveness, ProcessIdentity, TreeMember } from '../process/types.ts';
import type { Clocks } from '../store/clocks.ts';
import type { HeartbeatReading } from '../store/heartbeat.ts';
import type { JournalEvent, SupervisorLock, TreeRecord } from '../store/types.ts';
import type { HeartbeatLook } from './suspicion.ts';

export type { InotifyLimits, Machine, Mount, OpenFiles };

export interface DoctorFacts {
  readonly now: number;
  readonly root: string;
  readonly id: string | null;
  readonly stateDir: string | null;
  readonly lock: SupervisorLock | null;
  readonly lockFile: LockFileFacts;
  readonly holder: 'alive' | 'dead' | 'elsewhere' | 'unknown' | null;
  /** Live processes whose command line is that of a supervisor of this workspace. */
  readonly supervisors: readonly SupervisorProcess[];
  readonly answer: SupervisorAnswer;
  readonly heartbeat: HeartbeatReading;
  /** The first round of two, where the heartbeat was looked at twice; `heartbeat` is always the last. */
  readonly firstLook: HeartbeatLook | null;
  /** The clock that stands still in sleep, and the boot that it counts from. */
  readonly clock: Omit<Clocks, 'wall'>;
  /** How long this machine has slept since it was started, ms. */
  readonly suspendedMs: number;
  readonly guardian: GuardianFacts;
  /** `null`: the workspace could not be looked at. */
  readonly config: ConfigResult | null;
  /** Its services; where it cannot be used, those of the one that was in force last. */
  readonly configured: ReadonlyMap<string, ServiceConfig>;
  /** Of each service what the registry keeps of its restart accounting; opaque to all but the policy. */
  readonly services: Readonly<Record<string, unknown>>;
  readonly trees: readonly TreeFacts[];
  /** Living processes that carry a marker of this workspace. */
  readonly marked: readonly MarkedProcess[];
  readonly ports: readonly PortFacts[];
  readonly environment: EnvironmentFacts;
  readonly state: StateFacts;
  readonly symptoms: SymptomFacts;
  readonly machine: MachineFacts;
  /** What could not be read, in words: a corrupt file, a folder that is not ours. */
  readonly problems: readonly FactProblem[];
}

export interface FactProblem {
  readonly level: 'warn' | 'error';
  readonly message: string;
  readonly fix: string | null;
}

export interface LockFileFacts {
  readonly kind: 'absent' | 'lock' | 'corrupt' | 'unreadable';
  /** What is wrong with it, in words. */
  readonly detail: string | null;
  /** Who wrote it, when that was another user. */
  readonly foreignUser: number | null;
}

export interface SupervisorProcess {
  readonly identity: ProcessIdentity;
  readonly parent: number;
  /** Stopped by a signal or a debugger (state T or t). */
  readonly stopped: boolean;
}

/** What came of saying hello to the holder. */
export type SupervisorAnswer =
  | { readonly kind: 'not_asked' }
  | {
      readonly kind: 'answered';
      readonly afterMs: number;
      /** Of the services that it says it runs. */
      readonly leaders: readonly number[];
      /** Names of whatever else it says belongs to somebody, such as commands of `exec`. */
      readonly names: readonly string[];
    }
  /** Somebody listens and says nothing. */
  | { readonly kind: 'silent'; readonly afterMs: number }
  | { readonly kind: 'not_listening'; readonly detail: string }
  | { readonly kind: 'refused'; readonly detail: string };

export type GuardianFacts =
  /** There is no record of one. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly path: string; readonly detail: string }
  | {
      readonly kind: 'recorded';
      /** `null`: there is none, as it has given up or the system can have none. */
      readonly identity: ProcessIdentity | null;
      /** Pid of the supervisor that it was started to guard. */
      readonly guarded: number;
      readonly liveness: Liveness;
      readonly stopped: boolean;
      /** Memory of its own; `null` where that cannot be seen. */
      readonly weightBytes: number | null;
      /** Why it starts no more supervisors, in words; `null`: it would. */
      readonly gaveUp: string | null;
      /** Supervisors that were lost one after the other. */
      readonly losses: number;
    };

export interface TreeFacts {
  readonly record: TreeRecord;
  readonly leader: Liveness;
  readonly members: readonly TreeMember[];
  /** Those of its members that have left its session, and live. */
  readonly abroad: ReadonlySet<number>;
}

export interface MarkedProcess {
  readonly pid: number;
  readonly startTime: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly name: string;
  readonly command: string;
  readonly marker: string;
}

export interface PortFacts {
  readonly port: number;
  /** The entry that wants it. */
  readonly name: string;
  readonly owner: PortOwner | null;
  readonly ours: boolean;
  /** Who it is, in words. */
  readonly words: string | null;
}

export interface EnvironmentFacts {
  /** What `cleanEnvironment` says of this command's environment and of the supervisor's. */
  readonly stripped: readonly string[];
  readonly preserved: readonly string[];
  /** Names given to children that run, which the table takes away and no entry asks for. */
  readonly leaked: readonly { readonly name: string; readonly variables: readonly string[] }[];
}

/** What lies in the state directory and in `.coppice` that should not. */
export interface StateFacts {
  /** Files that an earlier supervisor could not understand and set aside; evidence, never removed. */
  readonly aside: readonly string[];
  /** Half-written files of writers that are gone. */
  readonly abandoned: readonly string[];
  /** Sockets of this workspace that nobody has in his lock. */
  readonly sockets: readonly string[];
  /** Exit records that cannot be understood. */
  readonly tornExits: readonly string[];
  /** Files of runs that cannot be understood. */
  readonly tornRuns: readonly string[];
  /** Exit records of services that are not on record. */
  readonly forgottenExits: readonly string[];
  /** The journal's last line has no end. */
  readonly journalTorn: boolean;
  /** Lines near its end that are no records. */
  readonly journalSkipped: number;
  /** Files of the state directory that belong to others. */
  readonly foreign: readonly string[];
  /** Files and folders of it that other users can read or write. */
  readonly open: readonly string[];
}

export interface SymptomFacts {
  /** The newest events, oldest first. */
  readonly events: readonly JournalEvent[];
  /** Services whose last output says that an address is in use. */
  readonly addressInUse: readonly AddressInUse[];
}

export interface AddressInUse {
  readonly name: string;
  readonly line: string;
  readonly port: number | null;
  /** Who has the port now, in words; `null`: nobody. */
  readonly holder: string | null;
}

export interface MachineFacts {
  readonly machine: Machine;
  readonly folders: readonly FolderFacts[];
  /** Dead processes whose parent is process 1 and which it has not reaped. */
  readonly unreaped: number;
  readonly supervisorFiles: OpenFiles | null;
}

export interface FolderFacts {
  readonly role: 'workspace' | 'state directory';
  readonly path: string;
  readonly mount: Mount | null;
  readonly remote: boolean;
  /** It could be looked at in time. */
  readonly answers: boolean;
  readonly space: { readonly freeBytes: number; readonly totalBytes: number; readonly freeFiles: number } | null;
}
