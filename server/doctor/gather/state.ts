import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readExitRecord } from '../../process/exitRecord.ts';
import { identify, liveness } from '../../process/identity.ts';
import { planEndpoint } from '../../store/endpoint.ts';
import { readJournal } from '../../store/journalRead.ts';
import { readLockFile } from '../../store/lockFile.ts';
import { encodeName, exitsFolder, journalPath, lockPath, runsFolder, type Workspace } from '../../store/paths.ts';
import type { RegistryContent } from '../../store/registryFile.ts';
import type { SupervisorLock } from '../../store/types.ts';
import type { StateFacts } from '../facts.ts';

export const NO_STATE: StateFacts = {
  aside: [],
  abandoned: [],
  sockets: [],
  tornExits: [],
  tornRuns: [],
  forgottenExits: [],
  journalTorn: false,
  journalSkipped: 0,
  foreign: [],
  open: [],
};

interface Known {
  readonly environment: NodeJS.ProcessEnv;
  readonly readable: boolean;
  readonly lock: SupervisorLock | null;
  readonly registry: RegistryContent;
}

/** What lies in the folders of a workspace that should not; names only, nothing is opened that need not be. */
export function lookAtState({ id, root, stateDir }: Workspace, known: Known): StateFacts {
  const { environment, readable, lock, registry } = known;
  if (!readable) return NO_STATE;
  const folders = [dirname(lockPath(root)), stateDir, exitsFolder(stateDir), runsFolder(stateDir)];
  const files = folders.flatMap((folder) => namesIn(folder).map((name) => join(folder, name)));
  const exits = namesIn(exitsFolder(stateDir)).filter((name) => name.endsWith('.json'));
  const exitPath = (name: string): string => join(exitsFolder(stateDir), name);
  const recorded = new Set([...registry.trees.values()].map((one) => basename(one.exitRecordPath)));
  return {
    aside: files.filter((path) => ASIDE.test(path)),
    abandoned: files.filter(isAbandoned),
    sockets: endpointFolders(id, lock, environment).flatMap((folder) =>
      namesIn(folder)
        .filter((name) => name.startsWith(`${id}-`) && name.endsWith('.sock'))
        .map((name) => join(folder, name))
        .filter((path) => path !== lock?.endpoint),
    ),
    tornExits: exits.map(exitPath).filter(isTorn),
    tornRuns: namesIn(runsFolder(stateDir))
      .map((name) => join(runsFolder(stateDir), name, 'run.json'))
      .filter(lacksItsEnd),
    // With a registry that was torn nobody knows which of them still matter; those of commands are kept for a day.
    forgottenExits:
      registry.findings.length > 0
        ? []
        : exits.filter((name) => name.startsWith(SERVICE_EXIT) && !recorded.has(name)).map(exitPath),
    journalTorn: endsTorn(journalPath(stateDir)),
    journalSkipped: skippedLines(stateDir),
    ...lookAtOwners(stateDir),
  };
}

const ASIDE = /\.corrupt-\d{8}T\d+Z-[0-9a-f]{4}$/;
const SERVICE_EXIT = encodeName('service/');
/** `<name>.<pid>-<random>.tmp` of an atomic write or a claim; a ticket of a claim names its maker inside. */
const TEMPORARY = /\.(\d+)-[0-9a-f]{12}\.tmp$/;
const TICKET = /\.takeover-[0-9a-f]+$/;

/** Half written by a process that is gone for good. */
export function isAbandoned(path: string): boolean {
  const writer = TEMPORARY.exec(path)?.[1];
  if (writer !== undefined) return identify(Number(writer)) === null;
  if (!TICKET.test(path)) return false;
  const file = readLockFile(path);
  if (file.kind !== 'lock') return false;
  const state = liveness(file.lock);
  return state === 'gone' || state === 'zombie' || state === 'recycled';
}

/** Where a supervisor of this environment would listen, and where the one in the lock does. */
function endpointFolders(id: string, lock: SupervisorLock | null, environment: NodeJS.ProcessEnv): string[] {
  if (process.platform === 'win32') return [];
  const planned = planEndpoint(id, { environment });
  const paths = [...(planned.ok ? [planned.endpoint.path] : []), ...(lock === null ? [] : [lock.endpoint])];
  return [...new Set(paths.filter((path) => path !== '').map(dirname))];
}

function isTorn(path: string): boolean {
  try {
    return readExitRecord(path) === 'corrupt';
  } catch {
    return false;
  }
}

/** A file that is written whole and ends early was cut off; a run may be large, so that no more than this is looked at. */
function lacksItsEnd(path: string): boolean {
  const end = lastBytes(path, 2);
  return end !== null && end.trimEnd().at(-1) !== '}';
}

function endsTorn(path: string): boolean {
  const end = lastBytes(path, 1);
  return end !== null && end !== '' && end !== '\n';
}

/** `null`: there is no such file, or it cannot be read. */
function lastBytes(path: string, count: number): string | null {
  try {
    const fd = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(count);
      const length = readSync(fd, bytes, 0, count, Math.max(0, fstatSync(fd).size - count));
      return bytes.toString('latin1', 0, length);
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}

const LOOKED_AT = 500;

function skippedLines(stateDir: string): number {
  try {
    return readJournal(stateDir, { limit: LOOKED_AT }).skipped;
  } catch {
    return 0;
  }
}

function lookAtOwners(stateDir: string): Pick<StateFacts, 'foreign' | 'open'> {
  const user = process.getuid?.();
  const foreign: string[] = [];
  const open: string[] = [];
  if (user === undefined) return { foreign, open };
  for (const name of namesIn(stateDir)) {
    const path = join(stateDir, name);
    try {
      const { uid, mode } = lstatSync(path);
      if (uid !== user) foreign.push(path);
      // The folder above is private, so that this is about what was copied or changed by hand.
      else if ((mode & 0o022) !== 0) open.push(path);
    } catch {
      // Gone meanwhile.
    }
  }
  return { foreign, open };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
