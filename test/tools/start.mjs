/** `npm start`: sets a fresh clone up, then brings the sample workspace up, with further arguments given to `up`. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectEnvironment, projectNode, root, setUp, storefront } from './setup.mjs';

try {
  await setUp();
} catch (error) {
  console.error(`npm start: ${error.message}`);
  process.exit(1);
}

const words = [join(root, 'dist/coppice.cjs'), 'up', '--cwd', storefront, ...process.argv.slice(2)];
const command = spawn(projectNode(), words, { cwd: storefront, env: projectEnvironment(), stdio: 'inherit' });
// The terminal's Ctrl-C reaches the command itself; this process only waits for it. What came to this process alone
// is passed on.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => command.kill(signal));
process.on('SIGINT', () => {
  if (!process.stdin.isTTY) command.kill('SIGINT');
});
command.once('error', (error) => {
  console.error(`npm start: ${error.message}`);
  process.exitCode = 1;
});
command.once('close', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
});
