import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TestWorkspace } from '../support/workspace.ts';
import { cpuMs, type Row } from './measure.ts';

const SERVICES = 50;
const OBSERVED_MS = 60_000;

/** Fifty services at rest: what the supervisor uses of a core, and its memory beside that of an idle Node. */
export async function benchIdle(): Promise<Row[]> {
  const workspace = new TestWorkspace('bench-idle');
  const names = Array.from({ length: SERVICES }, (_, index) => `service-${index}`);
  workspace.configure({ services: Object.fromEntries(names.map((name) => [name, { command: ['sleep', '100000'] }])) });
  const script = join(workspace.state, 'idle.cjs');
  writeFileSync(script, 'setInterval(() => {}, 1 << 30)');
  const idle = spawn(process.execPath, [script], { stdio: 'ignore' });
  try {
    await workspace.must('up', '--detach');
    const { supervisor } = await workspace.status();
    const pid = supervisor!.pid;
    await delay(5_000);
    const before = cpuMs(pid);
    await delay(OBSERVED_MS);
    const used = ((cpuMs(pid) - before) / OBSERVED_MS) * 100;
    const [ours, bare] = [residentMb(pid), residentMb(idle.pid!)];
    const ratio = ours / bare;
    return [
      {
        what: `idle with ${SERVICES} services: CPU over ${OBSERVED_MS / 1000} s`,
        ours: `${used.toFixed(2)} % of a core`,
        bare: '-',
        figure: `${used.toFixed(2)} %`,
        limit: '0.2 %',
        held: used < 0.2,
      },
      {
        what: `idle with ${SERVICES} services: resident memory`,
        ours: `${ours.toFixed(1)} MB`,
        bare: `${bare.toFixed(1)} MB`,
        figure: `${ratio.toFixed(2)}x`,
        limit: '1.5x',
        held: ratio < 1.5,
      },
    ];
  } finally {
    idle.kill('SIGKILL');
    await workspace.close();
  }
}

function residentMb(pid: number): number {
  const match = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1]) / 1024;
}
