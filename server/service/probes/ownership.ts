/**
 * A port that answers is not yet this service: a leftover of another start, or another program altogether, may have
 * it. So what answered counts only when a process of the tree listens there.
 */
import { isIPv6 } from 'node:net';
import { describePortHolder, type ListeningPort, listeningPorts, portOwner } from '../../process/ports.ts';
import type { ProbeContext, ProbeResult } from './types.ts';

/** `null` when a process of the tree listens at `address` and `port`, else the failure that says who does. */
export async function findStranger(context: ProbeContext, address: string, port: number): Promise<ProbeResult | null> {
  for (const freshness of ['recent', 'now'] as const) {
    const listeners = await listeningPorts([...(await context.treePids(freshness))]);
    if (listeners.some((listener) => covers(listener, address, port))) return null;
  }
  const owner = await portOwner(port);
  const holder = owner === null ? 'a process that cannot be seen' : describePortHolder(owner, false);
  return { ok: false, detail: `port ${port} is answered by a process outside the service: ${holder}` };
}

/** Whether a connection to `address` and `port` may have reached this listener. */
export function covers(listener: ListeningPort, address: string, port: number): boolean {
  if (listener.port !== port) return false;
  const [bound, asked] = [plainAddress(listener.address), plainAddress(address)];
  if (bound === asked || bound === '*') return true;
  // On most systems `::` takes IPv4 connections as well.
  return bound === '::' || (bound === '0.0.0.0' && !isIPv6(asked));
}

/** Addresses of this machine's loopback in the order in which a browser would try them. */
export const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

/** Where to ask for `host`: both loopback addresses for `localhost`, as a server may listen on only one of them. */
export function addressesOf(host: string): readonly string[] {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost') || name === '0.0.0.0' || name === '::') return LOOPBACK;
  return [name];
}

export function isLoopback(address: string): boolean {
  return address === '::1' || /^127(\.\d+){3}$/.test(address);
}

function plainAddress(address: string): string {
  const plain = address.toLowerCase().replace(/^\[|\]$/g, '');
  return plain.startsWith('::ffff:') && plain.includes('.') ? plain.slice('::ffff:'.length) : plain;
}
