import type { EmptyProof, ExitStatus } from '../process/types.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { type SupervisedTree, startTree } from '../service/tree.ts';
import { logPath } from '../store/paths.ts';
import type { Owner } from '../store/types.ts';

export interface ExecRequest {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly owner: Owner;
}

export interface ExecEnd {
  readonly status: ExitStatus;
  readonly proof: EmptyProof;
}

/** `exec` gives a command five seconds between SIGTERM and SIGKILL, as any entry has by default. */
const STOP = { stopSignal: 'SIGTERM', stopTimeoutMs: 5_000 } as const;

/** One command of `coppice exec`: a tree like any other, owned by its caller's connection or session. */
export class ExecCommand {
  readonly id: string;
  readonly owner: Owner;
  readonly tree: SupervisedTree;
  /** Settles when the leader ended and nothing of its tree is left. */
  readonly ended: Promise<ExecEnd>;

  constructor(id: string, owner: Owner, tree: SupervisedTree) {
    this.id = id;
    this.owner = owner;
    this.tree = tree;
    this.ended = this.#conclude();
  }

  static async start(
    host: WorkspaceHost,
    id: string,
    request: ExecRequest,
  ): Promise<{ ok: true; command: ExecCommand } | { ok: false; message: string }> {
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
    if (!started.ok) return { ok: false, message: started.message };
    return { ok: true, command: new ExecCommand(id, request.owner, started.tree) };
  }

  async stop(): Promise<ExecEnd> {
    await this.tree.terminate(STOP);
    return this.ended;
  }

  async #conclude(): Promise<ExecEnd> {
    const status = await this.tree.exited;
    const proof = await this.tree.reap();
    this.tree.release(proof);
    return { status, proof };
  }
}
