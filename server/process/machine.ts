/** What of the machine itself keeps supervised processes from working; read in a millisecond, changes nothing. */
import { existsSync, readdirSync, readFileSync, watch } from 'node:fs';
import { release } from 'node:os';

export interface Machine {
  readonly node: string;
  /** Windows Subsystem for Linux. */
  readonly wsl: boolean;
  /** What kind of container this is; `null`: none that can be seen. */
  readonly container: string | null;
  /** Name of process 1 in this pid namespace, which inherits and has to reap what loses its parent. */
  readonly init: string | null;
  readonly inotify: InotifyLimits | null;
  /** The system's word when a folder cannot be watched at all (`EMFILE`, `ENOSPC`). */
  readonly watchFailure: string | null;
  /** Most files that a process started from here may open; `null`: not told, or without limit. */
  readonly openFiles: number | null;
}

export interface InotifyLimits {
  readonly watches: number;
  readonly instances: number;
}

export interface OpenFiles {
  readonly open: number;
  /** `null`: without limit. */
  readonly limit: number | null;
}

export function readMachine(folder: string): Machine {
  const linux = process.platform === 'linux';
  return {
    node: process.versions.node,
    wsl: linux && /microsoft/i.test(release()),
    container: linux ? containerKind() : null,
    init: linux ? textOf('/proc/1/comm')?.trim() || null : null,
    inotify: linux ? inotifyLimits() : null,
    watchFailure: tryToWatch(folder),
    openFiles: parseOpenFilesLimit(textOf('/proc/self/limits') ?? ''),
  };
}

/** How many files another process has open, beside its limit; `null` where that cannot be seen. */
export function openFilesOf(pid: number): OpenFiles | null {
  if (process.platform !== 'linux') return null;
  const limits = textOf(`/proc/${pid}/limits`);
  if (limits === null) return null;
  try {
    return { open: readdirSync(`/proc/${pid}/fd`).length, limit: parseOpenFilesLimit(limits) };
  } catch {
    return null;
  }
}

/** The soft limit, `Max open files   1024   524288   files`; `null`: unlimited, or not in the text. Pure. */
export function parseOpenFilesLimit(limits: string): number | null {
  const value = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : null;
}

function inotifyLimits(): InotifyLimits | null {
  const read = (name: string): number => Number(textOf(`/proc/sys/fs/inotify/${name}`) ?? Number.NaN);
  const [watches, instances] = [read('max_user_watches'), read('max_user_instances')];
  return Number.isFinite(watches) && Number.isFinite(instances) ? { watches, instances } : null;
}

/** The one honest test of whether a watch can still be had: how many others have taken is not told by the kernel. */
function tryToWatch(folder: string): string | null {
  try {
    watch(folder, { persistent: false })
      .on('error', () => {})
      .close();
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EMFILE' || code === 'ENOSPC' || code === 'ENFILE' ? code : null;
  }
}

function containerKind(): string | null {
  if (existsSync('/.dockerenv')) return 'docker';
  if (existsSync('/run/.containerenv')) return 'podman';
  if (process.env.KUBERNETES_SERVICE_HOST !== undefined) return 'kubernetes';
  const groups = textOf('/proc/1/cgroup') ?? '';
  return /docker|containerd|lxc|kubepods/.exec(groups)?.[0] ?? null;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
