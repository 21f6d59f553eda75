/** Memory of processes on Windows: private bytes, which is what a process has that no other shares. */
import type { HelperText } from '../../helperText.ts';
import type { TreeMemory } from '../../memory.ts';

export async function measureMemory(pids: readonly number[], run: HelperText): Promise<TreeMemory> {
  if (pids.length === 0) return { bytes: 0, fallback: false };
  const script =
    `Get-Process -Id ${pids.join(',')} -ErrorAction SilentlyContinue | ` +
    'ForEach-Object { "$($_.Id) $($_.PrivateMemorySize64)" }';
  const text = await run(['powershell.exe', '-NoLogo', '-NoProfile', '-NonInteractive', '-Command', script]);
  return { bytes: privateBytes(text ?? '', pids), fallback: text === null };
}

/** Private bytes are proportional already: nothing shared is in them. */
export const measureProportionalMemory = measureMemory;

/** Bytes from lines of `<pid> <bytes>`, only of `pids`. */
export function privateBytes(text: string, pids: readonly number[]): number {
  const wanted = new Set(pids);
  let bytes = 0;
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(\d+) (\d+)\s*$/.exec(line);
    if (match !== null && wanted.has(Number(match[1]))) bytes += Number(match[2]);
  }
  return bytes;
}
