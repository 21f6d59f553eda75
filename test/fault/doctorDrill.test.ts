import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DrillReport } from '../../server/doctor/drill/types.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { COMMAND, RunningCommand } from '../support/workspace.ts';

describe('`coppice doctor --drill`', () => {
  after(removeTemporaryFolders);

  function begin(folder: string): RunningCommand {
    const env = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder };
    const args = [COMMAND, 'doctor', '--drill', '--json'];
    return new RunningCommand(spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** Living processes that name the folder on their command line, and what is left in it. */
  function leftIn(folder: string): string[] {
    const processes = readdirSync('/proc').flatMap((entry) => {
      if (!/^\d+$/.test(entry)) return [];
      try {
        const words = readFileSync(`/proc/${entry}/cmdline`, 'latin1').replaceAll('\0', ' ');
        return words.includes(folder) ? [`${entry} ${words}`] : [];
      } catch {
        return [];
      }
    });
    return [...processes, ...readdirSync(folder).filter((name) => name.startsWith('coppice-'))];
  }

  it('finds that every guarantee holds here, and leaves nothing behind', async function () {
    this.timeout(180_000);
    const folder = temporaryFolder('drill');
    const { code, stdout, stderr } = await begin(folder).ended;
    const report = JSON.parse(stdout) as DrillReport;
    const broken = report.guarantees
      .filter((one) => one.verdict !== 'holds')
      .map((one) => `${one.guarantee}: ${one.why}`);
    assert.deepEqual([broken, report.leftovers, code], [[], [], 0], stderr);
    assert.ok(report.guarantees.length >= 16);
    assert.deepEqual(leftIn(folder), []);
  });

  it('cleans up after Ctrl-C in the middle, and exits with 130', async () => {
    const folder = temporaryFolder('drill');
    const drill = begin(folder);
    await until('a supervisor of the drill', () =>
      readdirSync(folder).some((name) => existsSync(join(folder, name, 'workspace/.coppice/supervisor.lock'))),
    );
    drill.child.kill('SIGINT');
    const { code, stdout } = await drill.ended;
    assert.deepEqual([code, (JSON.parse(stdout) as DrillReport).interrupted, leftIn(folder)], [130, true, []]);
  });
});
