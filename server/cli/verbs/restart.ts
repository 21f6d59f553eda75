import { requestNames } from '../outcomes.ts';
import type { Verb } from '../verb.ts';
import { withSupervisor } from '../withSupervisor.ts';

export const restart: Verb = {
  name: 'restart',
  summary: 'restart services',
  usage: '<name...>',
  description:
    'Stops each service, proves that its tree is empty, and starts it again; it returns when the new incarnation was started, not when it is ready (`coppice wait <name>`). A restart that was asked for counts against no budget. A service that is stopped is started. If no supervisor runs, one is started.',
  positionals: { least: 1, most: Number.POSITIVE_INFINITY },
  options: [],
  examples: [{ command: 'coppice restart web', effect: 'a new incarnation of web, after the old one is proven gone' }],
  run: (context, { positionals }) =>
    withSupervisor(context, { mode: 'start' }, (attached) => requestNames(context, attached, 'restart', positionals)),
};
