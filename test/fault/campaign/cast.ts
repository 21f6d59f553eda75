/** The twenty services of different character that the campaign torments, and the tasks beside them. */
import { join } from 'node:path';

/** What a service is when nobody torments it: `up` ready, `churns` ends and is started again, `rests` at an end. */
export type Settled = 'up' | 'churns' | 'completed' | 'failed';

export interface Character {
  readonly name: string;
  readonly settled: Settled;
  /** Counts what it prints. */
  readonly counts: boolean;
  readonly config: Readonly<Record<string, unknown>>;
}

const programs = join(import.meta.dirname, 'programs');
const shell = (role: string, ...words: string[]): string[] => [join(programs, 'actor.sh'), role, ...words];
const python = (role: string, interval: number): string[] => [
  'python3',
  join(programs, 'actor.py'),
  role,
  `${interval}`,
];
/** Budgets that no campaign spends, so that what is started is always known. */
const patient = {
  backoff: { initial: '60ms', max: '250ms' },
  crashes: { count: 1000, window: '1s' },
  slow: { count: 1000, window: '10s' },
  clean: { count: 1000, window: '1s' },
  wedges: { count: 1000, window: '1s' },
};
const always = { restart: { policy: 'always', ...patient } };
const onFailure = { restart: { policy: 'on-failure', ...patient } };
const saysUp = { ready: { log: '^up$', interval: '50ms', timeout: '20s' } };
const counting = { ready: { log: ' 1$', interval: '50ms', timeout: '20s' } };

export const CAST: readonly Character[] = [
  shellService('steady', 'up', ['steady'], { ...always, ...saysUp }),
  shellService('deaf', 'up', ['deaf'], { ...always, ...saysUp, stopTimeout: '200ms' }),
  shellService('family', 'up', ['family'], { ...always, ...saysUp }),
  shellService('jobs', 'up', ['jobs'], { ...always, ...saysUp }),
  shellService('churning', 'up', ['churning'], { ...always, ...saysUp }),
  shellService('escapee', 'up', ['escapee'], { ...always, ...saysUp }),
  shellService('held', 'up', ['held'], { ...always, ...saysUp, stdin: 'hold' }),
  shellService('late', 'up', ['late'], { ...always, ...saysUp }),
  shellService('unprobed', 'up', ['steady'], { ...always }),
  shellService('after-late', 'up', ['steady'], { ...always, ...saysUp, dependsOn: ['late'] }),
  shellService('after-build', 'up', ['steady'], { ...always, ...saysUp, dependsOn: { build: 'succeeded' } }),
  shellService('pact', 'up', ['steady'], { ...always, ...saysUp, onSupervisorLoss: 'stop' }),
  shellService('mute', 'churns', ['mute'], {
    ...onFailure,
    ready: { log: 'never', interval: '100ms', timeout: '700ms' },
  }),
  shellService('crasher', 'churns', ['crasher', '0.7'], { ...onFailure, ...saysUp }),
  shellService('leaver', 'churns', ['leaver', '0.9'], { ...always, ...saysUp }),
  shellService('aborter', 'churns', ['aborter', '1.1'], { ...onFailure, ...saysUp }),
  shellService('once', 'completed', ['leaver', '0.3'], { ...onFailure, ...saysUp }),
  countingService('counter', ['count', 0.01], counting),
  countingService('web', ['http', 0.03], { port: 'auto', ready: { http: '/', interval: '100ms', timeout: '20s' } }),
  countingService('socket', ['tcp', 0.05], {
    port: 'auto',
    ready: { tcp: '${port}', interval: '100ms', timeout: '20s' },
  }),
];

export const TASKS: readonly string[] = ['build', 'one', 'two', 'three'];

/** `coppice.json` of the campaign. `salt` of a name changes its environment, and so makes a reload restart it. */
export function configuration(rolls: string, salt: Readonly<Record<string, number>> = {}): unknown {
  const env = (name: string) => ({ ROLL: join(rolls, name), SALT: String(salt[name] ?? 0) });
  const task = (name: string, seconds: string, dependsOn: readonly string[] = []) => [
    name,
    { command: shell('work', seconds), env: env(name), ...(dependsOn.length > 0 ? { dependsOn } : {}) },
  ];
  return {
    idle: { grace: '1h' },
    services: Object.fromEntries(CAST.map(({ name, config }) => [name, { ...config, env: env(name) }])),
    tasks: Object.fromEntries([
      task('build', '0.2'),
      task('one', '0.15'),
      task('two', '0.25'),
      task('three', '0.1', ['one', 'two']),
    ]),
  };
}

/** A command for `exec` that prints twenty lines and ends with `code`. */
export function answering(code: number): readonly string[] {
  return shell('answer', String(code));
}

function shellService(name: string, settled: Settled, words: string[], config: Record<string, unknown>): Character {
  const [role = '', ...rest] = words;
  return { name, settled, counts: false, config: { command: shell(role, ...rest), ...config } };
}

function countingService(name: string, [role, interval]: [string, number], config: Record<string, unknown>): Character {
  return { name, settled: 'up', counts: true, config: { ...always, ...config, command: python(role, interval) } };
}
