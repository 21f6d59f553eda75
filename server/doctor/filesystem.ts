import { formatBytes } from '../text/units.ts';
import type { DoctorFacts, FolderFacts } from './facts.ts';
import type { Finding } from './types.ts';

/** Nothing can be recorded any more from about here on. */
const FULL_BYTES = 16 * 1024 ** 2;
const NEARLY_FULL_BYTES = 512 * 1024 ** 2;
const FEW_FILES = 1000;

/** Traps of the file systems that the workspace and its state lie on. */
export function checkFileSystem({ machine }: DoctorFacts): Finding[] {
  const said = new Set<string>();
  return machine.folders
    .flatMap((folder) => judge(folder))
    .filter(({ message }) => {
      // Both often lie on the same disk.
      const text = message.replace(/ \((?:workspace|state directory)\)/, '');
      return !said.has(text) && said.add(text);
    });
}

function judge(folder: FolderFacts): Finding[] {
  const { role, path, mount, remote, answers, space } = folder;
  const on = mount === null ? path : mount.path;
  if (!answers) {
    const message = `the ${role} ${path} lies on ${on} (${mount?.type ?? 'unknown'}), which does not answer`;
    const fix = 'a dead network mount: bring its server back, or unmount it; until then nothing below it was looked at';
    return [finding('error', message, fix)];
  }
  const findings: Finding[] = [];
  if (remote && mount !== null) findings.push(sayRemote(role, path, mount.type));
  if (space === null) return findings;
  const { freeBytes, freeFiles } = space;
  if (freeBytes < FULL_BYTES) {
    const message = `the disk of ${on} (${role}) is full: ${formatBytes(freeBytes)} left`;
    findings.push(finding('error', message, 'services go on, and what happens cannot be recorded; make room'));
  } else if (freeBytes < NEARLY_FULL_BYTES) {
    const message = `the disk of ${on} (${role}) is nearly full: ${formatBytes(freeBytes)} left`;
    findings.push(finding('warn', message, 'make room'));
  }
  if (freeFiles < FEW_FILES) {
    const message = `${on} (${role}) can take only ${freeFiles} more files`;
    findings.push(finding(freeFiles < 10 ? 'error' : 'warn', message, 'remove files; the number of inodes is used up'));
  }
  return findings;
}

function sayRemote(role: FolderFacts['role'], path: string, type: string): Finding {
  if (role === 'state directory') {
    const message = `the state directory ${path} lies on ${type}: output of services goes through it, and it may stall`;
    return finding('warn', message, 'set COPPICE_STATE_HOME to a folder on a local disk');
  }
  const message = `the workspace lies on ${type}: changes of files may not be noticed, and who holds it is not seen from other machines`;
  const fix = /^(?:9p|drvfs)$/.test(type)
    ? 'under WSL a folder of the Linux side (`~/...`) is many times faster, and notices changes'
    : 'a folder on a local disk has neither trouble';
  return finding('warn', message, fix);
}

function finding(level: Finding['level'], message: string, fix: string | null): Finding {
  return { check: 'filesystem', level, message, fix };
}
