import { existsSync, readFileSync } from 'node:fs';
import { readJournal } from '../store/journal.ts';
import { registryFiles } from '../store/registryFile.ts';

/**
 * Somebody has removed the registry: something was started, which is entered before it is told, and nothing says what.
 * To be asked before the registry is opened.
 */
export function wasRegistryRemoved(stateDir: string): boolean {
  const { whole, changes } = registryFiles(stateDir);
  // A first supervisor that was killed before it wrote the whole has left all changes, from the first on.
  if (existsSync(whole) || firstLine(changes).startsWith('{"change":1,')) return false;
  return readJournal(stateDir).events.some(({ event }) => event === 'service_spawned' || event === 'task_started');
}

function firstLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').split('\n', 1)[0] ?? '';
  } catch {
    return '';
  }
}
