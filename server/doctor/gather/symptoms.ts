import type { ServiceConfig } from '../../config/model.ts';
import { stripAnsi, tailLines } from '../../process/output/index.ts';
import { describePortHolder, portOwner } from '../../process/ports.ts';
import { readJournal } from '../../store/journalRead.ts';
import { logPath } from '../../store/paths.ts';
import type { JournalEvent } from '../../store/types.ts';
import type { AddressInUse, SymptomFacts } from '../facts.ts';

const EVENTS = 3_000;
const LINES = 40;
/** A service that has gone wrong this lately is worth a look at what it said last. */
const MOST_LOGS = 50;

/** What the journal and the last output of services that ended badly have to say. */
export async function lookAtSymptoms(
  stateDir: string,
  recorded: Readonly<Record<string, unknown>>,
  services: ReadonlyMap<string, ServiceConfig>,
): Promise<SymptomFacts> {
  const events = readEvents(stateDir);
  const names = [...new Set([...Object.keys(recorded), ...services.keys()])].filter((name) => endedBadly(events, name));
  const found = await Promise.all(
    names.slice(0, MOST_LOGS).map((name) => addressInUse(stateDir, name, portOf(services.get(name)))),
  );
  return { events, addressInUse: found.flatMap((one) => one ?? []) };
}

function portOf(service: ServiceConfig | undefined): number | null {
  return typeof service?.port === 'number' ? service.port : null;
}

function readEvents(stateDir: string): readonly JournalEvent[] {
  try {
    return readJournal(stateDir, { limit: EVENTS }).events;
  } catch {
    return [];
  }
}

/** Its last end was a bad one, and nothing of it has become ready since. */
function endedBadly(events: readonly JournalEvent[], name: string): boolean {
  const own = events.filter((one) => one.name === name);
  const last = own.findLast((one) => one.event === 'service_exited' || one.event === 'service_ready');
  return last?.event === 'service_exited' && last.code !== 0 && last.likelyCause !== 'requested_stop';
}

async function addressInUse(stateDir: string, name: string, configured: number | null): Promise<AddressInUse | null> {
  const lines = (await tailLines(logPath(stateDir, name), LINES)).map(stripAnsi);
  const found = findAddressInUse(lines);
  if (found === null) return null;
  const port = found.port ?? configured;
  const owner = port === null ? null : await portOwner(port);
  return { name, line: found.line, port, holder: owner === null ? null : describePortHolder(owner, false) };
}

/** The last line that says that an address is in use, and the port it is about. Pure. */
export function findAddressInUse(
  lines: readonly string[],
): { readonly line: string; readonly port: number | null } | null {
  const at = lines.findLastIndex((one) => IN_USE.test(one));
  const line = lines[at];
  if (line === undefined) return null;
  // In the line itself, else in what Node prints of the error below it (`port: 3000`).
  for (const text of [line, ...lines.slice(at + 1)]) {
    const port = Number(PORTS.map((pattern) => pattern.exec(text)?.[1]).find((one) => one !== undefined));
    if (port > 0 && port < 65_536) return { line: line.trim(), port };
  }
  return { line: line.trim(), port: null };
}

const IN_USE =
  /EADDRINUSE|address already in use|port:? \d+ is (?:already )?(?:in use|taken|allocated)|Only one usage of each socket address/i;
const PORTS = [
  /(?:^|[\s\]*]|\d\.\d+):(\d{2,5}):\s/,
  /\bport:?\s+(\d{2,5})\b/i,
  /:(\d{2,5})[^\w:]*$/,
  /address already in use[^\d]*(?:[\d.]+|\S*):(\d{2,5})\b/i,
];
