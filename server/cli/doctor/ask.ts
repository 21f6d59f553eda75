import { connect } from '../../api/client.ts';
import type { SupervisorAnswer } from '../../doctor/facts.ts';
import type { SupervisorLock } from '../../store/types.ts';
import { version } from '../../text/version.ts';
import { endpointObjection } from '../workspace.ts';

/** A loop that is held up for longer than this keeps people waiting too. */
const PATIENCE_MS = 800;

/** Says hello to whoever holds the workspace and goes again: does it answer at all? */
export async function askSupervisor({ endpoint }: SupervisorLock): Promise<SupervisorAnswer> {
  const objection = endpointObjection(endpoint);
  if (objection !== null) return { kind: 'refused', detail: objection };
  const began = performance.now();
  const hello = { kind: 'cli', pid: process.pid, version: version(), session: null } as const;
  const connected = await connect(endpoint, hello, { timeoutMs: PATIENCE_MS });
  if (connected.ok) {
    connected.client.close();
    return { kind: 'answered', afterMs: Math.round(performance.now() - began) };
  }
  const { failure } = connected;
  switch (failure.reason) {
    case 'no_answer':
      return { kind: 'silent', afterMs: Math.round(failure.afterMs) };
    case 'not_listening':
    case 'no_permission':
    case 'version_mismatch':
    case 'refused':
      return { kind: failure.reason === 'not_listening' ? 'not_listening' : 'refused', detail: failure.detail };
    default:
      return failure satisfies never;
  }
}
