/** Every kind of state, event and setting of the service policy that can matter to a transition. */

import type {
  Failure,
  ServiceFacts,
  ServicePolicySettings,
  ServiceState,
  StopPurpose,
} from '../../../server/service/policy/state.ts';
import type { ServiceEvent } from '../../../server/service/policy/types.ts';
import { type Accounting, emptyAccounting } from '../../../server/service/restartCore.ts';

export const NOW = 1_000_000_000;
export const INCARNATION = 7;

export const defaults: ServicePolicySettings = {
  policy: 'on-failure',
  backoff: { initialMs: 1000, maxMs: 60_000 },
  crashes: { count: 8, windowMs: 300_000 },
  slow: { count: 10, windowMs: 3_600_000 },
  clean: { count: 10, windowMs: 60_000 },
  drains: { count: 3, windowMs: 600_000 },
  wedges: { count: 3, windowMs: 1_800_000 },
  recoveryMs: 60_000,
  failures: 3,
};

/** The numbers as they come, each policy, a wedge at the first failure, no delays at all, budgets that nothing fits in. */
export const everySetting: readonly ServicePolicySettings[] = (['always', 'on-failure', 'no'] as const).flatMap(
  (policy) => [
    { ...defaults, policy },
    { ...defaults, policy, failures: 1 },
    { ...defaults, policy, backoff: { initialMs: 0, maxMs: 0 } },
    {
      ...defaults,
      policy,
      failures: 1,
      crashes: { count: 1, windowMs: 300_000 },
      drains: { count: 0, windowMs: 600_000 },
      wedges: { count: 0, windowMs: 600_000 },
    },
  ],
);

const failures: readonly Failure[] = [
  { why: { reason: 'crashes', count: 8, windowMs: 300_000 }, message: null, confirmed: 0, survivors: 0 },
  { why: { reason: 'not_restarted' }, message: null, confirmed: 0, survivors: 0 },
  { why: { reason: 'survivors' }, message: null, confirmed: 0, survivors: 1 },
];

const purposes: readonly StopPurpose[] = [
  { kind: 'stop', because: null },
  { kind: 'restart' },
  { kind: 'respawn' },
  { kind: 'backoff', delayMs: 0, message: 'no answer' },
  { kind: 'backoff', delayMs: 1000, message: 'no answer' },
  ...failures.map((failure) => ({ kind: 'fail', failure }) as const),
  { kind: 'complete' },
];

export function everyState(): ServiceState[] {
  const accountings: Accounting[] = [
    emptyAccounting(),
    { ...emptyAccounting(), crashes: 7, lastCrashAt: NOW - 1000, slow: Array.from({ length: 7 }, () => NOW - 1000) },
    { ...emptyAccounting(), slow: Array.from({ length: 10 }, () => NOW - 400_000), lastCrashAt: NOW - 400_000 },
  ];
  return accountings.flatMap((accounting) =>
    statesWith({ incarnation: INCARNATION, restarts: 3, lastExit: null, accounting }),
  );
}

function statesWith(facts: ServiceFacts): ServiceState[] {
  const startedAt = NOW - 10_000;
  const backoff = { name: 'backoff', delayMs: 1000, reason: 'crash', message: null } as const;
  return [
    { ...facts, name: 'stopped', because: null },
    { ...facts, name: 'stopped', because: 'idle' },
    { ...facts, name: 'starting', launched: false, startedAt, warnedBytes: null },
    { ...facts, name: 'starting', launched: true, startedAt, warnedBytes: null },
    { ...facts, name: 'starting', launched: true, startedAt, warnedBytes: 1 },
    { ...facts, name: 'ready', startedAt, recoverAt: null },
    { ...facts, name: 'ready', startedAt, recoverAt: NOW },
    { ...facts, name: 'ready', startedAt, recoverAt: NOW + 5 },
    { ...facts, name: 'degraded', startedAt, failedProbes: 1, message: 'no answer', warnedBytes: null },
    { ...facts, name: 'degraded', startedAt, failedProbes: 2, message: 'no answer', warnedBytes: 1 },
    { ...facts, name: 'degraded', startedAt, failedProbes: 0, message: null, warnedBytes: 1 },
    { ...facts, ...backoff, reaping: true, respawnAt: NOW },
    { ...facts, ...backoff, reaping: true, respawnAt: NOW + 500 },
    { ...facts, ...backoff, reaping: false, respawnAt: NOW },
    { ...facts, ...backoff, reaping: false, respawnAt: NOW + 500 },
    ...purposes.flatMap((purpose) =>
      [null, NOW - 5].map(
        (exitedAt) => ({ ...facts, name: 'stopping', startedAt, purpose, cause: 'requested_stop', exitedAt }) as const,
      ),
    ),
    ...failures.map((failure) => ({ ...facts, name: 'failed', failure }) as const),
    { ...facts, name: 'completed' },
  ];
}

export function everyEvent(incarnation: number): ServiceEvent[] {
  const message = 'no answer';
  return [
    { type: 'start' },
    { type: 'stop' },
    { type: 'restart' },
    { type: 'reset' },
    { type: 'spawned', incarnation },
    { type: 'spawn_failed', incarnation, message },
    { type: 'exited', incarnation, status: { code: 0, signal: null } },
    { type: 'exited', incarnation, status: { code: 1, signal: null } },
    { type: 'exited', incarnation, status: { code: null, signal: 'SIGKILL' } },
    { type: 'exited', incarnation, status: { code: null, signal: null } },
    { type: 'emptied', incarnation, confirmed: 0, survivors: 0 },
    { type: 'emptied', incarnation, confirmed: 1, survivors: 2 },
    { type: 'probe_ready', incarnation },
    { type: 'readiness_timeout', incarnation, message },
    { type: 'live', incarnation, ok: true, message },
    { type: 'live', incarnation, ok: false, message },
    { type: 'memory', incarnation, level: 'ok', bytes: 1 },
    { type: 'memory', incarnation, level: 'warn', bytes: 2 },
    { type: 'memory', incarnation, level: 'over', bytes: 3 },
    { type: 'idle', incarnation },
    { type: 'timer', timer: 'respawn', incarnation },
    { type: 'timer', timer: 'recovery', incarnation },
    { type: 'adopted', incarnation, ready: false },
    { type: 'adopted', incarnation, ready: true, startedAt: NOW - 60_000 },
  ];
}
