/** Which configuration a supervisor begins with. */
import type { ConfigResult } from '../config/model.ts';
import { analyse, readWorkspaceConfig } from '../config/reader.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { readKeptConfiguration, writeKeptConfiguration } from '../store/keptConfiguration.ts';
import { readRegistry } from '../store/registryFile.ts';

export type FirstConfiguration = ConfigResult & {
  /** It is the one that was in force before; what the workspace has now is still to be applied. */
  readonly kept: boolean;
  /** What the supervisor before had begun to do for it (`UnfinishedReload`, to be parsed). */
  readonly unfinished?: unknown;
};

/**
 * Whoever takes over begins with what was in force, and applies the workspace's file afterwards like any other change:
 * one that is broken or gone at this moment ends nothing. Without anything to take over, the file decides.
 */
export async function firstConfiguration(
  { root, stateDir }: { readonly root: string; readonly stateDir: string },
  losses: number,
): Promise<FirstConfiguration> {
  const kept = losses > 0 || hasTrees(stateDir) ? readKeptConfiguration(stateDir) : null;
  // Without a file there was nothing to run.
  if (kept !== null && kept.file !== null) {
    const result = analyse(kept.text, kept.file, root);
    if (result.ok) return { ...result, kept: true, unfinished: kept.unfinished };
  }
  return { ...(await readWorkspaceConfig(root)), kept: false };
}

/** For the next one. */
export function keepConfiguration(
  host: Pick<WorkspaceHost, 'stateDir' | 'save'>,
  result: ConfigResult,
  unfinished: unknown = null,
): void {
  if (!result.ok) return;
  const kept = { file: result.config.file, text: result.text ?? '', unfinished };
  host.save('configuration.json', () => writeKeptConfiguration(host.stateDir, kept));
}

/** Something is on record that may run. */
export function hasTrees(stateDir: string): boolean {
  return readRegistry(stateDir).trees.size > 0;
}
