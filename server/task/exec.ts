import type { WorkspaceHost } from '../service/host.ts';
import { type StartFailureReason, type SupervisedTree, startTree, type TreeEnd } from '../service/tree.ts';
import { logPath } from '../store/paths.ts';
import type { Owner } from '../store/types.ts';

export interface ExecRequest {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly owner: Owner;
}

export type ExecStart =
  | { readonly ok: true; readonly command: ExecCommand }
  | { readonly ok: false; readonly reason: StartFailureReason; readonly message: string };

/** `exec` gives a command five seconds between SIGTERM and SIGKILL, as any entry has by default. */
const STOP = { stopSignal: 'SIGTERM', stopTimeoutMs: 5_000 } as const;

/** One command of `coppice exec`: a tree like any other, owned by its caller's connection or session. */
export class ExecCommand {
  readonly id: string;
  readonly owner: Owner;
  readonly tree: SupervisedTree;
  /** Settles when the leader ended and nothing of its tree is left, or what survived its end is known. */
  readonly ended: Promise<TreeEnd>;

  constructor(id: string, owner: Owner, tree: SupervisedTree) {
    this.id = id;
    this.owner = owner;
    this.tree = tree;
    this.ended = this.#conclude();
  }

  static async start(host: WorkspaceHost, id: string, request: ExecRequest): Promise<ExecStart> {
    const started = await startTree(host, {
      key: `exec/${id}`,
      name: `exec-${id}`,
      role: 'exec',
      incarnation: 1,
      owner: request.owner,
      onSupervisorLoss: 'adopt',
      command: { kind: 'argv', argv: request.argv },
      cwd: request.cwd,
      baseEnvironment: request.env,
      env: {},
      envFiles: [],
      stdin: 'ignore',
      port: null,
      logPath: logPath(host.stateDir, `exec-${id}`),
    });
    if (!started.ok) return { ok: false, reason: started.reason, message: started.message };
    return { ok: true, command: new ExecCommand(id, request.owner, started.tree) };
  }

  async stop(): Promise<TreeEnd> {
    await this.tree.terminate(STOP);
    return this.ended;
  }

  async #conclude(): Promise<TreeEnd> {
    const end = await this.tree.conclude();
    this.tree.release(end.proof);
    return end;
  }
}
