/** Everything that the checks look at, gathered once; the checks themselves are pure. */
import type { PortOwner } from '../process/ports.ts';
import type { Liveness, TreeMember } from '../process/types.ts';
import type { Heartbeat, SupervisorLock, TreeRecord } from '../store/types.ts';

export interface DoctorFacts {
  readonly now: number;
  readonly root: string;
  readonly id: string | null;
  readonly stateDir: string | null;
  readonly lock: SupervisorLock | null;
  readonly holder: 'alive' | 'dead' | 'elsewhere' | 'unknown' | null;
  /** Live processes whose command line is that of a supervisor of this workspace. */
  readonly supervisorPids: readonly number[];
  readonly heartbeat: Heartbeat | null;
  /** Of each service what the registry keeps of its restart accounting; opaque to all but the policy. */
  readonly services: Readonly<Record<string, unknown>>;
  readonly trees: readonly TreeFacts[];
  /** Living processes that carry a marker of this workspace. */
  readonly marked: readonly MarkedProcess[];
  readonly ports: readonly PortFacts[];
  readonly environment: EnvironmentFacts;
  /** What could not be read, in words: a corrupt file, a folder that is not ours. */
  readonly problems: readonly FactProblem[];
}

export interface FactProblem {
  readonly level: 'warn' | 'error';
  readonly message: string;
  readonly fix: string | null;
}

export interface TreeFacts {
  readonly record: TreeRecord;
  readonly leader: Liveness;
  readonly members: readonly TreeMember[];
}

export interface MarkedProcess {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly name: string;
  readonly command: string;
  readonly marker: string;
}

export interface PortFacts {
  readonly port: number;
  readonly name: string;
  readonly owner: PortOwner | null;
  /** Who it is, in words. */
  readonly words: string | null;
}

export interface EnvironmentFacts {
  /** What `cleanEnvironment` says of this command's environment and of the supervisor's. */
  readonly stripped: readonly string[];
  readonly preserved: readonly string[];
  /** Names given to children that run, which the table takes away. */
  readonly leaked: readonly { readonly name: string; readonly variables: readonly string[] }[];
}
