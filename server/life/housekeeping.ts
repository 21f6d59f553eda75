import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { encodeName, execsFolder, exitsFolder, logsFolder, runsFolder } from '../store/paths.ts';
import type { Supervisor } from '../supervisor.ts';
import { listCommands } from '../task/commandFile.ts';
import { KEPT_RUNS } from '../task/runs.ts';

/** How often files that nobody needs any more are looked for. */
export const TIDY_PERIOD_MS = 10 * 60_000;
/** What is known of ended `exec` commands is kept for a day; of their logs the newest 50. */
const KEPT_COMMANDS = 50;
const COMMAND_AGE_MS = 24 * 60 * 60_000;

/** Removes what is left of `exec` commands that ended long ago, and folders of old runs. Never throws. */
export function tidyState(supervisor: Supervisor, now = Date.now()): void {
  const { stateDir } = supervisor.host;
  removeOldCommandLogs(supervisor, now);
  removeOldResults(supervisor, now);
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
  for (const { name } of byAge(exitsFolder(stateDir))) {
    // Results of commands are kept for those who ask.
    if (!known.has(name) && !name.startsWith(COMMAND_EXIT)) remove(join(exitsFolder(stateDir), name));
  }
}

const COMMAND_EXIT = encodeName('exec/');

/** What a command printed, what was rotated away of it, and where that begins: `exec-<id>.log`, `.log.1`, `.log.rotation`. */
const COMMAND_LOG = /^exec-(?<id>.+?)\.log(?:\.(?:\d+|rotation))?$/;
/** Of the ids that a supervisor gives; others are known by what is known of the command. */
const OWN_ID = /^[0-9a-z]+-[0-9a-z]+-\d+$/;

function removeOldCommandLogs({ host, commands, config }: Supervisor, now: number): void {
  const folder = logsFolder(host.stateDir);
  const chosen = new Set(listCommands(host.stateDir));
  const seen = new Set<string>();
  for (const { name, at } of byAge(folder)) {
    const id = COMMAND_LOG.exec(name)?.groups?.id;
    // A service may have such a name as well.
    if (id === undefined || commands.live.has(id) || config.services.has(`exec-${id}`)) continue;
    if (!chosen.has(id) && !OWN_ID.test(id)) continue;
    const isNew = seen.has(id) || (now - at <= COMMAND_AGE_MS && seen.size < KEPT_COMMANDS);
    if (isNew) seen.add(id);
    else remove(join(folder, name));
  }
}

/** After their logs, which are told by them. */
function removeOldResults({ host, commands }: Supervisor, now: number): void {
  const live = new Set([...commands.live.keys()].flatMap((id) => [`${id}.json`, `${COMMAND_EXIT}${id}-1.json`]));
  for (const folder of [execsFolder(host.stateDir), exitsFolder(host.stateDir)]) {
    for (const { name, at } of byAge(folder)) {
      const isResult = folder === execsFolder(host.stateDir) || name.startsWith(COMMAND_EXIT);
      if (isResult && !live.has(name) && now - at > COMMAND_AGE_MS) remove(join(folder, name));
    }
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
