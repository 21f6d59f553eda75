import { connect } from '../../api/client.ts';
import type { SupervisorAnswer } from '../../doctor/facts.ts';
import type { SupervisorLock } from '../../store/types.ts';
import { version } from '../../text/version.ts';
import { endpointObjection } from '../workspace.ts';

/** A loop that is held up for longer than this keeps people waiting too. */
const PATIENCE_MS = 800;

/** Says hello to whoever holds the workspace: does it answer at all, and what does it run, whatever is on record? */
export async function askSupervisor({ endpoint }: SupervisorLock): Promise<SupervisorAnswer> {
  const objection = endpointObjection(endpoint);
  if (objection !== null) return { kind: 'refused', detail: objection };
  const began = performance.now();
  const hello = { kind: 'cli', pid: process.pid, version: version(), session: null } as const;
  const connected = await connect(endpoint, hello, { timeoutMs: PATIENCE_MS });
  if (connected.ok) {
    const afterMs = Math.round(performance.now() - began);
    const status = await connected.client.request('status', {}, { timeoutMs: PATIENCE_MS });
    connected.client.close();
    const { services, sessions } = status.ok ? status.value : { services: [], sessions: [] };
    const configured = new Set(services.map((one) => one.name));
    return {
      kind: 'answered',
      afterMs,
      leaders: services.flatMap(({ pid }) => pid ?? []),
      names: sessions.flatMap(({ owns }) => owns.filter((name) => !configured.has(name))),
    };
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
