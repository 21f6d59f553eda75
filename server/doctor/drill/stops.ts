import { liveness } from '../../process/identity.ts';
import type { Stage } from './stage.ts';
import { fails, holds, type Outcomes } from './types.ts';

const DEAF = 'a tree that is deaf to SIGTERM is ended all the same, and soon after its time is up';
const LOOP = 'a service that crashes again and again is given up, and says how to go on';
const STOP_TIMEOUT_MS = 500;
const SLACK_MS = 3_000;

/** Nobody in it listens: shell, child and grandchild. */
export async function* drillDeafTree(stage: Stage): Outcomes {
  const script = 'trap "" TERM INT HUP; (sh -c "while :; do sleep 1; done" &); echo up; while :; do sleep 1; done';
  const trouble = await stage.up({
    deaf: { command: ['sh', '-c', script], ready: { log: 'up' }, stopTimeout: `${STOP_TIMEOUT_MS}ms` },
  });
  const record = stage.record('deaf');
  if (trouble !== null || record === null) return yield fails(DEAF, trouble ?? 'it did not come up');
  const began = performance.now();
  const stopped = await stage.coppice(['stop', 'deaf']);
  const ms = Math.round(performance.now() - began);
  const left = await stage.marked();
  if (liveness(record.tree.leader) === 'alive' || left.length > 0)
    return yield fails(DEAF, `${left.length + 1} live on`);
  if (!stopped.ok || stopped.code !== 0) return yield fails(DEAF, 'it is gone, and `stop` reports a failure');
  if (ms > STOP_TIMEOUT_MS + SLACK_MS) return yield fails(DEAF, `it took ${ms} ms`);
  return yield holds(DEAF, `gone after ${ms} ms, of which ${STOP_TIMEOUT_MS} ms were its own`);
}

/** A breaker of three, at once. */
export async function* drillCrashLoop(stage: Stage): Outcomes {
  stage.configure({
    broken: {
      command: ['sh', '-c', 'exit 3'],
      restart: { backoff: { initial: '10ms', max: '20ms' }, crashes: { count: 3 } },
    },
  });
  const up = await stage.coppice(['up', '--detach']);
  const opened = await stage.until(() => stage.events().find((one) => one.event === 'breaker_open') ?? null, 10_000);
  if (opened === null) return yield fails(LOOP, 'it was started again without end');
  const starts = stage.events().filter((one) => one.event === 'service_spawned').length;
  if (starts !== 3) return yield fails(LOOP, `${starts} starts instead of 3`);
  if (!up.ok || up.code !== 1) return yield fails(LOOP, '`up` did not say so by its exit code');
  const named = up.stderr.includes('coppice reset broken') || up.stdout.includes('coppice reset broken');
  yield named ? holds(LOOP, 'given up after 3 crashes') : fails(LOOP, 'the way out was not named');
}
