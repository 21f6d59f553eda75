/** Pure reader of what the CIM query prints on Windows. */
import type { ProcessRow } from '../../types.ts';

/** One line a process: pid, parent, creation time in 100 ns ticks, name. WMIC is gone from current Windows. */
const QUERY = [
  '[Console]::OutputEncoding=[Text.Encoding]::UTF8;',
  'Get-CimInstance Win32_Process -Property ProcessId,ParentProcessId,CreationDate,Name | ForEach-Object {',
  '$t=if($_.CreationDate){$_.CreationDate.ToFileTimeUtc()}else{0};',
  '"{0}`t{1}`t{2}`t{3}" -f $_.ProcessId,$_.ParentProcessId,$t,$_.Name }',
].join(' ');

export function tableCommand(systemRoot: string): [string, ...string[]] {
  const shell = `${systemRoot}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`;
  return [shell, '-NoLogo', '-NoProfile', '-NonInteractive', '-Command', QUERY];
}

/** There are no groups, sessions and zombies here: those columns are 0 and `R`. */
export function parseProcessTable(text: string): Map<number, ProcessRow> {
  const rows = new Map<number, ProcessRow>();
  for (const line of text.split(/\r?\n/)) {
    const [pid, parent, startTime, ...name] = line.split('\t');
    if (pid === undefined || !/^\d+$/.test(pid) || !/^\d+$/.test(parent ?? '') || !/^\d+$/.test(startTime ?? ''))
      continue;
    // The idle process has no creation time; without one nothing can be identified, nor may be ended.
    if (pid === '0') continue;
    rows.set(Number(pid), {
      pid: Number(pid),
      parent: Number(parent),
      group: 0,
      session: 0,
      state: 'R',
      startTime: startTime === '0' ? '' : startTime!,
      name: name.join('\t'),
    });
  }
  return rows;
}
