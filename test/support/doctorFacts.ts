import type { DoctorFacts, MarkedProcess, SupervisorProcess, TreeFacts } from '../../server/doctor/facts.ts';
import { NO_STATE } from '../../server/doctor/gather/state.ts';
import type { HeartbeatLook } from '../../server/doctor/suspicion.ts';
import type { Liveness, TreeMember } from '../../server/process/types.ts';
import type { HeartbeatReading } from '../../server/store/heartbeat.ts';
import type { Heartbeat, SupervisorLock, TreeRecord } from '../../server/store/types.ts';

export const NOW = 1_700_000_000_000;
/** The clock that stands still in sleep, at the same moment. */
export const STEADY = 7_200_000;

export function lock(change: Partial<SupervisorLock> = {}): SupervisorLock {
  return {
    pid: 500,
    startTime: '77',
    bootId: 'boot',
    hostname: 'host',
    pidNamespace: null,
    endpoint: '/run/s',
    stateDir: '/state',
    version: '0.1.0',
    startedAt: NOW - 3_600_000,
    limits: { maxHeapMb: 512 },
    ...change,
  };
}

export function heartbeat(change: Partial<Heartbeat> = {}): Heartbeat {
  return {
    pid: 500,
    startTime: '77',
    at: NOW - 3000,
    uptimeMs: 3_600_000,
    eventLoopDelayMs: 1,
    memory: { heapUsedMb: 10, rssMb: 60 },
    services: {},
    runs: [],
    ...change,
  };
}

/** Nothing runs and nothing is recorded, unless said otherwise. */
export function facts(change: Partial<DoctorFacts> = {}): DoctorFacts {
  return {
    now: NOW,
    root: '/w',
    id: 'wid',
    stateDir: '/state',
    lock: null,
    holder: null,
    lockFile: { kind: change.lock == null ? 'absent' : 'lock', detail: null, foreignUser: null },
    supervisors: [],
    answer: { kind: 'not_asked' },
    heartbeat: { kind: 'absent' },
    firstLook: null,
    clock: { steady: STEADY, bootId: 'boot' },
    suspendedMs: 0,
    guardian: { kind: 'absent' },
    config: null,
    configured: change.config?.ok === true ? change.config.config.services : new Map(),
    services: {},
    trees: [],
    marked: [],
    ports: [],
    environment: { stripped: [], preserved: [], leaked: [] },
    state: { ...NO_STATE },
    symptoms: { events: [], addressInUse: [] },
    machine: {
      machine: {
        node: '24.0.0',
        wsl: false,
        container: null,
        init: 'systemd',
        inotify: { watches: 524_288, instances: 512 },
        watchFailure: null,
        openFiles: 65_536,
      },
      folders: [],
      unreaped: 0,
      supervisorFiles: null,
    },
    problems: [],
    ...change,
  };
}

export function marker(name: string): string {
  return `wid/${name}/1/abc`;
}

export function treeFacts(name: string, pid: number, leader: Liveness, memberPids: readonly number[]): TreeFacts {
  const identity = (one: number) => ({ pid: one, startTime: '88', bootId: 'boot' });
  const members = memberPids.map((one): TreeMember => ({ identity: identity(one), evidence: 'session', name: 'node' }));
  const record: TreeRecord = {
    key: `service/${name}`,
    name,
    role: 'service',
    incarnation: 1,
    tree: { leader: identity(pid), keeper: identity(pid - 1), group: pid, session: pid, marker: marker(name) },
    owner: { kind: 'configuration' },
    onSupervisorLoss: 'adopt',
    logPath: `/state/logs/${name}.log`,
    outputOffset: 0,
    exitRecordPath: '/state/exit',
    ports: [],
    startedAt: NOW - 60_000,
    readyAt: null,
    environment: [],
    lineage: [],
  };
  return { record, leader, members, abroad: new Set() };
}

export function marked(pid: number, name: string, session = pid): MarkedProcess {
  return {
    pid,
    startTime: '88',
    parent: 1,
    group: session,
    session,
    name: 'node',
    command: 'node server.js',
    marker: marker(name),
  };
}

export function supervisor(pid: number, stopped = false): SupervisorProcess {
  return { identity: { pid, startTime: '77', bootId: 'boot' }, parent: 1, stopped };
}

export function beat(change: Partial<Heartbeat> = {}): HeartbeatReading {
  return { kind: 'heartbeat', heartbeat: heartbeat(change) };
}

/** The round before the last, that long ago; nothing slept in between unless `sleptMs` says so. */
export function earlierLook(reading: HeartbeatReading, agoMs = 600, sleptMs = 0): HeartbeatLook {
  return { reading, clocks: { wall: NOW - agoMs - sleptMs, steady: STEADY - agoMs, bootId: 'boot' } };
}
