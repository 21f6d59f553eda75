/** Asks for a guardian while no descriptor is left, and again when there are some. Prints what came of it. */
import { closeSync, openSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { type GuardianPlan, guardianWays, launchGuardian } from '../../../server/process/guardian.ts';

const plan: GuardianPlan = {
  delaysMs: [],
  losses: 0,
  argv: ['/bin/true'],
  env: {},
  logPath: '/dev/null',
  recordPath: '/no/such/folder/record',
  recordText: { before: '', after: '' },
};
const ways = guardianWays();
const open: number[] = [];
try {
  for (;;) open.push(openSync('/dev/null', 'r'));
} catch {
  // None is left.
}
const without = launchGuardian('test', plan, ways);
for (const fd of open) closeSync(fd);
await turn();
const again = launchGuardian('test', plan, ways);
console.log(JSON.stringify([without !== null, again !== null]));
again?.dismiss();
