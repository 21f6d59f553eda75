/** What must hold once things have settled; each answer is a sentence about what does not. */
import type { StatusResult } from '../../../server/api/protocol.ts';
import { readRegistry } from '../../../server/store/registry.ts';
import type { TreeRecord } from '../../../server/store/types.ts';
import { CAST } from './cast.ts';
import { ancestorsOf, type Census, type Seen } from './census.ts';
import type { Stage } from './stage.ts';

export interface Expectation {
  readonly stopped: ReadonlySet<string>;
  /** Services of which nothing is known beforehand. */
  readonly open: ReadonlySet<string>;
  /** The whole process table is ours: the campaign runs in a pid namespace of its own. */
  readonly alone: boolean;
}

export async function unsettled(stage: Stage, census: Census, expectation: Expectation): Promise<string[]> {
  const status = await stage.status();
  if (status === null) return ['no supervisor answers'];
  const records = [...readRegistry(stage.stateDir).trees.values()];
  return [
    ...officeFaults(stage, census),
    ...doubled(stage, census),
    ...ownerless(stage, census, records, expectation.alone),
    ...stateFaults(status, census, expectation),
  ];
}

/** One supervisor, one guardian, at most one spawner. */
function officeFaults(stage: Stage, census: Census): string[] {
  const faults: string[] = [];
  const all = [...census.values()];
  const supervisors = all.filter((one) => one.kind === 'supervisor' && one.words.includes(stage.root));
  if (supervisors.length !== 1) faults.push(`${supervisors.length} supervisors: ${pids(supervisors)}`);
  if (stage.supervisor(census) === null) faults.push('the lock names nobody who lives');
  const guardian = stage.guardian(census);
  const guardians = all.filter((one) => one.kind === 'guardian');
  if (guardian === null) faults.push('no guardian');
  if (guardians.length > 1) faults.push(`${guardians.length} guardians: ${pids(guardians)}`);
  const frozen = all.filter((one) => one.state === 'T');
  if (frozen.length > 0) faults.push(`frozen: ${pids(frozen)}`);
  return faults;
}

/** No two starts of one service live at the same time. */
function doubled(stage: Stage, census: Census): string[] {
  const starts = new Map<string, Set<string>>();
  for (const { marker } of stage.trees(census)) {
    const name = marker?.split('/').slice(1, -2).join('/') ?? '';
    starts.set(name, (starts.get(name) ?? new Set()).add(marker ?? ''));
  }
  return [...starts].flatMap(([name, markers]) =>
    markers.size > 1 ? [`${name} runs ${markers.size} times: ${[...markers].join(' ')}`] : [],
  );
}

/** Everyone alive is on record: by keeper, marker, session or lineage. */
function ownerless(stage: Stage, census: Census, records: readonly TreeRecord[], alone: boolean): string[] {
  const faults: string[] = [];
  const keepers = new Set(records.map(({ tree }) => `${tree.keeper?.pid}/${tree.keeper?.startTime}`));
  const markers = new Set(records.map(({ tree }) => tree.marker));
  const sessions = new Set(records.map(({ tree }) => tree.session));
  const lineage = new Set(records.flatMap((one) => one.lineage.map(({ pid, startTime }) => `${pid}/${startTime}`)));
  const key = (one: Seen): string => `${one.pid}/${one.startTime}`;
  const supervisor = stage.supervisor(census);
  for (const one of census.values()) {
    if (one.kind === 'keeper' && alone && !keepers.has(key(one)))
      faults.push(`keeper ${one.pid} keeps nothing on record`);
    if (one.kind !== 'other') continue;
    if (!alone && !one.marker?.startsWith(`${stage.workspaceId}/`)) continue;
    const chain = ancestorsOf(census, one);
    // Ours is what runs the campaign, and what a supervisor runs for itself (a probe's command).
    const isOurs = one.pid === process.pid || one.pid === 1 || chain.some(({ pid }) => pid === process.pid);
    const above = [one, ...chain];
    if (isOurs || above.some((ancestor) => ancestor.pid === supervisor?.pid)) continue;
    if (chain.length === 0 && !one.marker) continue;
    const owned =
      above.some((ancestor) => keepers.has(key(ancestor)) || lineage.has(key(ancestor))) ||
      (one.marker !== null && markers.has(one.marker)) ||
      sessions.has(one.session);
    if (!owned) faults.push(`${one.pid} (${one.words.join(' ').trim()}; ${one.marker ?? 'no marker'}) has no owner`);
  }
  return faults;
}

/** Every service is in the state that was asked for, and what is shown to run does. */
function stateFaults(status: StatusResult, census: Census, { stopped, open }: Expectation): string[] {
  return CAST.flatMap(({ name, settled }) => {
    const service = status.services.find((one) => one.name === name);
    if (service === undefined) return [`${name} is not shown`];
    const { state, pid } = service;
    const text = `${name} is ${state}${service.detail === null ? '' : ` (${service.detail})`}`;
    if (pid !== null && settled === 'up' && !census.has(pid)) return [`${text} with pid ${pid}, which is gone`];
    if (open.has(name)) return ['stopped', 'ready'].includes(state) ? [] : [text];
    if (stopped.has(name)) return state === 'stopped' ? [] : [`${text}, was stopped`];
    switch (settled) {
      case 'up':
        return state === 'ready' && pid !== null ? [] : [text];
      case 'churns':
        return ['starting', 'ready', 'backoff', 'stopping'].includes(state) ? [] : [text];
      case 'completed':
        return state === 'completed' ? [] : [text];
      case 'failed':
        return state === 'failed' ? [] : [text];
      default:
        return settled satisfies never;
    }
  });
}

function pids(all: readonly Seen[]): string {
  return all.map((one) => one.pid).join(', ');
}
