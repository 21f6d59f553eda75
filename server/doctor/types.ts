/** `doctor --json`, to the letter of DESIGN 9; fields beyond it are additions. */
import type { SupervisorLimits } from '../store/types.ts';

export interface Finding {
  readonly check: CheckName;
  readonly level: 'info' | 'warn' | 'error';
  /** What is so, with the evidence. */
  readonly message: string;
  /** What to do about it; `null` when nothing needs doing. */
  readonly fix: string | null;
}

export type CheckName =
  | 'workspace'
  | 'configuration'
  | 'supervisors'
  | 'lock'
  | 'heartbeat'
  | 'guardian'
  | 'state'
  | 'processes'
  | 'orphans'
  | 'escaped'
  | 'ports'
  | 'environment'
  | 'budgets'
  | 'services'
  | 'filesystem'
  | 'machine';

export interface DoctorReport {
  /** No finding is an error. */
  readonly ok: boolean;
  readonly workspace: { readonly id: string | null; readonly root: string; readonly stateDir: string | null };
  readonly supervisors: SupervisorsSection;
  readonly heartbeat: HeartbeatSection;
  readonly guardian: GuardianSection;
  readonly processes: readonly ProcessEntry[];
  /** Leaders in the registry that do not run any more. */
  readonly deadProcesses: readonly number[];
  readonly orphans: readonly StrayEntry[];
  readonly escaped: readonly StrayEntry[];
  readonly ports: readonly PortEntry[];
  readonly environment: EnvironmentSection;
  readonly budgets: readonly BudgetEntry[];
  readonly findings: readonly Finding[];
}

export interface SupervisorsSection {
  /** Live supervisors of this workspace; more than one is an error. */
  readonly count: number;
  readonly holder: HolderEntry | null;
  readonly limits: SupervisorLimits | null;
  /** Live supervisor processes of this workspace that do not hold its lock. */
  readonly others: readonly number[];
}

export interface HolderEntry {
  readonly pid: number;
  readonly host: string;
  readonly since: number;
  readonly version: string;
  readonly endpoint: string;
  /**
   * `wedged`: it lives and does not answer; `stopped`: a signal or a debugger has stopped it; `elsewhere`: on another
   * machine or in another pid namespace, so that it cannot be looked at from here.
   */
  readonly state: 'alive' | 'wedged' | 'stopped' | 'dead' | 'elsewhere' | 'unknown';
}

export interface HeartbeatSection {
  readonly ageMs: number | null;
  /**
   * `fresh`; `late`: beats were missed; `suspect`: the holder lives and has not beaten for long; `missing`: it lives and
   * never wrote one; `foreign`: what is there is another process's; `future`: from a moment that has not come;
   * `corrupt`: not to be understood or read; `dead`: what is left of a supervisor that has ended; `none`: there is no
   * heartbeat, and no supervisor that should have one yet.
   */
  readonly verdict: 'fresh' | 'late' | 'suspect' | 'missing' | 'foreign' | 'future' | 'corrupt' | 'dead' | 'none';
}

export interface GuardianSection {
  readonly pid: number | null;
  readonly status: 'watching' | 'stopped' | 'gone' | 'gave_up' | 'unknown' | 'none';
}

export interface ProcessEntry {
  readonly name: string;
  /** Of the leader. */
  readonly pid: number;
  readonly status: 'running' | 'leader_gone' | 'ended' | 'recycled' | 'unknown';
  readonly incarnation: number;
  /** Living processes of the tree, the keeper not counted. */
  readonly members: number;
}

export interface StrayEntry {
  readonly pid: number;
  readonly name: string;
  readonly command: string;
  /** The marker that it carries. */
  readonly marker: string;
  readonly parent: number;
}

export interface PortEntry {
  readonly port: number;
  /** The entry that wants it. */
  readonly name: string;
  readonly status: 'held' | 'free' | 'taken';
  /** Who listens on it, in words; `null`: nobody. */
  readonly holder: string | null;
}

export interface EnvironmentSection {
  /** No child that runs was given a variable that should have been taken away. */
  readonly clean: boolean;
  /** Names that Coppice takes away from what children get, as found here and in the supervisor's environment. */
  readonly stripped: readonly string[];
  /** Names that look like those and are kept. */
  readonly preserved: readonly string[];
}

export interface BudgetEntry {
  readonly name: string;
  readonly budget: 'crashes' | 'slow' | 'clean' | 'drains' | 'wedges';
  /** Events in the window as of now, as the policy counts them. */
  readonly used: number;
  readonly limit: number;
  readonly windowMs: number;
}

/** What one check found: its part of the report, and what there is to say. */
export interface CheckResult<Section> {
  readonly section: Section;
  readonly findings: readonly Finding[];
}
