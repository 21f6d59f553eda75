import { requestNames } from '../outcomes.ts';
import type { Verb } from '../verb.ts';
import { withSupervisor } from '../withSupervisor.ts';

export const start: Verb = {
  name: 'start',
  summary: 'start services',
  usage: '<name...>',
  description: [
    'Starts services, and first what they depend on. It does not wait until they are ready: `coppice wait <name>` does.',
    'A service that runs already is left as it is. One in state failed has spent a restart budget and is not started: look at its logs, then `coppice reset <name>`. If no supervisor runs, one is started.',
  ].join('\n'),
  positionals: { least: 1, most: Number.POSITIVE_INFINITY },
  options: [],
  examples: [
    {
      command: 'coppice start web api && coppice wait web',
      effect: 'starts two services and waits until one is ready',
    },
  ],
  run: (context, { positionals }) =>
    withSupervisor(context, { mode: 'start' }, (attached) => requestNames(context, attached, 'start', positionals)),
};
