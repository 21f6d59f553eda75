/**
 * Makes a fresh clone ready: dependencies, the sample workspace's own dependencies, the build. Runs on whatever Node
 * the machine has (20 or newer) before anything is installed, so it imports nothing but Node's own modules.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(import.meta.dirname ?? fileURLToPath(new URL('.', import.meta.url)), '../..');
export const storefront = join(root, 'test/workspaces/storefront');

/** The project's own Node (24), installed as a package; before that, the one that runs this. */
export function projectNode() {
  const own = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return existsSync(own) ? own : process.execPath;
}

/** Like npm does for scripts: the project's own programs, its Node among them, come first. */
export function projectEnvironment() {
  return { ...process.env, PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH ?? ''}` };
}

/** Brings everything up to date and says what it does; rejects with the failed step's message. */
export async function setUp(say = (line) => console.log(line)) {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) throw new Error(`Node.js 20 or newer is needed to set up, this is ${process.version}`);
  for (const [folder, name] of [
    [root, 'dependencies'],
    [storefront, "the sample workspace's dependencies"],
  ]) {
    if (existsSync(join(folder, 'package-lock.json')) && !isInstalled(folder)) {
      await step(`installing ${name}`, npm(), ['ci', '--no-progress', '--loglevel=error'], folder, say);
    }
  }
  if (!isBuilt()) await step('building', projectNode(), ['esbuild.config.ts'], root, say);
}

/** Runs a program with this process's output; resolves with its exit code. */
export function run(program, words, options = {}) {
  return new Promise((settle, reject) => {
    const child = spawn(program, words, {
      cwd: root,
      env: projectEnvironment(),
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32' && program.endsWith('.cmd'),
      ...options,
    });
    child.once('error', reject);
    child.once('close', (code, signal) => settle(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

async function step(what, program, words, cwd, say) {
  const began = performance.now();
  say(`${what} ...`);
  const code = await run(program, words, { cwd });
  if (code !== 0) throw new Error(`${what} failed (exit code ${code}): ${program} ${words.join(' ')} in ${cwd}`);
  say(`${what}: done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

function npm() {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}

/** npm writes `node_modules/.package-lock.json` at the end of an install, so an interrupted one does not count. */
function isInstalled(folder) {
  const installed = modified(join(folder, 'node_modules/.package-lock.json'));
  return installed >= modified(join(folder, 'package-lock.json'));
}

/** Whether the build in `folder` is newer than all sources; `package.json` is the last file that a build writes. */
export function isBuilt(folder = 'dist') {
  const built = modified(join(root, folder, 'package.json'));
  if (built === 0) return false;
  const sources = ['server', 'extension', 'media', 'esbuild.config.ts', 'package.json', 'package-lock.json'];
  return sources.every((source) => newest(join(root, source)) <= built);
}

function newest(path) {
  if (!existsSync(path)) return 0;
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), info.mtimeMs);
}

/** 0 when the file is not there. */
function modified(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await setUp();
  } catch (error) {
    console.error(`set-up: ${error.message}`);
    process.exitCode = 1;
  }
}
