import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { bootId, liveness } from '../../process/identity.ts';
import type { ProcessRow } from '../../process/types.ts';
import type { Stage } from './stage.ts';
import { fails, holds, type Outcomes, untested } from './types.ts';

const GUARANTEE = 'what escapes its tree (setsid, double fork, env -i, set -m) is found and ended by a stop';
const WAYS = 4;

/** Processes that leave their group, their session, their parent and their environment. */
export async function* drillEscapees(stage: Stage): Outcomes {
  if (!hasProgram('setsid', stage.searchPath)) return yield untested(GUARANTEE, 'there is no `setsid` program on PATH');
  // A number of seconds that nobody else sleeps, to find them by without any help of Coppice.
  const seconds = String(1_000_000 + randomInt(8_000_000));
  const script = [
    `setsid sleep ${seconds} &`,
    `(setsid sh -c 'sleep ${seconds} &' &)`,
    `env -i PATH="$PATH" setsid sleep ${seconds} &`,
    `set -m; sleep ${seconds} &`,
    'echo escaped; while :; do sleep 1; done',
  ].join('\n');
  const trouble = await stage.up({ escapees: { command: ['sh', '-c', script], ready: { log: 'escaped' } } });
  if (trouble !== null) return yield fails(GUARANTEE, trouble);
  const there = await stage.until(async () => {
    const rows = (await stage.called(seconds)).filter((row) => row.name === 'sleep');
    return rows.length === WAYS ? rows : null;
  }, 10_000);
  if (there === null) return yield untested(GUARANTEE, 'the escapees did not come to be');
  const stopped = await stage.coppice(['stop', 'escapees', '--json']);
  const left = there.filter(isAlive);
  if (left.length > 0)
    return yield fails(GUARANTEE, `pid ${left.map((one) => one.pid).join(', ')} lived on after the stop`);
  if (!stopped.ok || stopped.code !== 0)
    return yield fails(GUARANTEE, 'all of them ended, and `stop` reports a failure');
  return yield holds(
    GUARANTEE,
    `${there.length} escapees in ${sessions(there)} sessions, all gone when \`stop\` returned`,
  );
}

function isAlive({ pid, startTime }: ProcessRow): boolean {
  return liveness({ pid, startTime, bootId: bootId() }) === 'alive';
}

function sessions(rows: readonly ProcessRow[]): number {
  return new Set(rows.map((row) => row.session)).size;
}

function hasProgram(name: string, searchPath: string): boolean {
  return searchPath.split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, name)));
}
