/** Workspaces whose supervisor has failure points compiled in (`server/process/failpoint.ts`). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isBuilt } from '../tools/setup.mjs';
import { adopt, SupervisedWorkspace } from './supervised.ts';
import { PROJECT } from './workspace.ts';

const FOLDER = 'dist-failpoints';

/** What a failure point has done. */
export interface Hit {
  readonly pid: number;
  readonly rule: string;
  readonly step: string;
  readonly path: string;
}

/** The folder of the build with failure points; makes it, in about a second, where it is missing or older than a source. */
export function failpointBuild(): string {
  if (!isBuilt(FOLDER)) {
    const script = join(PROJECT, 'esbuild.config.ts');
    const { status, stderr } = spawnSync(process.execPath, [script, '--failpoints'], {
      cwd: PROJECT,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  }
  return join(PROJECT, FOLDER);
}

/** Rules may be changed while its supervisor runs; those that kill act once. */
export class FailpointWorkspace extends SupervisedWorkspace {
  protected override readonly command = join(failpointBuild(), 'coppice.cjs');
  readonly #rules: string;

  constructor() {
    super('failpoints');
    this.#rules = join(dirname(this.root), 'failpoints');
    this.env.COPPICE_FAILPOINTS = `@${this.#rules}`;
  }

  /** From now on these rules are in force, and no others. */
  failpoints(...rules: readonly string[]): void {
    for (const ending of ['.hits', '.fired']) rmSync(`${this.#rules}${ending}`, { force: true });
    appendFileSync(`${this.#rules}.hits`, '');
    writeFileSync(this.#rules, rules.join('\n'));
  }

  /** What the rules have done since they were set. */
  get hits(): Hit[] {
    const file = `${this.#rules}.hits`;
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Hit);
  }

  override async close(): Promise<void> {
    this.failpoints();
    await super.close();
  }
}

/** As `openWorkspace`; `closeWorkspaces` ends it. */
export function openFailpointWorkspace(config: unknown): FailpointWorkspace {
  const workspace = adopt(new FailpointWorkspace());
  workspace.configure(config);
  return workspace;
}
