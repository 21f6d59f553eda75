/** File systems as they are mounted here, told without touching any of them: a dead network mount must not be asked. */
import { readFileSync } from 'node:fs';
import { runHelper } from './launch.ts';

export interface Mount {
  readonly path: string;
  /** The kernel's name of the file system, such as `ext4`, `nfs4`, `9p` or `fuse.sshfs`. */
  readonly type: string;
  readonly source: string;
}

/** Every mount, in the order in which they were made; empty where the system does not tell without a helper. */
export function readMounts(): Mount[] {
  if (process.platform !== 'linux') return [];
  try {
    return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  } catch {
    return [];
  }
}

/** `/proc/self/mountinfo`: fields up to a lone `-`, of which the fifth is the place; after it type and source. Pure. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ');
    const separator = fields.indexOf('-');
    const [path, type, source] = [fields[4], fields[separator + 1], fields[separator + 2]];
    if (separator < 6 || path === undefined || type === undefined || type === '') return [];
    return [{ path: unescaped(path), type, source: unescaped(source ?? '') }];
  });
}

/** The mount that an absolute path lies on; of two at the same place the later one covers the other. Pure. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | null {
  let found: Mount | null = null;
  for (const mount of mounts) {
    const covers = mount.path === '/' || path === mount.path || path.startsWith(`${mount.path}/`);
    if (covers && (found === null || mount.path.length >= found.path.length)) found = mount;
  }
  return found;
}

/**
 * What may stall, and whose locks, renames or change notices may be other than on a disk: a server elsewhere, the host
 * of a virtual machine, or a program (FUSE).
 */
export function isRemote({ type }: Mount): boolean {
  return REMOTE.test(type);
}

/** Whether a folder can be looked at within a time. Asked of a helper, which may hang in the kernel in our place. */
export async function answers(path: string, timeoutMs: number): Promise<boolean> {
  const result = await runHelper(['stat', '--', path], { timeoutMs, maxBytes: 64 * 1024 });
  return result.ok || result.reason === 'spawn_error';
}

const REMOTE =
  /^(?:(?:nfs\d*|cifs|smb\d*|smbfs|9p|drvfs|virtiofs|vboxsf|prl_fs|vmhgfs|afs|ceph|lustre|glusterfs|ncpfs|fuseblk)$|fuse(?:\.|$))/;

/** Blanks, tabs, line feeds and backslashes stand as three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
