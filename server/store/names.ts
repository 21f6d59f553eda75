/** File names for what people named, and short hashes. Loads nothing: the `ps` command pays for every import. */

/** Longest part of a name that is kept; file systems take 255 bytes, and suffixes and temporary names come on top. */
const LONGEST = 150;

/**
 * A file name for a service, task or key. Plain lower-case names stay as they are. Everything else is written as `%xx`
 * bytes, capitals too: `Web` and `web` are two services and would be one file on macOS and Windows.
 */
export function encodeName(name: string): string {
  let encoded = '';
  for (const char of name) encoded += /[a-z0-9._-]/.test(char) ? char : escapeBytes(char);
  // Windows drops a final dot, and hides or reserves the others (`con.log` is the console, whatever the suffix).
  if (encoded.endsWith('.')) encoded = `${encoded.slice(0, -1)}%2e`;
  if (/^(?:\.|(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))/.test(encoded)) {
    encoded = escapeBytes(encoded.slice(0, 1)) + encoded.slice(1);
  }
  // `%-` never comes out of the encoding, so a shortened name is never that of another.
  return encoded.length <= LONGEST ? encoded : `${encoded.slice(0, LONGEST - 20)}%-${shortHash(name)}`;
}

/** The name that `encodeName` made this of; `null` for a shortened one and for what it never makes. */
export function decodeName(encoded: string): string | null {
  try {
    const name = decodeURIComponent(encoded);
    return encodeName(name) === encoded ? name : null;
  } catch {
    return null;
  }
}

/**
 * 64 bits of `text` as 16 hex digits. Not for secrets: it tells apart what nobody forges. `node:crypto` would cost every
 * `coppice ps` 4 ms of loading.
 */
export function shortHash(text: string): string {
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, 2654435761);
    high = Math.imul(high ^ code, 1597334677);
  }
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  return hex(high) + hex(low);
}

/** `digits` random hex digits, to tell names apart; whoever uses them creates exclusively. */
export function randomHex(digits: number): string {
  let text = '';
  while (text.length < digits) text += hex(Math.floor(Math.random() * 0x1_0000_0000));
  return text.slice(0, digits);
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

function escapeBytes(char: string): string {
  return [...Buffer.from(char, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}
