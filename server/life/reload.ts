import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReloadResult } from '../api/protocol.ts';
import { diffConfig } from '../config/difference.ts';
import type { ConfigResult, WorkspaceConfig } from '../config/model.ts';
import { readWorkspaceConfig } from '../config/reader.ts';
import { fileDiagnostic } from '../config/report.ts';
import type { Incarnations, UnfinishedChange } from '../service/incarnations.ts';
import { isObject } from '../store/treeRecord.ts';
import type { Supervisor } from '../supervisor.ts';
import { type FirstConfiguration, keepConfiguration } from './configuration.ts';
import { EMPTY_MS } from './configWatch.ts';

/**
 * Reads the configuration anew and applies what differs. One that is wrong changes nothing: the old one stays in
 * force, and the findings are the answer. One after another: two at once would compare with the same old one, and
 * restart twice what changed once.
 */
export function reloadConfiguration(supervisor: Supervisor): Promise<ReloadResult> {
  const mine = last.then(() => reload(supervisor));
  last = mine.catch(() => {});
  return mine;
}

/** Does the rest of what an earlier supervisor had begun, before anything else is applied. */
export function finishReload(supervisor: Supervisor, { unfinished, ...read }: FirstConfiguration): void {
  const left = parseUnfinished(unfinished);
  if (left === null) return;
  const mine = last.then(async () => {
    await supervisor.finishChange(left);
    keepConfiguration(supervisor.host, read);
    supervisor.host.journal('configuration_applied', left.change);
  });
  last = mine.catch(() => {});
}

let last: Promise<unknown> = Promise.resolve();

interface UnfinishedReload extends UnfinishedChange {
  /** As the journal tells it. */
  readonly change: Readonly<Record<string, unknown>>;
}

/** `null`: there is none, or nothing that can be understood. */
function parseUnfinished(value: unknown): UnfinishedReload | null {
  if (!isObject(value) || !isObject(value.change)) return null;
  const { change, restart, start } = value;
  return isIncarnations(restart) && isIncarnations(start) ? { change, restart, start } : null;
}

function isIncarnations(value: unknown): value is Incarnations {
  return isObject(value) && Object.values(value).every((one) => Number.isSafeInteger(one));
}

async function reload(supervisor: Supervisor): Promise<ReloadResult> {
  const read = await readConfiguration(supervisor);
  if (!read.ok) {
    const errors = read.diagnostics.filter((one) => one.severity === 'error');
    const [first] = errors;
    supervisor.host.journal('configuration_rejected', {
      findings: errors.length,
      place: first === undefined ? null : `${basename(first.file)}:${first.line}`,
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
  const touched = Object.values(change).some((list) => list.length > 0);
  // Told before it is done: what happens to a service next has its cause here.
  if (touched)
    supervisor.host.journal('configuration_changed', {
      ...change,
      changed: difference.changed,
      retuned: difference.retuned,
    });
  // Whoever is killed before it is in force is followed by one that sees the same difference, and applies it; afterwards by
  // one that does the rest.
  await supervisor.apply(read.config, change, (left) => {
    if (touched) keepConfiguration(supervisor.host, read, { change, ...left });
  });
  keepConfiguration(supervisor.host, read);
  if (touched) supervisor.host.journal('configuration_applied', change);
  return {
    ok: true,
    diagnostics: read.warnings,
    added: change.added,
    removed: change.removed,
    changed: [...change.changed, ...change.retuned],
  };
}

function entriesOf({ services, tasks }: WorkspaceConfig): number {
  return services.size + tasks.size;
}

/**
 * A file that is gone is a mistake, or another branch: nobody stops all services by removing it. One without any entry is
 * read once more after a while: an editor may have emptied it between the event and the reading, to write it anew.
 */
async function readConfiguration({ config, host }: Supervisor): Promise<ConfigResult> {
  let read = await readWorkspaceConfig(host.root);
  if (read.ok && entriesOf(read.config) === 0 && entriesOf(config) > 0) {
    await sleep(EMPTY_MS);
    read = await readWorkspaceConfig(host.root);
  }
  if (!read.ok || read.config.file !== null || config.file === null) return read;
  const message = 'expected the configuration, found that it is gone; `coppice down` stops everything';
  return { ok: false, diagnostics: [fileDiagnostic(config.file, message)] };
}
