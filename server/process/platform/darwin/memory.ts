/**
 * Memory of processes on macOS, and on other systems that have a POSIX `ps`. The resident size of `ps` holds file
 * pages too, so it is only good as a cheap first look; `footprint` is Apple's own account without them.
 */
import type { HelperText } from '../../helperText.ts';
import type { TreeMemory } from '../../memory.ts';

export async function measureMemory(pids: readonly number[], run: HelperText): Promise<TreeMemory> {
  if (pids.length === 0) return { bytes: 0, fallback: false };
  // `ps` exits 1 when one of the processes is gone, and prints the others all the same.
  const text = await run(['ps', '-o', 'pid=,state=,rss=', '-p', pids.join(',')]);
  return { bytes: residentFromPs(text ?? '', pids), fallback: true };
}

/** Slow (it stops each process for a moment), so only to confirm what `ps` made suspect. */
export async function measureProportionalMemory(pids: readonly number[], run: HelperText): Promise<TreeMemory> {
  if (pids.length === 0) return { bytes: 0, fallback: false };
  const arguments_ = pids.flatMap((pid) => ['-p', String(pid)]);
  const text = await run(['footprint', '--noCategories', '--format', 'bytes', ...arguments_]);
  const bytes = footprintTotal(text ?? '');
  return bytes === null ? measureMemory(pids, run) : { bytes, fallback: false };
}

/** Bytes from `ps -o pid=,state=,rss=`; only of `pids`, zombies count nothing. */
export function residentFromPs(text: string, pids: readonly number[]): number {
  const wanted = new Set(pids);
  let bytes = 0;
  for (const line of text.split('\n')) {
    const match = /^\s*(\d+)\s+(\S+)\s+(\d+)\s*$/.exec(line);
    if (match === null || !wanted.has(Number(match[1])) || match[2]?.startsWith('Z')) continue;
    bytes += Number(match[3]) * 1024;
  }
  return bytes;
}

/**
 * The total of `footprint --format bytes`: the summary, in which pages that several processes share count once; for
 * a single process, which gets no summary, its own figure. `null` when nothing was measured.
 */
export function footprintTotal(text: string): number | null {
  const summary = /^Summary Footprint: (\d+) B/m.exec(text);
  if (summary !== null) return Number(summary[1]);
  const single = [...text.matchAll(/^.+ \[\d+\]:.*\bFootprint: (\d+) B\b/gm)];
  return single.length === 0 ? null : single.reduce((total, match) => total + Number(match[1]), 0);
}
