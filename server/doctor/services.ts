import type { ServiceConfig } from '../config/model.ts';
import type { JournalEvent } from '../store/types.ts';
import { formatDuration } from '../text/units.ts';
import type { AddressInUse, DoctorFacts } from './facts.ts';
import { quotes } from './say.ts';
import type { Finding } from './types.ts';

/** Known troubles of services, told from what the journal and their last output say. */
export function checkServices({ configured, symptoms, now }: DoctorFacts): Finding[] {
  const byName = new Map<string, JournalEvent[]>();
  const newList = (name: string): JournalEvent[] => {
    const list: JournalEvent[] = [];
    byName.set(name, list);
    return list;
  };
  for (const event of symptoms.events) {
    if (typeof event.name === 'string') (byName.get(event.name) ?? newList(event.name)).push(event);
  }
  return [
    ...[...configured.values()].flatMap((service) => stdinTrap(service, byName.get(service.name) ?? [])),
    ...[...byName].flatMap(([name, events]) => restartLoop(name, events, now)),
    ...symptoms.addressInUse.map(sayAddressInUse),
  ];
}

/** A tool that takes the end of its input for "parent gone" ends within this time. */
const AT_ONCE_MS = 5_000;

/** esbuild, tailwind, postcss and others end with code 0 when they find their input at its end. */
function stdinTrap(service: ServiceConfig, events: readonly JournalEvent[]): Finding[] {
  if (service.stdin === 'hold' || service.restart.policy === 'no') return [];
  const last = events.findLast((one) => one.event === 'service_exited');
  const atOnce = typeof last?.runDurationMs === 'number' && last.runDurationMs < AT_ONCE_MS;
  if (last?.code !== 0 || !atOnce || last.likelyCause !== 'clean_exit') return [];
  // Without a sign that it was to stay, a command that does its work and ends is none of it.
  const meant = service.restart.policy === 'always' || service.ready !== null || service.port !== null;
  if (!meant && !WATCHERS.test(commandText(service))) return [];
  const message = `${service.name} exited with code 0 after ${formatDuration(last.runDurationMs as number)}: tools that watch often take the end of their input for the end of their parent`;
  return [finding('warn', message, `add ${quotes('stdin: hold')} to ${service.name}: its input then stays open`)];
}

const WATCHERS =
  /\b(?:esbuild|tailwindcss|postcss|sass|rollup|babel|parcel|swc|tsup|unocss)\b.*(?:--watch|-w\b|\bwatch\b)/;

function commandText({ command }: ServiceConfig): string {
  return command.kind === 'shell' ? command.script : command.argv.join(' ');
}

const LOOP_WINDOW_MS = 5 * 60_000;
const LOOP_STARTS = 5;

/** Starts that nobody asked for, one after the other, each followed by an end. */
function restartLoop(name: string, events: readonly JournalEvent[], now: number): Finding[] {
  const since = events.findLastIndex((one) => one.event === 'breaker_reset') + 1;
  const recent = events.slice(since).filter((one) => now - one.at <= LOOP_WINDOW_MS);
  const ends = recent.filter((one) => one.event === 'service_exited' && one.likelyCause !== 'requested_stop');
  const starts = recent.filter((one) => one.event === 'service_spawned');
  const last = ends.at(-1);
  if (starts.length < LOOP_STARTS || ends.length < LOOP_STARTS - 1 || last === undefined) return [];
  const how = typeof last.signal === 'string' ? `signal ${last.signal}` : `code ${String(last.code)}`;
  const message = `${name} was started ${starts.length} times within ${formatDuration(LOOP_WINDOW_MS)} and ended ${ends.length} times, last with ${how}`;
  return [finding('warn', message, `${quotes(`coppice logs ${name}`)} shows what it says before it ends`)];
}

function sayAddressInUse({ name, line, port, holder }: AddressInUse): Finding {
  const said = line.length > 160 ? `${line.slice(0, 160)}…` : line;
  if (holder === null) {
    const where = port === null ? 'which one it does not say' : `nobody has port ${port} now`;
    const fix =
      port === null ? `${quotes(`coppice logs ${name}`)} may say which` : `${quotes(`coppice restart ${name}`)}`;
    return finding('warn', `${name} ended because an address was in use (${said}); ${where}`, fix);
  }
  const message = `${name} ended because port ${String(port)} is in use (${said}); it is held by ${holder}`;
  return finding('error', message, `end that process, or give ${name} another port (${quotes('port: auto')})`);
}

function finding(level: Finding['level'], message: string, fix: string | null): Finding {
  return { check: 'services', level, message, fix };
}
