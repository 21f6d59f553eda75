/** Memory of processes as Linux accounts for it. */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { TreeMemory } from '../../memory.ts';

/** RssAnon + RssShmem over all of `pids`; a process that is gone or a zombie counts nothing. */
export function measureMemory(pids: readonly number[]): TreeMemory {
  return sum(pids, (pid) => memoryFromStatus(readProc(pid, 'status')));
}

/** The same pages, but each shared one divided by the number of its sharers. About seven times as dear to read. */
export function measureProportionalMemory(pids: readonly number[]): TreeMemory {
  return sum(pids, (pid) => {
    const rollup = proportionalFromRollup(readProc(pid, 'smaps_rollup'));
    // `smaps_rollup` needs the rights of a debugger (a set-user-id child refuses it); `status` is everyone's.
    if (rollup !== null) return rollup;
    const plain = memoryFromStatus(readProc(pid, 'status'));
    return plain.bytes === 0 ? plain : { bytes: plain.bytes, fallback: true };
  });
}

/** The least of the machine's memory and of every memory cgroup from the process's own up to the root. */
export function readMemoryLimit(): number {
  const cgroups = readText('/proc/self/cgroup');
  const mounts = readText('/proc/self/mountinfo');
  const ram = memoryTotal(readText('/proc/meminfo') ?? '') ?? totalmem();
  if (cgroups === null || mounts === null) return ram;
  const limits = cgroupLimitFiles(cgroups, mounts).map((file) => cgroupLimit(readText(file) ?? ''));
  return Math.min(ram, ...limits);
}

/** Resident bytes that are no cache of a file, from `/proc/<pid>/status`. `null` text is a process that is gone. */
export function memoryFromStatus(status: string | null): TreeMemory {
  if (status === null || /^State:\s+[ZX]/m.test(status)) return { bytes: 0, fallback: false };
  const anonymous = kilobytes(status, 'RssAnon');
  const shared = kilobytes(status, 'RssShmem');
  // Presence decides, not value: a process may truly have 0 of both, and a kernel may lack one field.
  if (anonymous !== null || shared !== null) return { bytes: (anonymous ?? 0) + (shared ?? 0), fallback: false };
  const resident = kilobytes(status, 'VmRSS');
  // A process between its last unmap and its end, and a kernel thread, have no Vm fields at all.
  return resident === null ? { bytes: 0, fallback: false } : { bytes: resident, fallback: true };
}

/**
 * Proportional bytes from `/proc/<pid>/smaps_rollup`, without file pages where the kernel tells them apart (5.9 and
 * later); `null` where the text has no figure at all.
 */
export function proportionalFromRollup(rollup: string | null): TreeMemory | null {
  if (rollup === null) return null;
  const anonymous = kilobytes(rollup, 'Pss_Anon');
  const shared = kilobytes(rollup, 'Pss_Shmem');
  if (anonymous !== null || shared !== null) return { bytes: (anonymous ?? 0) + (shared ?? 0), fallback: false };
  const all = kilobytes(rollup, 'Pss');
  return all === null ? null : { bytes: all, fallback: true };
}

/**
 * The limit files that bind this process, from `/proc/self/cgroup` and `/proc/self/mountinfo`: its own cgroup's and
 * every ancestor's that the mount shows, for version 2 and for the memory controller of version 1.
 */
export function cgroupLimitFiles(cgroups: string, mountinfo: string): string[] {
  const files: string[] = [];
  for (const line of cgroups.split('\n')) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    if (match === null) continue;
    const [, hierarchy = '', controllers = '', path = ''] = match;
    const unified = hierarchy === '0' && controllers === '';
    if (!unified && !controllers.split(',').includes('memory')) continue;
    const mount = findCgroupMount(mountinfo, unified);
    if (mount === null) continue;
    const name = unified ? 'memory.max' : 'memory.limit_in_bytes';
    let relative = pathBelow(mount.root, path);
    for (;;) {
      files.push(join(mount.point, relative, name));
      if (relative === '/') break;
      relative = dirname(relative);
    }
  }
  return files;
}

/** `Infinity` for `max`, for version 1's "no limit" (near 2^63) and for text that is no number. */
export function cgroupLimit(text: string): number {
  const figures = text.trim();
  if (!/^\d+$/.test(figures)) return Number.POSITIVE_INFINITY;
  const limit = Number(figures);
  return limit >= 2 ** 62 ? Number.POSITIVE_INFINITY : limit;
}

export function memoryTotal(meminfo: string): number | null {
  return kilobytes(meminfo, 'MemTotal');
}

function sum(pids: readonly number[], measure: (pid: number) => TreeMemory): TreeMemory {
  let bytes = 0;
  let fallback = false;
  for (const pid of new Set(pids)) {
    const one = measure(pid);
    bytes += one.bytes;
    fallback ||= one.fallback;
  }
  return { bytes, fallback };
}

function kilobytes(text: string, field: string): number | null {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text);
  return match === null ? null : Number(match[1]) * 1024;
}

function findCgroupMount(mountinfo: string, unified: boolean): { root: string; point: string } | null {
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root, point] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    if (root === undefined || point === undefined) continue;
    const fits = unified ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes('memory');
    if (fits) return { root, point: unescapeMount(point) };
  }
  return null;
}

/** A container without a cgroup namespace sees the host's path in `cgroup`, but only its own part is mounted. */
function pathBelow(root: string, path: string): string {
  if (root === '/') return path;
  if (path === root) return '/';
  return path.startsWith(`${root}/`) ? path.slice(root.length) : '/';
}

/** `mountinfo` writes blanks, tabs, newlines and backslashes as three octal digits. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function readProc(pid: number, file: string): string | null {
  return readText(`/proc/${pid}/${file}`);
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // Gone (ENOENT, or ESRCH between open and read) or not ours to read: both mean "no figure from here".
    return null;
  }
}
