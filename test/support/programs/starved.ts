/**
 * Takes all file handles but a few and launches the request given as JSON, with one more left each round until it
 * works. Prints the reason of each failure, then `launched`.
 */
import { closeSync, openSync } from 'node:fs';
import { type LaunchOptions, launch } from '../../../server/process/launch.ts';
import type { LaunchRequest } from '../../../server/process/types.ts';

// A launched tree holds no event loop open.
const alive = setInterval(() => {}, 1000);
const request = JSON.parse(process.argv[2] ?? '') as LaunchRequest;
const options = JSON.parse(process.argv[3] ?? '{}') as LaunchOptions;
// What is opened on first use (keepers, boot id, the loop's own handles) must not be counted.
await ((await launch(request, options)) as { tree: { exited: Promise<unknown> } }).tree.exited;

const said: string[] = [];
for (let left = 0; left < 20 && !said.includes('launched'); left++) {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    for (const fd of taken.splice(0, left)) closeSync(fd);
  }
  const result = await launch(request, options);
  for (const fd of taken) closeSync(fd);
  said.push(result.ok ? 'launched' : result.failure.reason);
}
process.stdout.write(`${said.join('\n')}\n`);
clearInterval(alive);
