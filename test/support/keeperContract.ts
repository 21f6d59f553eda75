/** What every build of the native keeper does; its command may run under an emulator. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type KeeperReport, parseKeeperReport } from '../../server/process/keeper.ts';
import { temporaryFolder } from './temporary.ts';

interface KeeperRun {
  readonly code: number | null;
  readonly reports: readonly KeeperReport[];
  readonly output: string;
  readonly record: string | null;
  readonly recordPath: string;
}

/** `reapsOrphans`: user-mode emulators refuse PR_SET_CHILD_SUBREAPER; such a keeper must not claim an empty tree. */
export function describeKeeper(
  title: string,
  command: () => readonly string[] | null,
  { reapsOrphans = true }: { readonly reapsOrphans?: boolean } = {},
): void {
  for (const [way, runBy] of WAYS)
    describe(`${title}, ${way}`, () => {
      let words: readonly string[] = [];
      before(function () {
        const found = command();
        if (found === null) this.skip();
        words = found;
      });
      const run = (mode: string, argv: readonly string[]): Promise<KeeperRun> => runBy(words, mode, argv);

      const cleanEnd = reapsOrphans ? 0 : 1;

      it('reports start and end, and ends cleanly when the tree is empty', async () => {
        const { code, reports, output } = await run('ignore', ['/bin/sh', '/bin/sh', '-c', 'echo printed; exit 7']);
        assert.deepEqual(
          reports.map((report) => report.kind),
          ['started', 'exited'],
        );
        assert.deepEqual(reports[1], { kind: 'exited', status: { code: 7, signal: null } });
        assert.deepEqual([code, output], [cleanEnd, 'printed\n']);
      });

      it('reports pid and start times that are decimal numbers', async () => {
        const { reports } = await run('ignore', ['/bin/sh', '/bin/sh', '-c', 'echo $$']);
        const [first] = reports;
        assert.ok(first?.kind === 'started');
        assert.match(first.startTime ?? '', /^\d+$/);
        assert.match(first.keeperStartTime ?? '', /^\d+$/);
      });

      it('writes a record that only the user can read, and leaves no partial one', async () => {
        const { record, recordPath, reports } = await run('ignore', ['/bin/sh', '/bin/sh', '-c', 'kill -QUIT $$']);
        const { pid, code, signal, witness } = JSON.parse(record ?? '');
        const [first] = reports;
        assert.ok(first?.kind === 'started');
        assert.deepEqual(
          { pid, code, signal, witness },
          { pid: first.pid, code: null, signal: 'SIGQUIT', witness: 'keeper' },
        );
        assert.equal(statSync(recordPath).mode & 0o777, 0o600);
        assert.equal(existsSync(`${recordPath}.tmp`), false);
      });

      it('reports the error of exec and writes no record', async () => {
        const { code, reports, record } = await run('ignore', ['/no/such/program', 'x']);
        assert.deepEqual(reports, [{ kind: 'error', stage: 'exec', code: 'ENOENT' }]);
        assert.deepEqual([code, record], [127, null]);
      });

      it('gives the program its own name and arguments', async () => {
        const { output } = await run('ignore', ['/bin/sh', 'a name', '-c', 'echo "$0,$1,$2"', 'zero', 'one two', '']);
        assert.equal(output, 'zero,one two,\n');
      });

      it('holds the input open in hold mode only', async () => {
        // `timeout` ends with 124 when the reader was still waiting.
        const wait = ['/usr/bin/timeout', 'timeout', '0.3', '/bin/sh', '-c', 'read line; exit 5'];
        assert.deepEqual((await run('hold', wait)).reports[1], { kind: 'exited', status: { code: 124, signal: null } });
        assert.deepEqual((await run('ignore', wait)).reports[1], { kind: 'exited', status: { code: 5, signal: null } });
      });

      it('waits for orphans of the tree after the report', async function () {
        if (!reapsOrphans) this.skip();
        const { reports, output, code } = await run('ignore', [
          '/bin/sh',
          'sh',
          '-c',
          '(setsid sh -c "sleep 0.2; echo orphan" &) ; exit 1',
        ]);
        assert.deepEqual(reports[1], { kind: 'exited', status: { code: 1, signal: null } });
        assert.deepEqual([output, code], ['orphan\n', 0]);
      });

      it('refuses a call that it does not understand', async () => {
        const child = spawn(words[0]!, [...words.slice(1), 'record', 'ignore'], { stdio: 'ignore' });
        assert.deepEqual(await once(child, 'exit'), [64, null]);
      });
    });
}

const WAYS = [
  ['started for one tree', runKeeper],
  ['started by the spawner', runBySpawner],
] as const;

async function runKeeper(command: readonly string[], mode: string, argv: readonly string[]): Promise<KeeperRun> {
  const folder = mkdtempSync(join(temporaryFolder('keeper'), 'run-'));
  const recordPath = join(folder, 'exit.json');
  const outputPath = join(folder, 'out.log');
  const output = openSync(outputPath, 'a');
  const [program, ...words] = [...command, recordPath, mode, '--', ...argv];
  const child = spawn(program!, words, { stdio: ['ignore', output, output, 'pipe'], detached: true });
  closeSync(output);
  let said = '';
  (child.stdio[3] as Socket).setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return {
    code,
    reports: said
      .split('\n')
      .map(parseKeeperReport)
      .filter((report) => report !== null),
    output: readFileSync(outputPath, 'utf8'),
    record: existsSync(recordPath) ? readFileSync(recordPath, 'utf8') : null,
    recordPath,
  };
}

/** The protocol of the spawner as its header file states it, put together without the code of the launcher. */
async function runBySpawner(command: readonly string[], mode: string, argv: readonly string[]): Promise<KeeperRun> {
  const folder = mkdtempSync(join(temporaryFolder('keeper'), 'run-'));
  const recordPath = join(folder, 'exit.json');
  const outputPath = join(folder, 'out.log');
  const [program, ...words] = [...command, '--spawner'];
  const child = spawn(program!, words, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'], detached: true });
  const channel = child.stdio[3] as Socket;
  const texts = ['/', outputPath, recordPath, ...argv, 'A=b'].map((text) => Buffer.from(`${text}\0`));
  const body = Buffer.concat(texts);
  const header = new Uint32Array([24 + body.length, 12, mode === 'hold' ? 1 : 0, 0, 0, argv.length - 1, 1]);
  channel.write(Buffer.concat([Buffer.from(header.buffer), body]));
  let said = '';
  channel.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (/^12 ended .*\n/m.test(said)) channel.end();
  });
  await once(child, 'close');
  const reports = said.split('\n').flatMap((line) => parseKeeperReport(line.replace(/^12 /, '')) ?? []);
  const end = reports.at(-1);
  return {
    code: end?.kind === 'ended' ? end.status.code : null,
    reports: reports.filter((report) => report.kind !== 'ended'),
    output: existsSync(outputPath) ? readFileSync(outputPath, 'utf8') : '',
    record: existsSync(recordPath) ? readFileSync(recordPath, 'utf8') : null,
    recordPath,
  };
}
