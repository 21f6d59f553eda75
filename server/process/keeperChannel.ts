/** What the launcher makes of a keeper's reports: the identity of the tree, how its leader ended, and what went wrong. */
import type { Socket } from 'node:net';
import { deferred } from './deferred.ts';
import { readExitRecord, writeExitRecord } from './exitRecord.ts';
import { bootId, identify, identifyFresh } from './identity.ts';
import { type KeeperReport, parseKeeperReport } from './keeper.ts';
import {
  checkWorkingDirectory,
  describeBadFolder,
  describeExecError,
  describeOutputError,
  isResourceError,
} from './launchFailure.ts';
import type { ExitStatus, LaunchFailure, LaunchRequest, ProcessIdentity, TreeIdentity } from './types.ts';

export type StartedReport = Extract<KeeperReport, { kind: 'started' }>;
export type ErrorReport = Extract<KeeperReport, { kind: 'error' }>;

export interface KeeperConversation {
  /** The first report; `null` when the keeper went without one. */
  readonly first: Promise<KeeperReport | null>;
  /** How the leader ended; `null` when the keeper went without saying so. */
  readonly exited: Promise<ExitStatus | null>;
}

/**
 * Listens on descriptor 3. Nobody but the keeper holds its other end, so the end of the channel is the end of the
 * keeper, and comes after all that it said; the `exit` event of a child may come before.
 */
export function listenToKeeper(channel: Socket): KeeperConversation {
  const first = deferred<KeeperReport | null>();
  const exited = deferred<ExitStatus | null>();
  let pending = '';
  channel.setEncoding('utf8');
  channel.on('data', (text) => {
    const lines = (pending + text).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) {
      const report = parseKeeperReport(line);
      if (report === null) continue;
      first.resolve(report);
      if (report.kind !== 'exited') continue;
      exited.resolve(report.status);
      channel.destroy();
    }
  });
  const gone = (): void => {
    first.resolve(null);
    exited.resolve(null);
  };
  channel.on('error', gone).on('end', gone).on('close', gone);
  return { first: first.promise, exited: exited.promise };
}

/** The tree under a native keeper, which knows both start times for certain. */
export function treeUnderKeeper(keeperPid: number, report: StartedReport, marker: string): TreeIdentity {
  const leader = identityNow(report.pid, report.startTime);
  return treeIdentity(leader, identityNow(keeperPid, report.keeperStartTime), marker);
}

/** The tree of a leader that has no keeper, or is it itself. */
export async function identityOfLeader(pid: number, marker: string): Promise<TreeIdentity> {
  return treeIdentity((await identifyFresh(pid)) ?? unmatched(pid), null, marker);
}

/** The end of a tree whose keeper was killed: by its record if it came so far, else as if the leader was killed too. */
export function statusAfterKeeper(request: LaunchRequest, leader: ProcessIdentity): ExitStatus {
  try {
    const record = readExitRecord(request.exitRecordPath);
    if (record !== null && record !== 'corrupt' && record.pid === leader.pid) {
      return { code: record.code, signal: record.signal };
    }
  } catch {
    // Unreadable is as good as missing.
  }
  return recordBySupervisor(request, leader.pid, { code: null, signal: 'SIGKILL' });
}

export function recordBySupervisor(request: LaunchRequest, pid: number, status: ExitStatus): ExitStatus {
  writeExitRecord(request.exitRecordPath, { pid, ...status, at: Date.now(), witness: 'supervisor' });
  return status;
}

export function describeKeeperError(report: ErrorReport, request: LaunchRequest): LaunchFailure {
  const program = request.argv[0];
  if (report.stage === 'cwd') return checkWorkingDirectory(request.cwd) ?? describeBadFolder(request.cwd, report.code);
  if (report.stage === 'output') return describeOutputError(request.outputPath, program, report.code);
  if (report.stage === 'exec' || isResourceError(report.code)) return describeExecError(program, report.code);
  return { reason: 'spawn_error', command: program, code: report.code, detail: `the keeper failed at ${report.stage}` };
}

/** A keeper that ended before its first word. Only one that could not run at all may be replaced by another. */
export function describeDeadKeeper(
  path: string,
  program: string,
  status: ExitStatus | null,
): { readonly unusable: boolean; readonly failure: LaunchFailure } {
  const how =
    status === null
      ? 'was lost'
      : status.signal === null
        ? `ended with code ${status.code}`
        : `was killed by ${status.signal}`;
  return {
    // One that was killed may already have started the program: a second start would run it twice.
    unusable: status !== null && status.signal === null,
    failure: {
      reason: 'spawn_error',
      command: program,
      code: 'KEEPER',
      detail: `${path} ${how} before its first report`,
    },
  };
}

function treeIdentity(leader: ProcessIdentity, keeper: ProcessIdentity | null, marker: string): TreeIdentity {
  return { leader, keeper, group: leader.pid, session: leader.pid, marker };
}

/** A keeper names no start time where it cannot read /proc. */
function identityNow(pid: number, startTime: string | null): ProcessIdentity {
  if (startTime !== null) return { pid, startTime, bootId: bootId() };
  return identify(pid) ?? unmatched(pid);
}

/** A process that ended before it could be looked at gets an identity that nothing matches. */
function unmatched(pid: number): ProcessIdentity {
  return { pid, startTime: '', bootId: bootId() };
}
