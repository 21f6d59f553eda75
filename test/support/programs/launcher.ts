/**
 * Launches the request given as JSON (with options, as JSON too), prints what it knows of the tree as one line of JSON, and lives until killed:
 * stands for a supervisor that a test can SIGKILL.
 */
import { type LaunchOptions, launch } from '../../../server/process/launch.ts';
import type { LaunchRequest } from '../../../server/process/types.ts';

const options = JSON.parse(process.argv[3] ?? '{}') as LaunchOptions;
const result = await launch(JSON.parse(process.argv[2] ?? '') as LaunchRequest, options);
process.stdout.write(`${JSON.stringify(result.ok ? result.tree.identity : result.failure)}\n`);
setInterval(() => {}, 60_000);
