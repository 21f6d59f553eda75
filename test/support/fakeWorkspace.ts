import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { identify } from '../../server/process/identity.ts';
import { pidNamespace } from '../../server/process/namespace.ts';
import type { SupervisorLock } from '../../server/store/types.ts';
import { type FakeHandlers, FakeSupervisor } from './fakeSupervisor.ts';
import { temporaryFolder } from './temporary.ts';

export interface FakeWorkspace {
  readonly root: string;
  /** The environment of a command that works on it, and keeps its state out of the user's home. */
  readonly environment: NodeJS.ProcessEnv;
  writeConfiguration(text: string): void;
  /** Puts a supervisor into the lock: this very process, answering as the test says. */
  supervise(handlers: FakeHandlers): Promise<FakeSupervisor>;
  writeLock(change?: Partial<SupervisorLock>): void;
}

export function fakeWorkspace(): FakeWorkspace {
  const base = temporaryFolder('workspace');
  const root = join(base, 'w');
  const sockets = join(base, 'sockets');
  const state = join(base, 'state');
  for (const folder of [root, sockets, state]) mkdirSync(folder, { mode: 0o700 });
  chmodSync(sockets, 0o700);
  const environment = { PATH: process.env.PATH ?? '', HOME: base, COPPICE_STATE_HOME: state, XDG_RUNTIME_DIR: sockets };
  const workspace: FakeWorkspace = {
    root,
    environment,
    writeConfiguration: (text) => writeFileSync(join(root, 'coppice.yaml'), text),
    writeLock: (change = {}) => {
      const self = identify(process.pid);
      if (self === null) throw new Error('this process cannot be identified');
      const { dev, ino } = statSync(root, { bigint: true });
      const lock: SupervisorLock = {
        ...self,
        hostname: hostname(),
        pidNamespace: pidNamespace(),
        endpoint: join(sockets, 's'),
        stateDir: '',
        version: '0.0.0',
        startedAt: Date.now(),
        limits: { maxHeapMb: 512 },
        folder: `${dev}:${ino}`,
        ...change,
      };
      mkdirSync(join(root, '.coppice'), { recursive: true });
      writeFileSync(join(root, '.coppice', 'supervisor.lock'), `${JSON.stringify(lock)}\n`);
    },
    supervise: async (handlers) => {
      const fake = await FakeSupervisor.listen(join(sockets, 's'), handlers);
      workspace.writeLock();
      return fake;
    },
  };
  return workspace;
}
