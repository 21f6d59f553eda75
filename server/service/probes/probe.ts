import type { ProbeTarget } from '../../config/model.ts';
import { withPort } from '../tree.ts';
import { createExecProber } from './exec.ts';
import { createHttpProber } from './http.ts';
import { createLogProber } from './log.ts';
import { createLspProber } from './lsp.ts';
import { createTcpProber } from './tcp.ts';
import type { ProbeContext, ProbePurpose, Prober } from './types.ts';

/** The prober of `target` for one incarnation. */
export function createProber(target: ProbeTarget, context: ProbeContext, purpose: ProbePurpose): Prober {
  switch (target.kind) {
    case 'http':
      return createHttpProber(withPort(target.target, context.port), context);
    case 'tcp':
      return createTcpProber(withPort(target.port, context.port), context);
    case 'log':
      return createLogProber(target.pattern, context, purpose);
    case 'exec':
      return createExecProber(target.command, context);
    case 'lsp':
      return createLspProber(context, purpose);
    default:
      return target satisfies never;
  }
}
