/** Writes state into the directory in argv[2] as fast as it can, and prints each key once it is registered. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { writeFileAtomic, writeFileAtomicSync } from '../../../server/store/atomic.ts';
import { openRegistry } from '../../../server/store/registry.ts';
import type { TreeRecord } from '../../../server/store/types.ts';

const stateDir = process.argv[2] ?? '';
const { registry } = openRegistry(stateDir, { supervisor: { pid: process.pid, startTime: '1' }, debounceMs: 1 });
const filler = 'x'.repeat(200_000);

for (let at = registry.records().length; ; at += 1) {
  registry.registerNow(record(at));
  writeSync(1, `service/s${at}\n`);
  writeFileAtomicSync(join(stateDir, 'sync.json'), JSON.stringify({ at, filler }), { durable: false });
  void writeFileAtomic(join(stateDir, 'async.json'), JSON.stringify({ at, filler }), { durable: false });
  await setImmediate();
}

function record(at: number): TreeRecord {
  const leader = { pid: 500, startTime: '9', bootId: 'b' };
  return {
    key: `service/s${at}`,
    name: `s${at}`,
    role: 'service',
    incarnation: 1,
    tree: { leader, keeper: null, group: 500, session: 500, marker: `w/s${at}/1/r` },
    owner: { kind: 'configuration' },
    onSupervisorLoss: 'adopt',
    logPath: '/l',
    outputOffset: 0,
    exitRecordPath: '/e',
    ports: [],
    startedAt: 1,
    readyAt: null,
    environment: Array.from({ length: 40 }, (_, number) => `VARIABLE_${number}`),
    lineage: [],
  };
}
