/** All verbs, in the order of the help. Each is loaded when it is called, so that `ps` does not pay for `up`. */
import type { Verb } from './verb.ts';

export interface VerbEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Verb>;
}

export const VERBS: readonly VerbEntry[] = [
  { name: 'up', summary: 'bring the workspace up and watch it', load: async () => (await import('./verbs/up.ts')).up },
  { name: 'ps', summary: 'show what runs', load: async () => (await import('./verbs/ps.ts')).ps },
  { name: 'logs', summary: 'show what services print', load: async () => (await import('./verbs/logs.ts')).logs },
  { name: 'start', summary: 'start services', load: async () => (await import('./verbs/start.ts')).start },
  { name: 'stop', summary: 'stop services, proven', load: async () => (await import('./verbs/stop.ts')).stop },
  { name: 'restart', summary: 'restart services', load: async () => (await import('./verbs/restart.ts')).restart },
  { name: 'reset', summary: 'clear a failed service', load: async () => (await import('./verbs/reset.ts')).reset },
  { name: 'wait', summary: 'wait until a service is ready', load: async () => (await import('./verbs/wait.ts')).wait },
  { name: 'exec', summary: 'run one command, supervised', load: async () => (await import('./verbs/exec.ts')).exec },
  { name: 'reap', summary: "end a session's processes", load: async () => (await import('./verbs/reap.ts')).reap },
  {
    name: 'reload',
    summary: 'read the configuration again',
    load: async () => (await import('./verbs/reload.ts')).reload,
  },
  { name: 'events', summary: 'show the journal', load: async () => (await import('./verbs/events.ts')).events },
  { name: 'why', summary: 'explain why something is as it is', load: async () => (await import('./verbs/why.ts')).why },
  {
    name: 'doctor',
    summary: 'check that all is as it should be',
    load: async () => (await import('./verbs/doctor.ts')).doctor,
  },
  { name: 'init', summary: 'write a configuration', load: async () => (await import('./verbs/init.ts')).init },
  {
    name: 'serve',
    summary: 'be the supervisor, in the foreground',
    load: async () => (await import('./verbs/serve.ts')).serve,
  },
  { name: 'down', summary: 'stop everything, proven', load: async () => (await import('./verbs/down.ts')).down },
];
