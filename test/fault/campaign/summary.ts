/** The figures of a campaign, for people and for the README. */
import type { Round } from './campaign.ts';

export function summary(
  rounds: readonly Round[],
  { lines, seconds, alone }: { readonly lines: number; readonly seconds: number; readonly alone: boolean },
): string {
  const byFault = new Map<string, Round[]>();
  for (const round of rounds) byFault.set(round.fault, [...(byFault.get(round.fault) ?? []), round]);
  const rows = [...byFault].sort().map(([fault, all]) => {
    const recoveries = all.flatMap((one) => one.recoveryMs ?? []).sort((a, b) => a - b);
    const held = all.filter((one) => one.faults.length === 0).length;
    const words =
      recoveries.length === 0
        ? ''
        : `successor after ${at(recoveries, 0.5)} ms (median), ${at(recoveries, 1)} ms (worst)`;
    return `  ${fault.padEnd(34)} ${String(held).padStart(4)} of ${String(all.length).padStart(4)} held  ${words}`;
  });
  const signals = rounds.reduce((sum, one) => sum + one.victims.length, 0);
  const where = alone ? ' in a pid namespace of its own' : '';
  return [
    '',
    ...rows,
    '',
    `${rounds.length} rounds, ${signals} signals, ${lines} counted lines, ${seconds.toFixed(0)} s${where}`,
  ].join('\n');
}

function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
