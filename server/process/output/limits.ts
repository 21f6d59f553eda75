/** What output costs on the disk, per service: `(keep + 1) * maxBytes`, another one during a rotation, and what is written between two checks. */
export const DEFAULT_ROTATION = { maxBytes: 64 * 1024 ** 2, keep: 2 } as const;

/** One read of a follower. Larger blocks were no faster (page cache to buffer), and hold the event loop longer. */
export const CHUNK_BYTES = 256 * 1024;

/** A line longer than this is given in pieces: somebody prints a bundle, or binary data. UTF-16 units. */
export const LINE_CAP = 64 * 1024;

/** A tail looks back so far for its lines, however long they are. */
export const TAIL_BYTES = 4 * 1024 ** 2;
