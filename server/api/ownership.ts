/** Whose it is what a client asks for. */
import { identify } from '../process/identity.ts';
import { CONFIGURATION } from '../service/owners.ts';
import type { Owner, SessionHolder, SessionOwner } from '../store/types.ts';
import { TERMINAL_SESSION } from '../task/commands.ts';
import type { HelloParams } from './protocol.ts';

type Client = HelloParams['client'];

/** Without a session of its own a client speaks for the configuration. */
export function ownerOf(client: Client | null): Owner {
  return sessionOf(client) ?? CONFIGURATION;
}

export function sessionOf(client: Client | null): SessionOwner | null {
  if (client === null || client.session === null) return null;
  return { kind: 'session', session: client.session, holder: holderOf(client), process: identify(client.pid) };
}

/** A command's: of the named session, or of the terminal alone that asked for it. */
export function ownerOfCommand(client: Client | null, session: string | null): SessionOwner {
  const process = client === null ? null : identify(client.pid);
  if (session === null)
    return { kind: 'session', session: `${TERMINAL_SESSION}${client?.pid ?? 0}`, holder: 'terminal', process };
  const holder = client?.session === session ? holderOf(client) : 'named';
  return { kind: 'session', session, holder, process };
}

function holderOf({ kind, holder }: Client): SessionHolder {
  if (holder !== undefined) return holder;
  switch (kind) {
    case 'editor':
      return 'window';
    case 'cli':
      return 'terminal';
    case 'agent':
    case 'other':
      return 'named';
    default:
      return kind satisfies never;
  }
}
