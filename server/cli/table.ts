/** The table of services: `ps`, `up` and `up --once` show the same one. Pure. */
import type { ServiceStatus } from '../api/protocol.ts';
import { formatBytes, formatDuration } from '../text/units.ts';
import { type Paint, painted } from './terminal.ts';
import { displayWidth, oneLine, padEnd, padStart, shorten } from './width.ts';

export interface TableStyle {
  readonly colours: boolean;
  /** Columns to fit into; infinite when nobody's terminal is written to. */
  readonly columns: number;
  readonly now: number;
  /** Whose view it is: that its own services are its own need not be said. */
  readonly session?: string | null;
}

/** A header and one line a service; every line fits into `columns`. */
export function serviceTable(services: readonly ServiceStatus[], style: TableStyle): string[] {
  if (services.length === 0) return ['No services.'];
  const rows = services.map((service) => cells(service, style));
  const columns = chooseColumns(rows, style.columns);
  const line = (row: Row, header: boolean): string => {
    const painted = columns.map(({ key, width }, index) => {
      const text = shorten(row[key], width);
      const last = index === columns.length - 1;
      const padded = RIGHT.has(key) ? padStart(text, width) : last ? text : padEnd(text, width);
      return header ? colour('dim', padded, style) : paintCell(key, padded, row.paint, style);
    });
    return painted.join('  ').trimEnd();
  };
  return [line(HEADER, true), ...rows.map((row) => line(row, false))];
}

/** Symbol and word: the state is never told by colour or shape alone. */
export function stateWord(service: ServiceStatus): string {
  return `${SYMBOLS[service.state]} ${service.state}`;
}

/** `web: ready, pid 42, http://localhost:5173/ (1.2s)`: a change where no table can be repainted. */
export function stateLine(service: ServiceStatus): string {
  const facts: string[] = [];
  if (service.pid !== null) facts.push(`pid ${service.pid}`);
  if (service.state === 'ready' || service.state === 'degraded') {
    if (service.url !== null) facts.push(service.url);
    else if (service.port !== null) facts.push(`port ${service.port}`);
    if (service.readyAt !== null && service.startedAt !== null)
      facts.push(`after ${formatDuration(service.readyAt - service.startedAt)}`);
  }
  if (service.detail !== null) facts.push(oneLine(service.detail));
  return `${service.name}: ${stateWord(service)}${facts.length === 0 ? '' : `  ${facts.join(', ')}`}`;
}

export const STATE_PAINT: Readonly<Record<ServiceStatus['state'], Paint>> = {
  stopped: 'dim',
  starting: 'cyan',
  ready: 'green',
  degraded: 'yellow',
  backoff: 'yellow',
  stopping: 'cyan',
  failed: 'red',
  completed: 'green',
};

const SYMBOLS: Readonly<Record<ServiceStatus['state'], string>> = {
  stopped: '○',
  starting: '◐',
  ready: '●',
  degraded: '▲',
  backoff: '↻',
  stopping: '◌',
  failed: '✗',
  completed: '✓',
};

type Key = 'name' | 'state' | 'pid' | 'where' | 'memory' | 'restarts' | 'detail';
type Row = Readonly<Record<Key, string>> & { readonly paint: Paint };

const HEADER: Row = {
  name: 'NAME',
  state: 'STATE',
  pid: 'PID',
  where: 'ADDRESS',
  memory: 'MEMORY',
  restarts: 'RESTARTS',
  detail: 'DETAIL',
  paint: 'dim',
};
const ORDER: readonly Key[] = ['name', 'state', 'pid', 'where', 'memory', 'restarts', 'detail'];
/** What goes first when the terminal is narrow; later, when there is trouble that the detail tells of. */
const DISPENSABLE: readonly Key[] = ['restarts', 'memory', 'detail', 'pid', 'where'];
const DISPENSABLE_IN_TROUBLE: readonly Key[] = ['restarts', 'memory', 'pid', 'where', 'detail'];
/** So wide at least, so that the columns stay where they are when a state changes. */
const LEAST_WIDTH: Partial<Record<Key, number>> = { state: '○ completed'.length, pid: 7 };
const RIGHT: ReadonlySet<Key> = new Set(['pid', 'memory', 'restarts']);
/** A detail cut to less than this says nothing. */
const LEAST_DETAIL = 16;

function cells(service: ServiceStatus, style: TableStyle): Row {
  return {
    name: oneLine(service.name),
    state: stateWord(service),
    pid: service.pid === null ? '-' : String(service.pid),
    where: service.url ?? (service.port === null ? '-' : `port ${service.port}`),
    memory: service.memoryMb === null ? '-' : formatBytes(service.memoryMb * 1024 * 1024),
    restarts: String(service.restarts),
    detail: detailOf(service, style),
    paint: STATE_PAINT[service.state],
  };
}

function detailOf(service: ServiceStatus, { now, session }: TableStyle): string {
  const runs = service.pid !== null && service.ownerKind !== 'configuration' && service.owner !== session;
  return [stateDetail(service, now), runs ? ownerDetail(service) : ''].filter((part) => part !== '').join(', ');
}

function ownerDetail({ ownerKind, owner }: ServiceStatus): string {
  return `of ${ownerKind === 'named' ? 'session' : ownerKind} ${oneLine(owner)}`;
}

function stateDetail(service: ServiceStatus, now: number): string {
  if (service.detail !== null) return oneLine(service.detail);
  if (service.state === 'ready' && service.readyAt !== null) return `for ${formatDuration(now - service.readyAt)}`;
  if (service.state === 'stopped' && !service.enabled) return 'not enabled';
  return '';
}

function chooseColumns(rows: readonly Row[], available: number): { key: Key; width: number }[] {
  const natural = new Map<Key, number>();
  for (const key of ORDER)
    natural.set(key, Math.max(LEAST_WIDTH[key] ?? 0, ...[HEADER, ...rows].map((row) => displayWidth(row[key]))));
  const inTrouble = rows.some((row) => row.paint === 'red' || row.paint === 'yellow');
  let keys = ORDER;
  const taken = (): number => keys.reduce((sum, key) => sum + (key === 'detail' ? 0 : (natural.get(key) ?? 0) + 2), 0);
  const wantsDetail = (): number => (keys.includes('detail') ? LEAST_DETAIL : -2);
  for (const key of inTrouble ? DISPENSABLE_IN_TROUBLE : DISPENSABLE) {
    if (taken() + wantsDetail() <= available) break;
    keys = keys.filter((one) => one !== key);
  }
  // Its room is kept even when nobody has anything to say yet, so that no column comes or goes while things start.
  if (rows.every((row) => row.detail === '')) keys = keys.filter((key) => key !== 'detail');
  const detail = Math.max(0, Math.min(natural.get('detail') ?? 0, available - taken()));
  const widths = keys.map((key) => ({ key, width: key === 'detail' ? detail : (natural.get(key) ?? 0) }));
  const over = taken() - 2 - available;
  const [first] = widths;
  if (over > 0 && first !== undefined && !keys.includes('detail')) first.width = Math.max(4, first.width - over);
  return widths;
}

function paintCell(key: Key, text: string, paint: Paint, style: TableStyle): string {
  if (key === 'name') return colour('bold', text, style);
  if (key === 'state') return colour(paint, text, style);
  if (key === 'detail')
    return paint === 'red' || paint === 'yellow' ? colour(paint, text, style) : colour('dim', text, style);
  return text;
}

function colour(paint: Paint, text: string, style: TableStyle): string {
  return style.colours ? painted(paint, text) : text;
}
