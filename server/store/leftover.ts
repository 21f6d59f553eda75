/** Keys of trees whose end left something: out of the way of the next start of the same name. */

const LEFTOVER = 'leftover/';

/** The key that the rest of a tree is kept under; no two trees have the same marker. */
export function leftoverKey(key: string, marker: string): string {
  return isLeftover(key) ? key : `${LEFTOVER}${key}/${marker.slice(marker.lastIndexOf('/') + 1)}`;
}

export function isLeftover(key: string): boolean {
  return key.startsWith(LEFTOVER);
}
