import type { ReloadResult } from '../api/protocol.ts';
import { diffConfig } from '../config/difference.ts';
import { readWorkspaceConfig } from '../config/reader.ts';
import type { Supervisor } from '../supervisor.ts';

/**
 * Reads the configuration anew and applies what differs. One that is wrong changes nothing: the old one stays in
 * force, and the findings are the answer.
 */
export async function reloadConfiguration(supervisor: Supervisor): Promise<ReloadResult> {
  const read = await readWorkspaceConfig(supervisor.host.root);
  if (!read.ok) {
    const [first] = read.diagnostics;
    supervisor.host.journal('configuration_rejected', {
      findings: read.diagnostics.length,
      first: first?.message ?? '',
    });
    return { ok: false, diagnostics: read.diagnostics, added: [], removed: [], changed: [] };
  }
  const difference = diffConfig(supervisor.config, read.config);
  const change = {
    added: difference.added,
    removed: difference.removed,
    changed: difference.changed.map((entry) => entry.name),
    retuned: difference.retuned.map((entry) => entry.name),
  };
  await supervisor.apply(read.config, change);
  if (Object.values(change).some((list) => list.length > 0)) supervisor.host.journal('configuration_applied', change);
  return {
    ok: true,
    diagnostics: read.warnings,
    added: change.added,
    removed: change.removed,
    changed: [...change.changed, ...change.retuned],
  };
}
