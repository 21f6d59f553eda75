/** Journals as a supervisor would have written them, and facts around them, for readers that never ask one. */

import type { WhyFacts } from '../../server/cli/why/types.ts';
import { analyse } from '../../server/config/analyse.ts';
import type { JournalEvent } from '../../server/store/types.ts';

export const BEGAN = Date.UTC(2026, 0, 31, 12, 0, 0);

/** `[milliseconds after the beginning, event, fields]`; the supervisor is 700 unless a field says otherwise. */
export type Line = readonly [after: number, event: string, fields?: Readonly<Record<string, unknown>>];

export function journalOf(...lines: readonly Line[]): JournalEvent[] {
  return lines.map(([after, event, fields = {}], index) => ({
    supervisor: 700,
    ...fields,
    seq: index + 1,
    at: BEGAN + after,
    event,
  }));
}

export function factsOf(configuration: string, facts: Partial<WhyFacts>): WhyFacts {
  const result = analyse(configuration, '/workspace/coppice.yaml', '/workspace');
  if (!result.ok) throw new Error(result.diagnostics[0]?.message);
  return {
    now: BEGAN + 60_000,
    events: [],
    skipped: 0,
    supervisor: { kind: 'serving', pid: 700 },
    statuses: new Map(),
    tasks: new Map(),
    snapshots: {},
    trees: [],
    services: result.config.services,
    taskConfigs: result.config.tasks,
    configurationError: null,
    placeOf: (path) => `coppice.yaml:${path.length}`,
    portHolders: new Map(),
    logOf: (name) => `/state/logs/${name}.log`,
    ...facts,
  };
}
