/** "Did you mean ...?": the known word that somebody most likely wanted to write. */

/**
 * The candidate nearest to `word`, or `null` where none is near enough to be worth naming. Spelling that differs only
 * in case, `-` and `_` counts as the same; an abbreviation (`dep`, `TERM`) finds the one word it begins or ends.
 */
export function closest(word: string, candidates: Iterable<string>): string | null {
  const wanted = plain(word);
  if (wanted === '' || wanted.length > LONGEST_WORD) return null;
  const known = [...candidates].filter((candidate) => candidate !== word && candidate.length <= LONGEST_WORD);
  const limit = allowedEdits(wanted.length);
  let best: string | null = null;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, plain(candidate), bestDistance - 1);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? onlyOne(known.filter((candidate) => isAbbreviation(wanted, plain(candidate))));
}

/**
 * Damerau-Levenshtein distance in its restricted form (insert, delete, replace, swap of neighbours), or
 * `limit + 1` as soon as it must be more than `limit`.
 */
export function editDistance(left: string, right: string, limit: number): number {
  if (limit < 0 || Math.abs(left.length - right.length) > limit) return limit + 1;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    let smallest = row;
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(cost);
      smallest = Math.min(smallest, cost);
    }
    if (smallest > limit) return limit + 1;
    beforePrevious = previous;
    previous = current;
  }
  return Math.min(previous[right.length] ?? 0, limit + 1);
}

/** Longer ones are not typing mistakes of anything, and the cost grows with the square. */
const LONGEST_WORD = 100;

function allowedEdits(length: number): number {
  if (length <= 2) return 0;
  if (length <= 4) return 1;
  return length <= 8 ? 2 : 3;
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[-_\s]/g, '');
}

function isAbbreviation(wanted: string, candidate: string): boolean {
  return wanted.length >= 3 && (candidate.startsWith(wanted) || candidate.endsWith(wanted));
}

function onlyOne(words: readonly string[]): string | null {
  return words.length === 1 ? (words[0] ?? null) : null;
}
