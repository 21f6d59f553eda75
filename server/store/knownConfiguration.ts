import type { ConfigResult, WorkspaceConfig } from '../config/model.ts';
import { analyse, readWorkspaceConfig } from '../config/reader.ts';
import { readKeptConfiguration } from './keptConfiguration.ts';

export interface KnownConfiguration {
  /** What the workspace's file says now. */
  readonly read: ConfigResult;
  /** That, or where it cannot be used, what was in force last; `null`: neither can be understood. */
  readonly config: WorkspaceConfig | null;
}

/**
 * For those who explain rather than run: while a file is being mended, what runs goes by the one before, and is told of
 * by that. `stateDir` is `null` where nothing in it may be touched. Never fails.
 */
export async function readKnownConfiguration(root: string, stateDir: string | null): Promise<KnownConfiguration> {
  const read = await readWorkspaceConfig(root);
  if (read.ok) return { read, config: read.config };
  const kept = stateDir === null ? null : readKeptConfiguration(stateDir);
  const before = kept?.file == null ? null : analyse(kept.text, kept.file, root);
  return { read, config: before?.ok === true ? before.config : null };
}
