/** The whole of `ps` for people. */
import type { StatusResult } from '../api/protocol.ts';
import { formatDuration } from '../text/units.ts';
import { serviceTable } from './table.ts';
import type { Terminal } from './terminal.ts';
import { oneLine, shorten } from './width.ts';

export interface StatusView {
  /** Of whoever looks; `null`: of nobody. */
  readonly session?: string | null;
  /** The supervisor was lost: the table is how things stood. */
  readonly lost?: boolean;
}

/** The table, the runs that go on, and who supervises. */
export function statusLines(status: StatusResult, terminal: Terminal, view: StatusView = {}): string[] {
  const now = Date.now();
  const style = { colours: terminal.colours, columns: terminal.columns, now, session: view.session ?? null };
  const lines = serviceTable(status.services, style);
  for (const run of status.runs.filter((one) => one.state === 'running')) {
    const tasks = run.tasks.map((task) => `${task.name} ${task.state}`).join(', ');
    lines.push(shorten(`run ${run.id}: ${oneLine(tasks)}`, terminal.columns));
  }
  lines.push(terminal.paint('dim', shorten(supervisorLine(status, now, view.lost === true), terminal.columns)));
  return lines;
}

function supervisorLine(status: StatusResult, now: number, lost: boolean): string {
  const { supervisor } = status;
  if (supervisor === null) return 'No supervisor runs here; `coppice up` starts one.';
  if (lost) return `supervisor pid ${supervisor.pid} was lost; above is how things stood before`;
  return `supervisor pid ${supervisor.pid}, up ${formatDuration(now - supervisor.startedAt)}, ${Math.round(supervisor.heartbeat.memory.rssMb)}MB`;
}
