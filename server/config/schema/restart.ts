import * as z from 'zod';
import { duration, oneOf, wholeNumber } from './scalars.ts';

const policy = () =>
  oneOf(['always', 'on-failure', 'no']).meta({
    title: 'Restart policy',
    description:
      '`always` also restarts after a clean exit; `on-failure` after a crash; `no` leaves the service as it ended.',
    examples: ['on-failure', 'always', 'no'],
  });

const MOST = 1000;

function budget(title: string, description: string, defaults: { count: number; least: number; window: string }) {
  return z
    .strictObject({
      count: wholeNumber(defaults.least, MOST)
        .prefault(defaults.count)
        .meta({ title: `${title}: count`, description: 'How many are allowed within the window.' }),
      window: duration(1)
        .prefault(defaults.window)
        .meta({ title: `${title}: window`, description: 'The time over which they are counted.' }),
    })
    .transform(({ count, window }) => ({ count, windowMs: window }))
    .prefault({})
    .meta({ title, description });
}

const settings = z
  .strictObject({
    policy: policy().prefault('on-failure'),
    backoff: z
      .strictObject({
        initial: duration().prefault('1s').meta({
          title: 'First delay',
          description: 'The delay after the first crash; it doubles with each further one.',
        }),
        max: duration().prefault('60s').meta({ title: 'Longest delay', description: 'The delay grows no further.' }),
      })
      .refine(({ initial, max }) => initial <= max, {
        path: ['max'],
        error: 'a longest delay that is not below the first one (`initial`)',
        params: { guess: false },
      })
      .transform(({ initial, max }) => ({ initialMs: initial, maxMs: max }))
      .prefault({})
      .meta({ title: 'Backoff', description: 'How long a restart waits after a crash. Jitter is added.' }),
    crashes: budget(
      'Breaker',
      'So many crashes, each within the window of the one before, and the service stops in `failed`.',
      { count: 8, least: 1, window: '5m' },
    ),
    slow: budget('Slow budget', 'More crashes than that in the window end in `failed`; recovery does not refill it.', {
      count: 10,
      least: 0,
      window: '60m',
    }),
    clean: budget('Clean restarts', 'More clean exits than that in the window are warned about and slowed down.', {
      count: 10,
      least: 0,
      window: '60s',
    }),
    drains: budget('Memory drains', 'Restarts because of `memory.max`: the one after these ends in `failed`.', {
      count: 3,
      least: 0,
      window: '10m',
    }),
    wedges: budget('Wedges', 'Restarts because of lost liveness: the one after these ends in `failed`.', {
      count: 3,
      least: 0,
      window: '30m',
    }),
    recovery: duration(1)
      .prefault('60s')
      .meta({ title: 'Recovery', description: 'So long in `ready` sets crash count and delay back to 0.' }),
  })
  .meta({ title: 'Restart settings' });

/** The policy alone, or all numbers. */
export const restart = () =>
  z
    .union([policy(), settings], { error: '`always`, `on-failure`, `no`, or a map of restart settings' })
    .transform((value) => {
      const { recovery, ...rest } = typeof value === 'string' ? settings.parse({ policy: value }) : value;
      return { ...rest, recoveryMs: recovery };
    })
    .prefault('on-failure')
    .meta({
      title: 'Restart',
      description: 'When the service is started again, and when that ends: a policy, or a map with budgets.',
      examples: [
        'always',
        { policy: 'always', backoff: { initial: '1s', max: '60s' }, crashes: { count: 8, window: '5m' } },
      ],
    });
