import type { ServiceStatus, StatusResult } from '../../server/api/protocol.ts';

/** A service as `ps` shows it; stopped unless said otherwise. */
export function serviceStatus(name: string, change: Partial<ServiceStatus> = {}): ServiceStatus {
  return {
    name,
    kind: 'service',
    state: 'stopped',
    pid: null,
    incarnation: 0,
    restarts: 0,
    crashes: 0,
    lastExit: null,
    memoryMb: null,
    port: null,
    url: null,
    owner: 'configuration',
    ownerKind: 'configuration',
    readyAt: null,
    log: `/state/logs/${name}.log`,
    detail: null,
    startedAt: null,
    respawnAt: null,
    blockedBy: null,
    failure: null,
    enabled: true,
    outputOffset: 0,
    ...change,
  };
}

export function statusResult(services: readonly ServiceStatus[], change: Partial<StatusResult> = {}): StatusResult {
  return {
    workspace: { id: 'w', root: '/w', stateDir: '/state' },
    supervisor: null,
    services,
    runs: [],
    sessions: [],
    ...change,
  };
}
