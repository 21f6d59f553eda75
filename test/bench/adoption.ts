import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StatusResult } from '../../server/api/protocol.ts';
import { until } from '../support/until.ts';
import { TestWorkspace } from '../support/workspace.ts';
import { connectTo } from './connectTo.ts';
import { cpuMs, type Row, spread } from './measure.ts';

const SERVICES = 100;
const ROUNDS = 3;
const LIMIT_MS = 3_000;

/**
 * SIGKILL of a supervisor with 100 services to the status of its successor, which has them all under the same pids; and
 * what the guardian that brings it weighs. The bare time is that of the same status asked of a supervisor that lives.
 */
export async function benchAdoption(): Promise<Row[]> {
  const rounds: Round[] = [];
  // Each with a workspace of its own: a second loss in a row is followed by a pause.
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await adopt());
  const times = rounds.map((one) => one.adoptedMs);
  const worst = Math.max(...times);
  const { guardian } = rounds[0]!;
  return [
    {
      what: `adoption of ${SERVICES} services after SIGKILL of the supervisor`,
      ours: spread(times),
      bare: spread(rounds.map((one) => one.askedMs)),
      figure: `${worst.toFixed(0)} ms at most`,
      limit: `${LIMIT_MS} ms`,
      held: worst < LIMIT_MS,
    },
    {
      what: 'the guardian: resident memory, its share of pages, CPU since its start',
      ours: `${guardian.residentKb} kB, ${guardian.shareKb} kB, ${guardian.cpuMs.toFixed(1)} ms`,
      bare: '-',
      figure: `${guardian.shareKb} kB`,
      limit: '-',
      held: true,
    },
  ];
}

interface Round {
  readonly adoptedMs: number;
  readonly askedMs: number;
  readonly guardian: { readonly residentKb: number; readonly shareKb: number; readonly cpuMs: number };
}

async function adopt(): Promise<Round> {
  const workspace = new TestWorkspace('bench-adoption');
  const names = Array.from({ length: SERVICES }, (_, index) => `service-${index}`);
  workspace.configure({ services: Object.fromEntries(names.map((name) => [name, { command: ['sleep', '100000'] }])) });
  try {
    await workspace.must('up', '--detach');
    await ask(workspace);
    const asked = performance.now();
    const before = await ask(workspace);
    const askedMs = performance.now() - asked;
    const guardian = weigh(before.supervisor!.guardian!.pid);
    const lost = before.supervisor!.pid;
    const began = performance.now();
    process.kill(lost, 'SIGKILL');
    const after = await until('the successor', () => successorOf(workspace, lost), {
      intervalMs: 5,
      timeoutMs: 30_000,
    });
    const adoptedMs = performance.now() - began;
    if (pidsOf(after) !== pidsOf(before)) throw new Error('not the same trees');
    return { adoptedMs, askedMs, guardian };
  } finally {
    await workspace.close();
  }
}

async function ask(workspace: TestWorkspace): Promise<StatusResult> {
  const client = await connectTo(workspace);
  try {
    const answer = await client.request('status', {});
    if (!answer.ok) throw new Error(answer.failure.reason);
    return answer.value;
  } finally {
    client.close();
  }
}

/** Its status once it serves; until then the lock may be the old one or the endpoint not there yet. */
async function successorOf(workspace: TestWorkspace, lost: number): Promise<StatusResult | null> {
  const { pid } = JSON.parse(readFileSync(join(workspace.root, '.coppice/supervisor.lock'), 'utf8')) as { pid: number };
  if (pid === lost) return null;
  return ask(workspace).catch(() => null);
}

function pidsOf(status: StatusResult): string {
  return status.services.map((one) => `${one.name} ${one.state} ${one.pid}`).join('\n');
}

function weigh(pid: number): Round['guardian'] {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
  return { residentKb: field('Rss'), shareKb: field('Pss'), cpuMs: cpuMs(pid) };
}
