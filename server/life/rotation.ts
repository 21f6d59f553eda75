import { DEFAULT_ROTATION, rotateOutput } from '../process/output/index.ts';
import type { Supervisor } from '../supervisor.ts';

let rotating = false;

/** Cuts the logs of what runs down to size, one after another: a rotation copies up to 64 MB. */
export async function rotateLogs(supervisor: Supervisor): Promise<void> {
  if (rotating) return;
  rotating = true;
  try {
    const running = [...supervisor.services.values()].filter((service) => service.tree !== null);
    for (const service of running) {
      const result = await rotateOutput(service.log, DEFAULT_ROTATION);
      if (!result.ok)
        supervisor.host.journal('health_warn', { reason: result.failure.reason, detail: `log of ${service.name}` });
    }
  } finally {
    rotating = false;
  }
}
