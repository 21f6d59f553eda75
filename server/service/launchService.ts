import type { ServiceConfig } from '../config/model.ts';
import type { Owner, TreeRecord } from '../store/types.ts';
import type { WorkspaceHost } from './host.ts';
import { choosePort } from './ports.ts';
import { environmentOf, SupervisedTree, startTree } from './tree.ts';

export interface ServiceStart {
  readonly incarnation: number;
  readonly owner: Owner;
  /** What the incarnation before had; `auto` keeps it where it can. */
  readonly previousPort: number | null;
  readonly log: string;
}

export type LaunchedService =
  | { readonly ok: true; readonly tree: SupervisedTree; readonly port: number | null }
  | {
      readonly ok: false;
      /** `port_taken`, or the start's own word. */
      readonly reason: string;
      readonly message: string;
      readonly port: number | null;
    };

/** Chooses the port and starts the tree of one incarnation. A failure says in words what to do about it. Never rejects. */
export async function launchService(
  host: WorkspaceHost,
  config: ServiceConfig,
  start: ServiceStart,
): Promise<LaunchedService> {
  try {
    return await launchOn(host, config, start);
  } catch (error) {
    // Without file handles no port can be looked at, and on a full disk no folder made for a socket.
    return {
      ok: false,
      reason: 'fault',
      message: `cannot start ${config.name}: ${(error as Error).message}`,
      port: null,
    };
  }
}

async function launchOn(host: WorkspaceHost, config: ServiceConfig, start: ServiceStart): Promise<LaunchedService> {
  const chosen = await choosePort(host, config.name, config.port, start.previousPort);
  if (!chosen.ok) return { ok: false, reason: 'port_taken', message: chosen.message, port: null };
  const { port } = chosen;
  const started = await startTree(host, {
    key: `service/${config.name}`,
    name: config.name,
    role: 'service',
    incarnation: start.incarnation,
    owner: start.owner,
    onSupervisorLoss: config.onSupervisorLoss,
    stop: config,
    command: host.commandOf(config),
    cwd: config.cwd,
    baseEnvironment: host.environment(),
    env: config.env,
    envFiles: config.envFiles,
    stdin: config.stdin,
    port,
    logPath: start.log,
  });
  return started.ok ? { ok: true, tree: started.tree, port } : { ...started, port };
}

/** Takes over a live incarnation that an earlier supervisor started. */
export function adoptService(host: WorkspaceHost, config: ServiceConfig, record: TreeRecord): SupervisedTree {
  const request = { ...config, baseEnvironment: host.environment(), port: record.ports[0] ?? null };
  const composed = environmentOf(host, request, record.tree.marker);
  // An environment file that is gone by now keeps nobody from being adopted; only probes of kind exec use this.
  return SupervisedTree.adopt(host, record, composed.ok ? composed.env : {});
}
