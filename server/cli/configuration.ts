import type { WorkspaceConfig } from '../config/model.ts';
import { diagnosticLines } from './diagnostics.ts';
import type { Context } from './verb.ts';

/** The validated configuration; `null` after its errors were said. Loads the parsers: not for the path of `ps`. */
export async function readConfiguration(context: Context, root: string): Promise<WorkspaceConfig | null> {
  const { readWorkspaceConfig } = await import('../config/reader.ts');
  const result = await readWorkspaceConfig(root);
  const diagnostics = result.ok ? result.warnings : result.diagnostics;
  for (const line of await diagnosticLines(diagnostics, context.terminal)) context.terminal.say(line);
  if (result.ok) return result.config;
  const errors = result.diagnostics.filter((one) => one.severity === 'error').length;
  context.terminal.say(
    `coppice: the configuration has ${errors === 1 ? 'an error' : `${errors} errors`}; nothing was started or changed`,
  );
  return null;
}
