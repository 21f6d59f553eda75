/** What a stop proved, in lines. Pure. */
import type { EmptyProof } from '../process/types.ts';
import { formatDuration } from '../text/units.ts';
import { oneLine } from './width.ts';

export interface ProvenTree {
  readonly name: string;
  readonly proof: EmptyProof;
}

/** A tree that was ended by a supervisor which was lost before it could give its proof: what the journal says of it. */
export interface EarlierTree {
  readonly name: string;
  readonly confirmed: number;
}

/** One line a tree, one a survivor, and the sum. */
export function proofLines(trees: readonly ProvenTree[], earlier: readonly EarlierTree[] = []): string[] {
  const width = Math.max(0, ...[...earlier, ...trees].map((tree) => tree.name.length));
  const before = earlier.map(
    ({ name, confirmed }) =>
      `  ${name.padEnd(width)}  ${count(confirmed, 'process', 'processes')} confirmed gone before, as the journal says`,
  );
  const lines = trees.flatMap(({ name, proof }) => [
    `  ${name.padEnd(width)}  ${treeLine(proof)}`,
    ...proof.survivors.map(
      (one) =>
        `  ${' '.repeat(width)}  still there: pid ${one.identity.pid} (${oneLine(one.name)}), started ${one.identity.startTime}: ${oneLine(one.reason)}`,
    ),
  ]);
  return [...before, ...lines, proofSum(trees, earlier)];
}

/** `Nothing is left: 4 trees, 23 processes confirmed gone.` */
export function proofSum(trees: readonly ProvenTree[], earlier: readonly EarlierTree[] = []): string {
  const before = earlier.reduce((sum, tree) => sum + tree.confirmed, 0);
  const confirmed = trees.reduce((sum, tree) => sum + tree.proof.confirmed.length, before);
  const survivors = trees.reduce((sum, tree) => sum + tree.proof.survivors.length, 0);
  const number = trees.length + earlier.length;
  if (number === 0) return 'Nothing is left: nothing was running.';
  const gone = `${count(number, 'tree')}, ${count(confirmed, 'process', 'processes')} confirmed gone`;
  if (survivors === 0) return `Nothing is left: ${gone}.`;
  return `NOT EMPTY: ${count(survivors, 'process', 'processes')} could not be ended; ${gone}.`;
}

/** For JSON: what a lost supervisor had ended stands apart, as only its number is known, and is left out when there is none. */
export function withEarlier<T extends object>(
  value: T,
  earlier: readonly EarlierTree[],
): T | (T & { earlier: readonly EarlierTree[] }) {
  return earlier.length === 0 ? value : { ...value, earlier };
}

export function hasSurvivors(trees: readonly ProvenTree[]): boolean {
  return trees.some((tree) => tree.proof.survivors.length > 0);
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function treeLine(proof: EmptyProof): string {
  const gone = `${count(proof.confirmed.length, 'process', 'processes')} confirmed gone`;
  const isByKeeper = proof.emptyScans === 0 && proof.survivors.length === 0;
  const scans = isByKeeper ? 'its keeper ended with nothing left' : count(proof.emptyScans, 'empty scan');
  const killed = proof.killed ? ', killed after the time to stop was over' : '';
  return `${gone}, ${scans}, ${formatDuration(proof.durationMs)}${killed}`;
}
