import type { DoctorFacts, TreeFacts } from './facts.ts';
import type { CheckResult, Finding, ProcessEntry } from './types.ts';

export interface ProcessesSection {
  readonly processes: readonly ProcessEntry[];
  readonly deadProcesses: readonly number[];
}

/** The registry against the process table: is every recorded tree what its record says? */
export function checkProcesses(facts: DoctorFacts): CheckResult<ProcessesSection> {
  const supervised = facts.holder === 'alive' || facts.holder === 'elsewhere';
  const processes = facts.trees.map(toEntry);
  const findings = facts.trees.flatMap((tree) => judge(tree, supervised));
  const dead = processes.filter(
    (one) => one.status === 'ended' || one.status === 'recycled' || one.status === 'leader_gone',
  );
  return { section: { processes, deadProcesses: dead.map((one) => one.pid) }, findings };
}

function toEntry({ record, leader, members }: TreeFacts): ProcessEntry {
  return {
    name: record.name,
    pid: record.tree.leader.pid,
    status: statusOf(leader, members.length),
    incarnation: record.incarnation,
    members: members.length,
  };
}

function statusOf(leader: TreeFacts['leader'], members: number): ProcessEntry['status'] {
  switch (leader) {
    case 'alive':
      return 'running';
    case 'unknown':
      return 'unknown';
    case 'recycled':
      return members > 0 ? 'leader_gone' : 'recycled';
    case 'gone':
    case 'zombie':
      return members > 0 ? 'leader_gone' : 'ended';
    default:
      return leader satisfies never;
  }
}

function judge(tree: TreeFacts, supervised: boolean): Finding[] {
  const { record, members } = tree;
  const { pid } = record.tree.leader;
  const finding = (level: Finding['level'], message: string, fix: string | null): Finding => ({
    check: 'processes',
    level,
    message,
    fix,
  });
  const status = statusOf(tree.leader, members.length);
  switch (status) {
    case 'running':
      return supervised
        ? []
        : [
            finding(
              'warn',
              `${record.name} (pid ${pid}) runs without a supervisor`,
              '`coppice up` adopts it, `coppice down` ends it',
            ),
          ];
    case 'leader_gone': {
      const pids = members.map((one) => one.identity.pid).join(', ');
      return [
        finding(
          supervised ? 'warn' : 'error',
          `${record.name}: its leader (pid ${pid}) has ended, and pid ${pids} of its tree live on`,
          `\`coppice stop ${record.name}\` ends them`,
        ),
      ];
    }
    case 'ended':
    case 'recycled': {
      const how = status === 'ended' ? 'has ended' : 'has ended, and its pid belongs to another process now';
      // A supervisor needs a moment between an exit and its record.
      const fix = supervised ? null : '`coppice up` records it';
      return [
        finding(supervised ? 'info' : 'warn', `${record.name}: pid ${pid} ${how}; the registry still lists it`, fix),
      ];
    }
    case 'unknown':
      return [finding('warn', `${record.name}: whether pid ${pid} is the recorded process cannot be told`, null)];
    default:
      return status satisfies never;
  }
}
