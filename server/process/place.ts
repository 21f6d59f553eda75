import { hostname } from 'node:os';
import { pidNamespace } from './namespace.ts';

/** Where a pid means what it says: a machine, and a pid namespace on it (`null` where there are none). */
export interface Place {
  readonly hostname: string;
  readonly pidNamespace: string | null;
}

let known: Place | null = null;

export function here(): Place {
  known ??= { hostname: hostname(), pidNamespace: pidNamespace() };
  return known;
}
