/** What a stop proved, in lines. Pure. */
import type { EmptyProof } from '../process/types.ts';
import { formatDuration } from '../text/units.ts';
import { oneLine } from './width.ts';

export interface ProvenTree {
  readonly name: string;
  readonly proof: EmptyProof;
}

/** One line a tree, one a survivor, and the sum. */
export function proofLines(trees: readonly ProvenTree[]): string[] {
  const width = Math.max(0, ...trees.map((tree) => tree.name.length));
  const lines = trees.flatMap(({ name, proof }) => [
    `  ${name.padEnd(width)}  ${treeLine(proof)}`,
    ...proof.survivors.map(
      (one) =>
        `  ${' '.repeat(width)}  still there: pid ${one.identity.pid} (${oneLine(one.name)}), started ${one.identity.startTime}: ${oneLine(one.reason)}`,
    ),
  ]);
  return [...lines, proofSum(trees)];
}

/** `Nothing is left: 4 trees, 23 processes confirmed gone.` */
export function proofSum(trees: readonly ProvenTree[]): string {
  const confirmed = trees.reduce((sum, tree) => sum + tree.proof.confirmed.length, 0);
  const survivors = trees.reduce((sum, tree) => sum + tree.proof.survivors.length, 0);
  if (trees.length === 0) return 'Nothing is left: nothing was running.';
  const gone = `${count(trees.length, 'tree')}, ${count(confirmed, 'process', 'processes')} confirmed gone`;
  if (survivors === 0) return `Nothing is left: ${gone}.`;
  return `NOT EMPTY: ${count(survivors, 'process', 'processes')} could not be ended; ${gone}.`;
}

export function hasSurvivors(trees: readonly ProvenTree[]): boolean {
  return trees.some((tree) => tree.proof.survivors.length > 0);
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function treeLine(proof: EmptyProof): string {
  const gone = `${count(proof.confirmed.length, 'process', 'processes')} confirmed gone`;
  const scans = `${count(proof.emptyScans, 'empty scan')}`;
  const killed = proof.killed ? ', killed after the time to stop was over' : '';
  return `${gone}, ${scans}, ${formatDuration(proof.durationMs)}${killed}`;
}
