/**
 * `npm test`: sets a fresh clone up and runs every check in turn. A check such as the type check counts as one; a
 * step goes on when another failed, so that one run shows all there is. Words given to it choose steps by name.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectEnvironment, projectNode, root, run, setUp } from './setup.mjs';

const program = (path) => join(root, 'node_modules', path);

const steps = [
  { name: 'types', words: [program('typescript/bin/tsc'), '--noEmit', '-p', '.'] },
  { name: 'lint', words: [program('@biomejs/biome/bin/biome'), 'check', '--diagnostic-level=warn'] },
  { name: 'check', words: [join(root, 'test/check/main.ts')] },
  { name: 'unit', tests: 'test/unit', config: '.mocharc.json' },
  { name: 'integration', tests: 'test/integration', config: '.mocharc.slow.json' },
  { name: 'fault', tests: 'test/fault', config: '.mocharc.slow.json' },
];

const scratch = mkdtempSync(join(tmpdir(), 'coppice-test-run-'));
const total = { passed: 0, failed: 0 };
const summary = [];
try {
  const chosen = process.argv.slice(2);
  const unknown = chosen.filter((word) => !steps.some(({ name }) => name === word));
  if (unknown.length > 0) throw new Error(`no step is called ${unknown.join(', ')}; there are ${names()}`);
  await prepare();
  for (const step of steps) if (chosen.length === 0 || chosen.includes(step.name)) await perform(step);
} catch (error) {
  console.error(`npm test: ${error.message}`);
  total.failed += 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`\n${summary.join('\n')}\n\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** A build that fails does not keep the type check from saying why; without dependencies there is nothing to run. */
async function prepare() {
  try {
    await setUp();
  } catch (error) {
    if (!existsSync(program('mocha'))) throw error;
    console.error(`npm test: ${error.message}`);
    total.failed += 1;
    summary.push(`${'set-up'.padEnd(12)} failed`);
  }
}

async function perform(step) {
  console.log(`\n== ${step.name}`);
  const began = performance.now();
  const { passed, failed } = step.tests === undefined ? await check(step) : await tests(step);
  total.passed += passed;
  total.failed += failed;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  summary.push(
    `${step.name.padEnd(12)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed  ${seconds} s`,
  );
}

async function check({ words }) {
  const [script, ...rest] = words;
  const code = await run(projectNode(), [script, ...rest]);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** A mocha that ends without having reported (a crash, an import that fails) is a failure of its own. */
async function tests({ name, tests: folder, config }) {
  const files = testFiles(join(root, folder));
  if (files.length === 0) {
    console.log('  no tests yet');
    return { passed: 0, failed: 0 };
  }
  const counts = join(scratch, `${name}.json`);
  const words = ['--config', config, '--reporter', join(root, 'test/tools/reporter.cjs'), '--no-package', ...files];
  const env = { ...projectEnvironment(), COPPICE_TEST_COUNTS: counts };
  const code = await run(projectNode(), [program('mocha/bin/mocha.js'), ...words], { env });
  const { passed, failed } = readCounts(counts);
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed };
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 0 };
  }
}

function testFiles(folder) {
  let entries;
  try {
    entries = readdirSync(folder, { recursive: true });
  } catch {
    return [];
  }
  return entries
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(folder, name));
}

function names() {
  return steps.map(({ name }) => name).join(', ');
}
