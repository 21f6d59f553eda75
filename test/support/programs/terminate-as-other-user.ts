/** Drops to another user, then tries to stop the tree given as JSON and prints the proof. */
import { terminateTree } from '../../../server/process/termination.ts';
import type { TreeIdentity } from '../../../server/process/types.ts';

const tree = JSON.parse(process.argv[2] ?? '') as TreeIdentity;
process.setgid?.(65534);
process.setuid?.(65534);
const proof = await terminateTree(tree, { stopSignal: 'SIGTERM', stopTimeoutMs: 20, killLimitMs: 50 });
console.log(JSON.stringify(proof));
