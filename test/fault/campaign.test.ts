import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT } from '../support/workspace.ts';

/** `npm run faults` goes on for five hundred; these are enough to show a campaign that found something at once. */
const ROUNDS = 16;
const seed = Number(process.env.COPPICE_SEED ?? Math.floor(Math.random() * 2 ** 32));

describe(`the fault campaign, in short (COPPICE_SEED=${seed})`, function () {
  this.timeout(240_000);

  it(`holds for ${ROUNDS} rounds of killing and freezing, with nothing lost, doubled or left`, async () => {
    const { code, output } = await campaign('--rounds', String(ROUNDS), '--seed', String(seed));
    assert.equal(code, 0, output);
  });
});

function campaign(...words: string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [join(PROJECT, 'test/fault/campaign/main.ts'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}
