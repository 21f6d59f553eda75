/** Policies that each break one promise, to prove that the checker would notice. */

import { step } from '../../../../server/service/policy/policy.ts';
import type { ServiceEvent } from '../../../../server/service/policy/types.ts';
import { emptyAccounting } from '../../../../server/service/restartCore.ts';
import type { Policy } from './world.ts';

export const mutants: readonly { readonly promise: string; readonly policy: Policy }[] = [
  {
    promise: 'what a crash left is reaped',
    policy: (...given) => {
      const { state, actions } = step(...given);
      return { state, actions: actions.filter((action) => action.type !== 'reap') };
    },
  },
  {
    promise: 'the respawn waits for the proof that the tree is empty',
    policy: (state, event, now, settings, random) => {
      const made = step(state, event, now, settings, random);
      if (made.state.name !== 'backoff' || !made.state.reaping || event.type !== 'exited') return made;
      const incarnation = state.incarnation;
      const emptied = step(
        made.state,
        { type: 'emptied', incarnation, confirmed: 0, survivors: 0 },
        now,
        settings,
        random,
      );
      return { state: emptied.state, actions: [...made.actions, ...emptied.actions] };
    },
  },
  {
    promise: 'survivors prevent the next start',
    policy: (state, event, now, settings, random) =>
      step(state, event.type === 'emptied' ? { ...event, survivors: 0 } : event, now, settings, random),
  },
  {
    promise: 'a stop during backoff starts nothing afterwards (R21)',
    policy: (state, event, ...rest) =>
      state.name === 'backoff' && event.type === 'stop' ? { state, actions: [] } : step(state, event, ...rest),
  },
  {
    promise: 'a stop overrides a restart that is under way',
    policy: (state, event, ...rest) =>
      state.name === 'stopping' && event.type === 'stop' ? { state, actions: [] } : step(state, event, ...rest),
  },
  {
    promise: 'a requested stop counts nothing (R56)',
    policy: (state, event, now, settings, random) => {
      const made = step(state, event, now, settings, random);
      if (state.name !== 'stopping' || event.type !== 'exited' || made.actions.length === 0) return made;
      const { accounting } = made.state;
      return { ...made, state: { ...made.state, accounting: { ...accounting, crashes: accounting.crashes + 1 } } };
    },
  },
  {
    promise: 'the breaker opens at exactly its number, not one later (R57)',
    policy: (state, event, now, settings, random) => {
      const { count, windowMs } = settings.crashes;
      return step(state, event, now, { ...settings, crashes: { count: count + 1, windowMs } }, random);
    },
  },
  {
    promise: 'the breaker opens at exactly its number, not one earlier (R57)',
    policy: (state, event, now, settings, random) => {
      const { count, windowMs } = settings.crashes;
      return step(state, event, now, { ...settings, crashes: { count: Math.max(1, count - 1), windowMs } }, random);
    },
  },
  {
    promise: 'the slow budget opens at exactly its number (R58)',
    policy: (state, event, now, settings, random) => {
      const { count, windowMs } = settings.slow;
      return step(state, event, now, { ...settings, slow: { count: count + 1, windowMs } }, random);
    },
  },
  {
    promise: 'recovery does not refill the slow budget (R58)',
    policy: (state, event, now, settings, random) => {
      const made = step(state, event, now, settings, random);
      const recovered = event.type === 'timer' && made.state.accounting.crashes < state.accounting.crashes;
      return recovered ? { ...made, state: { ...made.state, accounting: emptyAccounting() } } : made;
    },
  },
  {
    promise: 'a clean exit forgives no crash (R53)',
    policy: (state, event, now, settings, random) => {
      const made = step(state, event, now, settings, random);
      const clean = event.type === 'exited' && event.status.code === 0 && made.actions.length > 0;
      const { accounting } = made.state;
      return clean ? { ...made, state: { ...made.state, accounting: { ...accounting, crashes: 0 } } } : made;
    },
  },
  {
    promise: 'an end by a signal is never clean (R55)',
    policy: (state, event, now, settings, random) => {
      const killed = event.type === 'exited' && event.status.signal !== null;
      const asClean: ServiceEvent = killed ? { ...event, status: { code: 0, signal: null } } : event;
      return step(state, asClean, now, settings, random);
    },
  },
  {
    promise: 'events of an earlier incarnation change nothing (R71)',
    policy: (state, event, ...rest) => {
      if (event.type === 'adopted' || !('incarnation' in event)) return step(state, event, ...rest);
      return step(state, { ...event, incarnation: state.incarnation }, ...rest);
    },
  },
  {
    promise: 'failed is left only by a reset (R61)',
    policy: (state, event, now, settings, random) =>
      state.name === 'failed' && event.type === 'start'
        ? step(
            { ...state, failure: { ...state.failure, why: { reason: 'not_restarted' } } },
            event,
            now,
            settings,
            random,
          )
        : step(state, event, now, settings, random),
  },
  {
    promise: 'a timer ends with its state',
    policy: (...given) => {
      const { state, actions } = step(...given);
      return { state, actions: actions.filter((action) => action.type !== 'disarm') };
    },
  },
  {
    promise: 'watching ends with the process',
    policy: (...given) => {
      const { state, actions } = step(...given);
      return { state, actions: actions.filter((action) => action.type !== 'unwatch') };
    },
  },
  {
    promise: 'the delay is kept',
    policy: (state, event, now, settings, random) => {
      const { initialMs, maxMs } = settings.backoff;
      return step(state, event, now, { ...settings, backoff: { initialMs: initialMs / 2, maxMs } }, random);
    },
  },
  {
    promise: 'recovery takes its whole time in ready (R60)',
    policy: (state, event, now, ...rest) =>
      step(state, event, event.type === 'timer' && event.timer === 'recovery' ? now + 10 : now, ...rest),
  },
];
