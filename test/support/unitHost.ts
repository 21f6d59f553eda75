/** A host of services and tasks for unit tests: a folder and a registry of its own, the journal in a list. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { analyse } from '../../server/config/analyse.ts';
import type { WorkspaceConfig } from '../../server/config/model.ts';
import { PortReservations, type WorkspaceHost } from '../../server/service/host.ts';
import { exitsFolder, logsFolder, runsFolder } from '../../server/store/paths.ts';
import { openRegistry } from '../../server/store/registry.ts';
import { temporaryFolder } from './temporary.ts';

export interface JournalLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface UnitHost {
  readonly host: WorkspaceHost;
  readonly journal: JournalLine[];
  /** Closes what the host holds open. */
  close(): void;
}

export function unitHost(label: string, overrides: Partial<WorkspaceHost> = {}): UnitHost {
  const folder = temporaryFolder(label);
  const root = join(folder, 'root');
  const stateDir = join(folder, 'state');
  for (const path of [root, stateDir, logsFolder(stateDir), exitsFolder(stateDir), runsFolder(stateDir)])
    mkdirSync(path, { mode: 0o700 });
  const journal: JournalLine[] = [];
  const { registry } = openRegistry(stateDir, { supervisor: { pid: process.pid, startTime: '0' } });
  const host: WorkspaceHost = {
    id: `unit-${process.pid}`,
    root,
    stateDir,
    environment: () => ({ PATH: process.env.PATH }),
    removedBefore: [],
    registry,
    launching: new Set(),
    ports: new PortReservations(),
    holds: () => true,
    journal: (event, fields) => journal.push({ event, ...fields }),
    wrote: () => {},
    save: (_file, write) => void write(),
    commandOf: (service) => service.command,
    hostSocketOf: () => null,
    now: () => Date.now(),
    random: () => 0,
    ...overrides,
  };
  return { host, journal, close: () => void registry.close() };
}

/** The configuration that this text would give in `root`. */
export function configOf(root: string, config: unknown): WorkspaceConfig {
  const result = analyse(JSON.stringify(config), join(root, 'coppice.json'), root);
  if (!result.ok) throw new Error(result.diagnostics.map((one) => one.message).join('\n'));
  return result.config;
}
