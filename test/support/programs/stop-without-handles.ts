/** Uses up every file handle, tries to stop the tree given as JSON, gives the handles back, tries again. */
import { closeSync, openSync } from 'node:fs';
import { terminateTree } from '../../../server/process/termination.ts';
import type { TreeIdentity } from '../../../server/process/types.ts';

const tree = JSON.parse(process.argv[2] ?? '') as TreeIdentity;
const held: number[] = [];
try {
  for (;;) held.push(openSync('/dev/null', 'r'));
} catch {}
const without = await terminateTree(tree, { stopSignal: 'SIGTERM', stopTimeoutMs: 1000 });
for (const handle of held) closeSync(handle);
const after = await terminateTree(tree, { stopSignal: 'SIGTERM', stopTimeoutMs: 1000 });
console.log(JSON.stringify([without, after]));
