import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMAND, TestWorkspace } from '../support/workspace.ts';
import { median, type Row, spread } from './measure.ts';

const ROUNDS = 25;

/** `coppice ps` with a supervisor, beside a Node script that does nothing; the two in turn. */
export async function benchCommand(): Promise<Row> {
  const workspace = new TestWorkspace('bench-ps');
  workspace.configure({ services: { idle: { command: ['sleep', '100000'] } } });
  const empty = join(workspace.state, 'empty.cjs');
  writeFileSync(empty, '');
  try {
    await workspace.must('up', '--detach');
    const ours: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      bare.push(time([empty], workspace));
      ours.push(time([COMMAND, 'ps'], workspace));
    }
    const ratio = median(ours) / median(bare);
    return {
      what: '`coppice ps`',
      ours: spread(ours),
      bare: spread(bare),
      figure: `${ratio.toFixed(2)}x`,
      limit: '2.5x',
      held: ratio <= 2.5,
    };
  } finally {
    await workspace.close();
  }
}

function time(args: readonly string[], workspace: TestWorkspace): number {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: workspace.root, env: workspace.env });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - began;
}
