/**
 * The entries of a document as they are written, valid or not. The checks across keys read these, so that one wrong
 * value does not hide what else is wrong in the same entry.
 */
import type { ConfigPath, SourceDocument } from '../document/document.ts';

export interface RawEntry {
  readonly type: 'service' | 'task';
  readonly name: string;
  readonly path: ConfigPath;
  readonly raw: Readonly<Record<string, unknown>>;
}

export function entriesOf(document: SourceDocument): RawEntry[] {
  const top = asMap(document.root?.value);
  const section = (key: 'services' | 'tasks', type: RawEntry['type']): RawEntry[] =>
    Object.entries(asMap(top[key])).map(([name, raw]) => ({ type, name, path: [key, name], raw: asMap(raw) }));
  return [...section('services', 'service'), ...section('tasks', 'task')];
}

export function asMap(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
