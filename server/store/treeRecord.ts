import { isValidPid } from '../process/identity.ts';
import type { Place } from '../process/place.ts';
import type { ProcessIdentity, TreeIdentity } from '../process/types.ts';
import { type Owner, SESSION_HOLDERS, type TreeRecord } from './types.ts';

/**
 * `value` as a record of a tree; `null` when it is none. Strict: signals are sent by what a record says. Fields that a
 * newer version added are dropped.
 */
export function parseTreeRecord(value: unknown): TreeRecord | null {
  if (!isObject(value)) return null;
  const { key, name, role, incarnation, onSupervisorLoss, logPath, outputOffset, exitRecordPath, startedAt } = value;
  const tree = parseTree(value.tree);
  const owner = parseOwner(value.owner);
  const ports = listOf(value.ports, isPort);
  const environment = listOf(value.environment, isText);
  const lineage = listOf(value.lineage, isIdentity);
  const readyAt = value.readyAt ?? null;
  if (!isText(key) || key === '' || !isText(name) || !isText(logPath) || !isText(exitRecordPath)) return null;
  if (role !== 'service' && role !== 'task' && role !== 'exec') return null;
  if (onSupervisorLoss !== 'adopt' && onSupervisorLoss !== 'stop') return null;
  if (!isCount(incarnation) || !isCount(outputOffset) || !isTime(startedAt)) return null;
  if (readyAt !== null && !isTime(readyAt)) return null;
  if (tree === null || owner === null || ports === null || environment === null || lineage === null) return null;
  return {
    key,
    name,
    role,
    incarnation,
    tree,
    owner,
    onSupervisorLoss,
    logPath,
    outputOffset,
    exitRecordPath,
    ports,
    startedAt,
    readyAt,
    environment,
    lineage: lineage.map(bareIdentity),
    ...parsePlace(value.place),
  };
}

function parsePlace(value: unknown): { readonly place?: Place } {
  if (!isObject(value) || typeof value.hostname !== 'string') return {};
  const { hostname, pidNamespace } = value;
  return { place: { hostname, pidNamespace: isText(pidNamespace) ? pidNamespace : null } };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A group or session of 0 or 1 would aim signals at the supervisor's own group or at the whole machine. */
function parseTree(value: unknown): TreeIdentity | null {
  if (!isObject(value)) return null;
  const { leader, group, session, marker } = value;
  const keeper = value.keeper ?? null;
  if (!isIdentity(leader) || (keeper !== null && !isIdentity(keeper))) return null;
  if (!isValidPid(group) || group === 1 || !isValidPid(session) || session === 1) return null;
  if (!isText(marker) || marker === '') return null;
  return {
    leader: bareIdentity(leader),
    keeper: keeper === null ? null : bareIdentity(keeper),
    group,
    session,
    marker,
  };
}

/** `null` for what is none. A record without a holder is of a version that knew sessions by their names only. */
export function parseOwner(value: unknown): Owner | null {
  if (!isObject(value)) return null;
  if (value.kind === 'configuration') return { kind: 'configuration' };
  if (value.kind !== 'session' || !isText(value.session) || value.session === '') return null;
  const process = value.process ?? null;
  if (process !== null && !isIdentity(process)) return null;
  const holder = SESSION_HOLDERS.find((one) => one === value.holder) ?? 'named';
  return { kind: 'session', session: value.session, holder, process: process === null ? null : bareIdentity(process) };
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return isObject(value) && isValidPid(value.pid) && isText(value.startTime) && isText(value.bootId);
}

function bareIdentity({ pid, startTime, bootId }: ProcessIdentity): ProcessIdentity {
  return { pid, startTime, bootId };
}

function listOf<T>(value: unknown, accept: (one: unknown) => one is T): T[] | null {
  return Array.isArray(value) && value.every(accept) ? value : null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isPort(value: unknown): value is number {
  return isCount(value) && value > 0 && value <= 65_535;
}
