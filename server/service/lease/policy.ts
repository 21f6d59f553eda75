import { sameProcess } from '../../process/identity.ts';
import type { ProcessIdentity } from '../../process/types.ts';
import type { Hold, Lease, LeaseAction, LeaseEvent, LeaseSettings, LeaseState } from './types.ts';

export interface LeaseStep {
  readonly state: LeaseState;
  readonly actions: readonly LeaseAction[];
}

/**
 * The rules of leases, pure. `now` is of a clock that stands still while the machine sleeps: an hour with the lid closed
 * is no absence.
 *
 *     connected                last one left,            processes gone
 *   ──────────────▶ held ───────────────────▶ lingering ────────────────▶ leaving ── grace over ──▶ ending ── reaped ──▶ (none)
 *                    ▲       a process lives      │                         │  ▲                      │
 *                    └────────────────────────────┴──────── connected ──────┘  └─── claimed meanwhile ┘
 */
export function step(state: LeaseState, event: LeaseEvent, now: number, settings: LeaseSettings): LeaseStep {
  switch (event.type) {
    case 'connected': {
      const lease = withProcess(state.get(event.session) ?? unheld(event, now), event.process);
      return put(state, { ...lease, unseen: false, hold: connect(lease.hold) });
    }
    case 'disconnected': {
      const lease = state.get(event.session);
      return lease === undefined ? same(state) : put(state, disconnect(lease, now));
    }
    case 'claimed': {
      const lease = withProcess(state.get(event.session) ?? unheld(event, now), event.process);
      return put(state, { ...lease, hold: claim(lease, now) });
    }
    case 'process_gone': {
      const lease = state.get(event.session);
      return lease === undefined ? same(state) : put(state, without(lease, event.process, now));
    }
    case 'time_passed':
      return passTime(state, now, settings);
    case 'reaped': {
      const lease = state.get(event.session);
      if (lease?.hold.name !== 'ending') return same(state);
      const { connections, claimed } = lease.hold;
      if (connections > 0) return put(state, { ...lease, hold: { name: 'held', connections } });
      if (claimed) return put(state, { ...lease, hold: rest(lease, now) });
      const left = new Map(state);
      left.delete(event.session);
      return { state: left, actions: [] };
    }
    default:
      return event satisfies never;
  }
}

/** In how many milliseconds `time_passed` may bring anything about; `null`: no lease is running out. */
export function nextEnd(state: LeaseState, now: number, settings: LeaseSettings): number | null {
  const ends = [...state.values()].map((lease) => endOf(lease, settings)).filter((end) => end !== null);
  return ends.length === 0 ? null : Math.max(0, Math.min(...ends) - now);
}

/** When a lease that is leaving is over; `null` for any other. */
export function endOf({ hold, unseen }: Lease, { graceMs, returnMs }: LeaseSettings): number | null {
  if (hold.name !== 'leaving') return null;
  return hold.since + (unseen ? Math.max(graceMs, returnMs) : graceMs);
}

function connect(hold: Hold): Hold {
  switch (hold.name) {
    case 'held':
      return { ...hold, connections: hold.connections + 1 };
    case 'ending':
      // It may start things, which belong to it when it is gone again before this end is over.
      return { ...hold, connections: hold.connections + 1, claimed: true };
    case 'lingering':
    case 'leaving':
      return { name: 'held', connections: 1 };
    default:
      return hold satisfies never;
  }
}

function disconnect(lease: Lease, now: number): Lease {
  const { hold } = lease;
  switch (hold.name) {
    case 'held':
      if (hold.connections > 1) return { ...lease, hold: { ...hold, connections: hold.connections - 1 } };
      return { ...lease, hold: rest(lease, now) };
    case 'ending':
      return { ...lease, hold: { ...hold, connections: Math.max(0, hold.connections - 1) } };
    case 'lingering':
    case 'leaving':
      return lease;
    default:
      return hold satisfies never;
  }
}

/** Without a connection. */
function rest({ processes }: Pick<Lease, 'processes'>, now: number): Hold {
  return processes.length > 0 ? { name: 'lingering' } : { name: 'leaving', since: now };
}

function claim(lease: Lease, now: number): Hold {
  const { hold } = lease;
  switch (hold.name) {
    case 'held':
    case 'lingering':
      return hold;
    case 'leaving':
      return rest(lease, now);
    case 'ending':
      return { ...hold, claimed: true };
    default:
      return hold satisfies never;
  }
}

function without(lease: Lease, process: ProcessIdentity, now: number): Lease {
  const processes = lease.processes.filter((one) => !sameProcess(one, process));
  const { hold } = lease;
  switch (hold.name) {
    case 'lingering':
      return { ...lease, processes, hold: rest({ processes }, now) };
    case 'held':
    case 'leaving':
    case 'ending':
      return { ...lease, processes };
    default:
      return hold satisfies never;
  }
}

function passTime(state: LeaseState, now: number, settings: LeaseSettings): LeaseStep {
  const over = [...state.values()].filter((lease) => (endOf(lease, settings) ?? Number.POSITIVE_INFINITY) <= now);
  if (over.length === 0) return same(state);
  const next = new Map(state);
  for (const lease of over)
    next.set(lease.session, { ...lease, hold: { name: 'ending', connections: 0, claimed: false } });
  return { state: next, actions: over.map(({ session }) => ({ type: 'reap', session })) };
}

/** A lease that nobody holds yet. */
function unheld({ session, holder }: Pick<Lease, 'session' | 'holder'>, now: number): Lease {
  return { session, holder, unseen: true, processes: [], hold: { name: 'leaving', since: now } };
}

function withProcess(lease: Lease, process: ProcessIdentity | null): Lease {
  if (process === null || lease.processes.some((one) => sameProcess(one, process))) return lease;
  return { ...lease, processes: [...lease.processes, process] };
}

function put(state: LeaseState, lease: Lease): LeaseStep {
  return { state: new Map(state).set(lease.session, lease), actions: [] };
}

function same(state: LeaseState): LeaseStep {
  return { state, actions: [] };
}
