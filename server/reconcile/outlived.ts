import { recall } from '../service/succession.ts';
import { isLeftover } from '../store/leftover.ts';
import type { TreeRecord } from '../store/types.ts';

/**
 * Records of services' trees that were proven empty and accounted for: the policy had gone on to the next incarnation, and
 * its supervisor was killed before it could forget the one before. To be taken over, their ends would count as crashes.
 */
export function outlived(records: readonly TreeRecord[], services: Readonly<Record<string, unknown>>): TreeRecord[] {
  return records.filter(({ role, key, name, incarnation }) => {
    if (role !== 'service' || isLeftover(key)) return false;
    return incarnation < (recall(services[name])?.state.incarnation ?? 0);
  });
}
