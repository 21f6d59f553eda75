/** Stops trees whose records name this very process and its parent, and prints the proofs. */
import { identify } from '../../../server/process/identity.ts';
import { readProcessTable } from '../../../server/process/table.ts';
import { terminateTree } from '../../../server/process/termination.ts';

const proofs = [];
for (const pid of [process.pid, process.ppid]) {
  const leader = identify(pid);
  const row = readProcessTable().rows.get(pid);
  if (leader === null || row === undefined) continue;
  const record = { leader, keeper: leader, group: row.group, session: row.session, marker: 'a/b/1/c' };
  proofs.push(await terminateTree(record, { stopSignal: 'SIGTERM', stopTimeoutMs: 20 }));
}
console.log(JSON.stringify(proofs));
