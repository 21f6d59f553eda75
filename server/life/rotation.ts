import { DEFAULT_ROTATION, rotateOutput } from '../process/output/index.ts';
import type { Supervisor } from '../supervisor.ts';

let rotating = false;

/** Cuts the logs of what runs down to size, one after another: a rotation copies up to 64 MB. */
export async function rotateLogs(supervisor: Supervisor): Promise<void> {
  if (rotating) return;
  rotating = true;
  try {
    for (const { name, logPath } of supervisor.host.registry.records()) {
      const result = await rotateOutput(logPath, DEFAULT_ROTATION);
      if (!result.ok)
        supervisor.host.journal('health_warn', { reason: result.failure.reason, detail: `log of ${name}` });
    }
  } catch (error) {
    supervisor.host.journal('health_warn', { reason: 'rotation_failed', detail: (error as Error).message });
  } finally {
    rotating = false;
  }
}
