import type { ProcessRow } from '../../types.ts';

/** A parsed `/proc/<pid>/stat`: the row, and what decides whether it counts. */
export interface StatReading {
  readonly row: ProcessRow;
  readonly kernelThread: boolean;
  readonly dead: boolean;
}

/** PF_KTHREAD of the kernel's `include/linux/sched.h`; a parent of 2 proves nothing inside a pid namespace. */
const KERNEL_THREAD_FLAG = 0x0020_0000;

/**
 * Parses `/proc/<pid>/stat`, `null` when it is torn. Everything is counted from the last `)`: the second field is the
 * program's own choice and may read `a) R 1 (x`, or hold a newline.
 */
export function parseStat(text: string): StatReading | null {
  const nameStart = text.indexOf('(');
  const nameEnd = text.lastIndexOf(')');
  if (nameStart < 0 || nameEnd < nameStart) return null;
  const fields = text.slice(nameEnd + 2).split(' ', 20);
  const startTime = fields[19];
  const state = fields[0];
  const pid = Number.parseInt(text, 10);
  if (startTime === undefined || state === undefined || state === '' || !(pid > 0)) return null;
  // A process whose first thread called pthread_exit shows Z while its other threads run: that one is alive.
  const threads = Number(fields[17]);
  const ended = state === 'Z' || state === 'X' || state === 'x';
  const dead = ended && !(threads > 1);
  return {
    row: {
      pid,
      parent: Number(fields[1]),
      group: Number(fields[2]),
      session: Number(fields[3]),
      state: ended && !dead ? 'S' : state,
      startTime: startTime.trim(),
      name: text.slice(nameStart + 1, nameEnd),
    },
    kernelThread: (Number(fields[6]) & KERNEL_THREAD_FLAG) !== 0,
    dead,
  };
}
