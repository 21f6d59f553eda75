import { heartbeatAgeMs } from '../store/heartbeat.ts';
import type { Heartbeat, SupervisorLock } from '../store/types.ts';
import type { Supervisor } from '../supervisor.ts';
import type { StatusResult } from './protocol.ts';

/** `ps --json` of a live supervisor. */
export function readStatus(
  supervisor: Supervisor,
  lock: SupervisorLock,
  heartbeat: Heartbeat | null,
  guardian: { readonly pid: number } | null,
  sessions: StatusResult['sessions'],
): StatusResult {
  const { id, root, stateDir } = supervisor.host;
  const memory = process.memoryUsage();
  return {
    workspace: { id, root, stateDir },
    supervisor: {
      pid: process.pid,
      startedAt: lock.startedAt,
      version: lock.version,
      endpoint: lock.endpoint,
      limits: lock.limits,
      guardian: guardian === null ? null : { pid: guardian.pid },
      heartbeat: {
        ageMs: heartbeat === null ? 0 : Math.max(0, Math.round(heartbeatAgeMs(heartbeat))),
        memory: heartbeat?.memory ?? { heapUsedMb: toMb(memory.heapUsed), rssMb: toMb(memory.rss) },
      },
    },
    services: [...supervisor.services.values()].map((service) => service.status),
    runs: [...supervisor.runs.values()].map((run) => run.status),
    sessions,
  };
}

function toMb(bytes: number): number {
  return Math.round((bytes / 1024 / 1024) * 10) / 10;
}
