import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { encodeName, exitsFolder, logsFolder, runsFolder } from '../store/paths.ts';
import type { Supervisor } from '../supervisor.ts';
import { KEPT_RUNS } from '../task/runs.ts';

/** How often files that nobody needs any more are looked for. */
export const TIDY_PERIOD_MS = 10 * 60_000;
/** Logs of ended `exec` commands are kept for a day, the newest 50 of them. */
const KEPT_COMMANDS = 50;
const COMMAND_LOG_AGE_MS = 24 * 60 * 60_000;

/** Removes logs of `exec` commands that ended long ago, and folders of old runs. Never throws. */
export function tidyState(supervisor: Supervisor, now = Date.now()): void {
  const { stateDir } = supervisor.host;
  removeOldCommandLogs(supervisor, now);
  const kept = new Set([...supervisor.runs.values()].map((run) => encodeName(run.id)));
  const old = byAge(runsFolder(stateDir)).filter(({ name }) => !kept.has(name));
  for (const { name } of old.slice(Math.max(0, KEPT_RUNS - kept.size))) remove(join(runsFolder(stateDir), name));
}

/**
 * Removes exit records that belong to no tree on record: their supervisor died between forgetting the tree and removing
 * the file. Only before anything is started: a new tree has its record before it is registered.
 */
export function removeForgottenExitRecords(stateDir: string, recorded: readonly { exitRecordPath: string }[]): void {
  const known = new Set(recorded.map(({ exitRecordPath }) => basename(exitRecordPath)));
  for (const { name } of byAge(exitsFolder(stateDir))) if (!known.has(name)) remove(join(exitsFolder(stateDir), name));
}

/** What a command printed, what was rotated away of it, and where that begins: `exec-<id>.log`, `.log.1`, `.log.rotation`. */
const COMMAND_LOG = /^(?<stem>exec-[0-9a-z]+-[0-9a-z]+-\d+)\.log(?:\.|$)/;

function removeOldCommandLogs({ host, commands, config }: Supervisor, now: number): void {
  const folder = logsFolder(host.stateDir);
  const live = new Set([...commands.live.keys()].map((id) => encodeName(`exec-${id}`)));
  // A service may have such a name as well.
  for (const name of config.services.keys()) live.add(encodeName(name));
  const seen = new Set<string>();
  for (const { name, at } of byAge(folder)) {
    const stem = COMMAND_LOG.exec(name)?.groups?.stem;
    if (stem === undefined || live.has(stem)) continue;
    const isNew = seen.has(stem) || (now - at <= COMMAND_LOG_AGE_MS && seen.size < KEPT_COMMANDS);
    if (isNew) seen.add(stem);
    else remove(join(folder, name));
  }
}

/** What is in a folder, newest first; nothing for one that cannot be read. */
function byAge(folder: string): { readonly name: string; readonly at: number }[] {
  try {
    return readdirSync(folder)
      .map((name) => ({ name, at: statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
      .sort((a, b) => b.at - a.at);
  } catch {
    return [];
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Looked at again next time.
  }
}
