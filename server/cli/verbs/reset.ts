import { requestNames } from '../outcomes.ts';
import type { Verb } from '../verb.ts';
import { withSupervisor } from '../withSupervisor.ts';

export const reset: Verb = {
  name: 'reset',
  summary: 'clear a failed service',
  usage: '<name...>',
  description:
    'Takes a service out of state failed: its crash, drain and wedge counts go back to 0, and it may be started again. Coppice gives up on a service when a restart budget is spent, so that a broken one does not restart for ever; `coppice ps` and `coppice logs <name>` say why it gave up. Exit code 1 when a service is not in state failed.',
  positionals: { least: 1, most: Number.POSITIVE_INFINITY },
  options: [],
  examples: [{ command: 'coppice reset web && coppice start web', effect: 'gives web another chance after a repair' }],
  run: (context, { positionals }) =>
    withSupervisor(context, { mode: 'join' }, (attached) => requestNames(context, attached, 'reset', positionals)),
};
