/**
 * Claims workspaces as it is told, a line of JSON a command: `{"claim": root, "environment": {...}, "dieAt": n}`,
 * `{"verify": true}`, `{"release": true}`. Answers each with a line of JSON. With `dieAt` it kills itself instead of its
 * n-th change to the file system within that claim. Ends with its input, without releasing anything.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createInterface } from 'node:readline';

const CHANGES = [
  'linkSync',
  'renameSync',
  'unlinkSync',
  'mkdirSync',
  'writeSync',
  'ftruncateSync',
  'copyFileSync',
] as const;

let left = Number.POSITIVE_INFINITY;
let changes = 0;

function count(): void {
  changes += 1;
  left -= 1;
  if (left <= 0) process.kill(process.pid, 'SIGKILL');
}

const table = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
for (const name of CHANGES) {
  const original = table[name]!;
  table[name] = (...args) => {
    count();
    return original(...args);
  };
}
const { openSync } = fs;
table.openSync = (...args) => {
  // Only what creates.
  if (typeof args[1] === 'number' && (args[1] & fs.constants.O_CREAT) !== 0) count();
  return openSync(...(args as Parameters<typeof openSync>));
};
syncBuiltinESMExports();

const { claimWorkspace } = await import('../../../server/store/claim.ts');
const { resolveWorkspace } = await import('../../../server/store/paths.ts');
type Claim = import('../../../server/store/claim.ts').Claim;

interface Command {
  claim?: string;
  environment?: NodeJS.ProcessEnv;
  dieAt?: number;
  withoutLinks?: boolean;
  verify?: boolean;
  release?: boolean;
}

let claim = null as Claim | null;
say({ ready: process.pid });

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Command;
  if (command.claim !== undefined) await contend(command.claim, command);
  else if (command.verify === true) say({ verdict: claim?.verify() ?? null });
  else {
    claim?.release();
    claim = null;
    say({ released: true });
  }
}

async function contend(root: string, { environment = {}, dieAt, withoutLinks }: Command): Promise<void> {
  const began = performance.now();
  left = dieAt ?? Number.POSITIVE_INFINITY;
  changes = 0;
  const resolved = resolveWorkspace(root, { exact: true, environment });
  if (!resolved.ok) return say({ outcome: 'failed', failure: resolved.failure });
  const result = await claimWorkspace({
    workspace: resolved.workspace,
    version: '0.0.0',
    limits: { maxHeapMb: 512 },
    environment,
    ...(withoutLinks === true ? { linkFile: refuseLink } : {}),
  });
  left = Number.POSITIVE_INFINITY;
  const ms = performance.now() - began;
  if (result.ok) {
    claim = result.claim;
    say({ outcome: 'won', ms, changes, stateDir: claim.stateDir, replaced: claim.replaced?.kind ?? null });
  } else if ('held' in result) {
    say({ outcome: 'held', ms, changes, holder: result.held.holder.pid, evidence: result.held.evidence });
  } else {
    say({ outcome: 'failed', ms, failure: result.failure });
  }
}

function refuseLink(): void {
  throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
}

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
