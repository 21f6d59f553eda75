import * as linux from './platform/linux/connections.ts';

/**
 * How many established connections `port` of this machine serves to sockets that none of `pids` holds. `null` where
 * the platform does not tell.
 */
export function connectionsFromOutside(port: number, pids: readonly number[]): number | null {
  return process.platform === 'linux' ? linux.connectionsFromOutside(port, pids) : null;
}
