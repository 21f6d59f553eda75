/** What a person can do about it, most useful first: each with the words to type where there are any. Pure. */
import { formatBytes, formatDuration } from '../../text/units.ts';
import type { Present, ServiceView } from './present.ts';
import type { Advice, SupervisorView, WhyFacts } from './types.ts';

export function adviceFor(view: ServiceView, present: Present, facts: WhyFacts): Advice[] {
  return [...supervisorAdvice(facts.supervisor, view, present), ...stateAdvice(view, present, facts)];
}

/** Before anything else can be done somebody must be there to do it. */
function supervisorAdvice(supervisor: SupervisorView, { tree }: ServiceView, { state }: Present): Advice[] {
  switch (supervisor.kind) {
    case 'serving':
      return [];
    case 'silent':
      return [
        { text: 'looks at the supervisor, which does not answer', command: 'coppice doctor' },
        ...(supervisor.stuck ? [endOf(supervisor.pid)] : []),
      ];
    case 'elsewhere':
      return [{ text: `the supervisor is on ${supervisor.host}; ask there`, command: null }];
    case 'lost':
      if (supervisor.guardian !== null) return [];
      return tree?.alive === true || state === 'abandoned'
        ? [
            {
              text: 'starts a supervisor, which takes over what runs and starts what is missing',
              command: 'coppice up',
            },
          ]
        : [];
    case 'none':
      return [];
    default:
      return supervisor satisfies never;
  }
}

function endOf(pid: number): Advice {
  return { text: 'if it stays silent: ends it; what runs goes on and is taken over', command: `kill -9 ${pid}` };
}

function stateAdvice(view: ServiceView, { state }: Present, facts: WhyFacts): Advice[] {
  const { name, config, story } = view;
  const life = story.lives.at(-1) ?? null;
  const logs = { text: 'shows what it printed', command: `coppice logs ${name} -n 50` };
  switch (state) {
    case 'ready':
    case 'abandoned':
    case 'waiting':
      return [];
    case 'degraded':
      return [logs, ...repairs(view, facts)];
    case 'starting':
      return [{ text: 'shows what it prints', command: `coppice logs ${name} -f` }];
    case 'stopping':
      return [{ text: 'resolves once it has ended', command: `coppice wait ${name} --for exit` }];
    case 'backoff':
      return [
        ...repairs(view, facts),
        logs,
        { text: 'starts it now, without the wait', command: `coppice restart ${name}` },
      ];
    case 'failed': {
      const kept = view.kept?.state;
      const why = kept?.name === 'failed' ? kept.failure.why.reason : null;
      if (why === 'survivors') {
        return [
          { text: 'shows the processes that could not be ended, and why', command: 'coppice doctor' },
          { text: 'once they are gone', command: `coppice reset ${name} && coppice start ${name}` },
        ];
      }
      const again =
        why === 'not_restarted' ? `coppice start ${name}` : `coppice reset ${name} && coppice start ${name}`;
      const printed = life?.notStarted == null ? [logs] : [];
      return [...repairs(view, facts), ...printed, { text: 'starts it again, once the cause is gone', command: again }];
    }
    case 'completed':
      return [
        ...endOfInput(view, facts),
        { text: 'runs it again', command: `coppice start ${name}` },
        { text: `to have it started whenever it ends: restart: always${at(facts, ['services', name])}`, command: null },
      ];
    case 'stopped':
      if (config === null) {
        const { configurationError } = facts;
        if (configurationError !== null)
          return [{ text: `mend the configuration first (${configurationError})`, command: null }];
        return [{ text: 'it is not in the configuration any more', command: null }];
      }
      return [{ text: 'starts it', command: `coppice start ${name}` }];
    default:
      return state satisfies never;
  }
}

/** By what went wrong last: where it is repaired. */
function repairs(view: ServiceView, facts: WhyFacts): Advice[] {
  const { name, config, story } = view;
  const life = story.lives.at(-1) ?? null;
  const reason = life?.notStarted?.reason ?? null;
  switch (reason) {
    case 'command_not_found':
    case 'not_executable':
    case 'spawn_error':
      return [{ text: `correct or install its command${at(facts, ['services', name, 'command'])}`, command: null }];
    case 'bad_cwd':
      return [{ text: `correct its folder${at(facts, ['services', name, 'cwd'])}`, command: null }];
    case 'environment_file':
      return [{ text: `correct its environment file${at(facts, ['services', name, 'envFile'])}`, command: null }];
    case 'resources':
      return [{ text: 'make room: the system has no memory, processes or file handles left', command: null }];
    case 'port_taken':
      return [portAdvice(view, facts)];
    default:
      break;
  }
  const kept = view.kept?.state;
  const spent = kept?.name === 'failed' ? kept.failure.why.reason : null;
  const trouble = story.moments.findLast((one) => one.kind === 'trouble')?.text ?? '';
  const wasStopped = life?.stopped ?? null;
  if (spent === 'drains' || wasStopped === 'memory_drain' || trouble.startsWith('its processes use')) {
    const max = config?.memory.maxBytes ?? null;
    const now = max === null ? '' : ` (${formatBytes(max)} now)`;
    return [
      { text: `find the leak, or raise memory.max${now}${at(facts, ['services', name, 'memory'])}`, command: null },
    ];
  }
  if (spent === 'wedges' || wasStopped === 'wedged' || trouble.startsWith('liveness probe failed')) {
    const live = config?.live ?? null;
    const now = live === null ? '' : ` (${live.failures} failures, ${formatDuration(live.timeoutMs)} each, now)`;
    const text = `find out why it does not answer, or give it longer by live.timeout or live.failures${now}${at(facts, ['services', name, 'live'])}`;
    return [{ text, command: null }];
  }
  if (wasStopped === 'readiness_timeout') {
    const ready = config?.ready ?? null;
    const now = ready === null ? '' : ` (${formatDuration(ready.timeoutMs)} now)`;
    return [
      {
        text: `see whether its readiness probe asks the right thing, or raise ready.timeout${now}${at(facts, ['services', name, 'ready'])}`,
        command: null,
      },
    ];
  }
  return endOfInput(view, facts);
}

function portAdvice({ name, config }: ServiceView, facts: WhyFacts): Advice {
  const port = typeof config?.port === 'number' ? config.port : null;
  const holder = port === null ? null : (facts.portHolders.get(port) ?? null);
  const place = at(facts, ['services', name, 'port']);
  if (port === null) return { text: `free its port, or set \`port: auto\`${place}`, command: null };
  if (holder === null) return { text: `port ${port} is free now`, command: null };
  return { text: `port ${port} is held by ${holder}: end that process, or set \`port: auto\`${place}`, command: null };
}

/** A tool that takes the end of its input for "my parent has gone" ends with 0 as soon as it was started. */
function endOfInput({ name, config, story }: ServiceView, facts: WhyFacts): Advice[] {
  const life = story.lives.at(-1);
  const soon = life?.ranMs != null && life.ranMs < SOON_MS && life.end === 'exit code 0 clean_exit';
  if (!soon || config?.stdin !== 'ignore') return [];
  const text = `if it ends because its input ends (watchers do): \`stdin: hold\`${at(facts, ['services', name])}`;
  return [{ text, command: null }];
}

const SOON_MS = 5_000;

function at(facts: WhyFacts, path: readonly string[]): string {
  const place = facts.placeOf(path);
  return place === null ? '' : ` (${place})`;
}
