/** Fields of a journal event, read by someone who cannot know that they are what they should be. Pure. */
import type { JournalEvent } from '../store/types.ts';
import { oneLine } from './width.ts';

/** A torn or foreign record must not break a listing: every reader here answers something, whatever the field holds. */
export class JournalFields {
  readonly event: JournalEvent;

  constructor(event: JournalEvent) {
    this.event = event;
  }

  /** `null` unless it is a text. */
  text(field: string): string | null {
    const value = this.event[field];
    return typeof value === 'string' ? oneLine(value) : null;
  }

  /** `null` unless it is a number that can be reckoned with. */
  number(field: string): number | null {
    const value = this.event[field];
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  }

  /** The texts of a list; of anything else none. */
  texts(field: string): string[] {
    const value = this.event[field];
    if (!Array.isArray(value)) return [];
    return value.flatMap((one) => (typeof one === 'string' ? [oneLine(one)] : []));
  }

  /** Length of a list, or a number as it is; 0 for anything else. */
  count(field: string): number {
    const value = this.event[field];
    return Array.isArray(value) ? value.length : (this.number(field) ?? 0);
  }

  /** The objects of a list; of anything else none. */
  objects(field: string): JournalFields[] {
    const value = this.event[field];
    if (!Array.isArray(value)) return [];
    return value.flatMap((one) => (isObject(one) ? [this.#below(one)] : []));
  }

  /** `null` unless it is an object. */
  object(field: string): JournalFields | null {
    const value = this.event[field];
    return isObject(value) ? this.#below(value) : null;
  }

  isTrue(field: string): boolean {
    return this.event[field] === true;
  }

  /** Anything at all in words; `?` where there is nothing. */
  shown(field: string): string {
    return shown(this.event[field]);
  }

  #below(value: Readonly<Record<string, unknown>>): JournalFields {
    const { seq, at, supervisor, event } = this.event;
    return new JournalFields({ ...value, seq, at, supervisor, event });
  }
}

/** `String` throws for an object whose `toString` is not a function, which a line of JSON may well hold. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return '?';
  return oneLine(typeof value === 'string' ? value : (JSON.stringify(value) ?? '?'));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
