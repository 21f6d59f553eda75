import { catalogue, type Product } from './catalogue.ts';

export interface CartLine {
  readonly product: Product;
  readonly count: number;
}

const STORAGE_KEY = 'storefront.cart';

/** What the customer chose, kept in the browser. Every change is told to whoever subscribed. */
export class Cart {
  readonly #counts: Map<string, number>;
  readonly #listeners = new Set<() => void>();
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
    this.#counts = new Map(readCounts(storage));
  }

  get lines(): readonly CartLine[] {
    return catalogue.flatMap((product) => {
      const count = this.#counts.get(product.id) ?? 0;
      return count > 0 ? [{ product, count }] : [];
    });
  }

  get count(): number {
    return this.lines.reduce((sum, line) => sum + line.count, 0);
  }

  get total(): number {
    return this.lines.reduce((sum, line) => sum + line.count * line.product.price, 0);
  }

  /** Adds `by` pieces, or takes them out again when it is negative; never below none. */
  change(id: string, by: number): void {
    this.#counts.set(id, Math.max(0, (this.#counts.get(id) ?? 0) + by));
    this.#storage.setItem(STORAGE_KEY, JSON.stringify([...this.#counts]));
    for (const listener of this.#listeners) listener();
  }

  subscribe(listener: () => void): void {
    this.#listeners.add(listener);
  }
}

function readCounts(storage: Storage): [string, number][] {
  try {
    const stored: unknown = JSON.parse(storage.getItem(STORAGE_KEY) ?? '[]');
    if (!Array.isArray(stored)) return [];
    return stored.filter(
      (entry): entry is [string, number] =>
        Array.isArray(entry) && typeof entry[0] === 'string' && Number.isSafeInteger(entry[1]),
    );
  } catch {
    return [];
  }
}
