import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/until.ts';
import { TestWorkspace } from '../support/workspace.ts';
import { cpuMs, median, type Row, spread } from './measure.ts';

const ROUNDS = 3;
/** 1 GB, told by the child itself how long the writing took. */
const WRITER = `
const line = Buffer.from('x'.repeat(1023) + '\\n');
const block = Buffer.concat(Array.from({ length: 64 }, () => line));
const { writeSync, writeFileSync } = require('node:fs');
const began = performance.now();
for (let written = 0; written < 1024 ** 3; ) written += writeSync(1, block);
writeFileSync(process.argv[1], String(performance.now() - began));
`;

/** One service prints 1 GB: how fast, beside the same program writing to a file of its own, and at what cost to us. */
export async function benchOutput(): Promise<Row[]> {
  const ours: number[] = [];
  const bare: number[] = [];
  let supervisorShare = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const workspace = new TestWorkspace('bench-output');
    try {
      bare.push(await bareRun(workspace));
      const { ms, share } = await supervisedRun(workspace);
      ours.push(ms);
      supervisorShare = Math.max(supervisorShare, share);
    } finally {
      await workspace.close();
    }
  }
  const ratio = median(bare) / median(ours);
  return [
    {
      what: '1 GB of output: speed of the child',
      ours: spread(ours),
      bare: spread(bare),
      figure: `${ratio.toFixed(2)}x as fast`,
      limit: '0.95x',
      held: ratio >= 0.95,
    },
    {
      what: '1 GB of output: CPU of the supervisor meanwhile',
      ours: `${supervisorShare.toFixed(2)} % of a core`,
      bare: '-',
      figure: `${supervisorShare.toFixed(2)} %`,
      limit: '1 %',
      held: supervisorShare < 1,
    },
  ];
}

async function supervisedRun(workspace: TestWorkspace): Promise<{ ms: number; share: number }> {
  const report = join(workspace.state, 'ours');
  workspace.configure({ services: { writer: { command: [process.execPath, '-e', WRITER, report], restart: 'no' } } });
  await workspace.must('up', '--detach', '--no-wait', 'writer');
  const { supervisor } = await workspace.status();
  const stat = (): number => cpuMs(readFileSync(`/proc/${supervisor!.pid}/stat`, 'utf8'));
  const before = stat();
  const began = performance.now();
  const ms = Number(await until('the writer', () => read(report), { timeoutMs: 120_000 }));
  const share = ((stat() - before) / (performance.now() - began)) * 100;
  return { ms, share };
}

async function bareRun(workspace: TestWorkspace): Promise<number> {
  const report = join(workspace.state, 'bare');
  const fd = openSync(join(workspace.state, 'bare.log'), 'a');
  const child = spawn(process.execPath, ['-e', WRITER, report], { stdio: ['ignore', fd, fd], detached: true });
  closeSync(fd);
  await new Promise((resolve) => child.once('exit', resolve));
  if (statSync(join(workspace.state, 'bare.log')).size !== 1024 ** 3) throw new Error('the bare writer fell short');
  return Number(readFileSync(report, 'utf8'));
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8') || null;
  } catch {
    return null;
  }
}
