/** What a supervisor does when its workspace is held by another: pure rules. */
import type { HolderVerdict } from '../store/holder.ts';
import type { SupervisorLock } from '../store/types.ts';

export interface Loss {
  /**
   * `hand_over`: the new holder finds the same records and sees the same processes, so what runs is left to it, under
   * the same pids. `stop`: nobody would look after it.
   */
  readonly trees: 'hand_over' | 'stop';
  /** The files of the state directory are the new holder's as well: from now on they are its alone. */
  readonly isStateShared: boolean;
  /** Who has it; `null`: nobody can tell. */
  readonly holder: { readonly pid: number; readonly host: string } | null;
}

/** `verdict`: how the new holder stands, judged from here. */
export function judgeLoss(own: SupervisorLock, thief: SupervisorLock | null, verdict: HolderVerdict): Loss {
  if (thief === null) return { trees: 'stop', isStateShared: false, holder: null };
  const isStateShared = thief.stateDir === own.stateDir;
  const seesTheSame =
    thief.bootId === own.bootId && thief.hostname === own.hostname && thief.pidNamespace === own.pidNamespace;
  return {
    trees: isStateShared && seesTheSame && verdict === 'live' ? 'hand_over' : 'stop',
    isStateShared,
    holder: { pid: thief.pid, host: thief.hostname },
  };
}
