import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type SupervisorClient } from '../../server/api/client.ts';
import type { TestWorkspace } from '../support/workspace.ts';

/** A client of the workspace's supervisor without the time that starting a command takes. */
export async function connectTo(workspace: TestWorkspace): Promise<SupervisorClient> {
  const lock = JSON.parse(readFileSync(join(workspace.root, '.coppice/supervisor.lock'), 'utf8')) as {
    endpoint: string;
  };
  const connected = await connect(lock.endpoint, { kind: 'other', pid: process.pid, version: 'bench', session: null });
  if (!connected.ok) throw new Error(`no connection: ${connected.failure.reason}`);
  return connected.client;
}
