import { liveness } from '../process/identity.ts';
import { readGuardianFile } from '../store/guardianFile.ts';
import type { Prospect } from './reconnect.ts';

/** Whether anybody sees to a successor of a supervisor that was lost, from what its guardian has left in the state directory. */
export function prospectOf(stateDir: string): Prospect {
  const file = readGuardianFile(stateDir);
  if (file === null) return 'unknown';
  if (file.gaveUp !== null) return { gaveUp: file.gaveUp.text };
  return file.guardian !== null && liveness(file.guardian) === 'alive' ? 'coming' : 'unknown';
}
