/** The whole of `ps` for people. */
import type { StatusResult } from '../api/protocol.ts';
import { formatDuration } from '../text/units.ts';
import { serviceTable } from './table.ts';
import type { Terminal } from './terminal.ts';
import { oneLine, shorten } from './width.ts';

/** The table, the runs that go on, and who supervises. */
export function statusLines(status: StatusResult, terminal: Terminal): string[] {
  const now = Date.now();
  const style = { colours: terminal.colours, columns: terminal.columns, now };
  const lines = serviceTable(status.services, style);
  for (const run of status.runs.filter((one) => one.state === 'running')) {
    const tasks = run.tasks.map((task) => `${task.name} ${task.state}`).join(', ');
    lines.push(shorten(`run ${run.id}: ${oneLine(tasks)}`, terminal.columns));
  }
  lines.push(terminal.paint('dim', shorten(supervisorLine(status, now), terminal.columns)));
  return lines;
}

function supervisorLine(status: StatusResult, now: number): string {
  const { supervisor } = status;
  if (supervisor === null) return 'No supervisor runs here; `coppice up` starts one.';
  return `supervisor pid ${supervisor.pid}, up ${formatDuration(now - supervisor.startedAt)}, ${Math.round(supervisor.heartbeat.memory.rssMb)}MB`;
}
