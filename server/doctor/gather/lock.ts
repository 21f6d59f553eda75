import { lstatSync } from 'node:fs';
import type { LockReading } from '../../store/holder.ts';
import { lockPath } from '../../store/paths.ts';
import type { DoctorFacts, LockFileFacts } from '../facts.ts';

export function holderOf({ verdict }: LockReading): DoctorFacts['holder'] {
  switch (verdict) {
    case 'live':
      return 'alive';
    case 'presumed_live':
      return 'elsewhere';
    case 'stale':
      return 'dead';
    case 'absent':
    case 'corrupt':
    case 'unreadable':
      return null;
    default:
      return verdict satisfies never;
  }
}

export function readLockFacts(root: string, reading: LockReading): LockFileFacts {
  switch (reading.verdict) {
    case 'absent':
      return { kind: 'absent', detail: null, foreignUser: null };
    case 'corrupt':
      return { kind: 'corrupt', detail: reading.detail, foreignUser: foreignUser(root) };
    case 'unreadable':
      return { kind: 'unreadable', detail: reading.failure.detail, foreignUser: foreignUser(root) };
    case 'live':
    case 'presumed_live':
    case 'stale':
      return { kind: 'lock', detail: null, foreignUser: foreignUser(root) };
    default:
      return reading satisfies never;
  }
}

function foreignUser(root: string): number | null {
  const own = process.getuid?.();
  try {
    const { uid } = lstatSync(lockPath(root));
    return own === undefined || uid === own ? null : uid;
  } catch {
    return null;
  }
}
