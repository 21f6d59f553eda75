import { type ConditionReader, decideStart } from './dependencies.ts';
import type { Intent } from './intent.ts';
import type { ManagedService } from './service.ts';

/** Starts what was asked for and can start now; the rest says what it waits for. `true` when anything moved. */
export function startPending(
  intent: Intent,
  services: ReadonlyMap<string, ManagedService>,
  condition: ConditionReader,
): boolean {
  let moved = false;
  for (const [name, owner] of [...intent.pending]) {
    const service = services.get(name);
    if (service === undefined || !mayStart(service)) {
      // It is not there any more, or came to run in another way.
      intent.unpend(name);
      service?.pending.end();
      continue;
    }
    const decision = decideStart(service.config, condition);
    switch (decision.kind) {
      case 'start':
        intent.unpend(name);
        service.start(owner);
        moved = true;
        break;
      // Who waits for one that waits says so too, whichever of the two was looked at first.
      case 'wait':
        moved = service.pending.waitFor(decision.on.map((one) => one.name)) || moved;
        break;
      case 'blocked':
        moved = service.pending.block(decision.by, decision.because) || moved;
        break;
      default:
        decision satisfies never;
    }
  }
  return moved;
}

/** It rests, or will in a moment, and no budget of it is spent. */
export function mayStart(service: ManagedService): boolean {
  return (service.atRest || service.state === 'stopping') && !service.needsReset;
}
