/**
 * Bundles what is shipped into `dist/`. One CommonJS file a program: the extension copies the server to a stable
 * folder before it starts it, so nothing may be loaded from a second chunk later (a dynamic `import()` stays lazy
 * inside its file).
 *
 * `--failpoints` makes the build that tests of faults run instead, in `dist-failpoints/`: there the places at which the
 * writing of a durable file can be made to fail (`server/process/failpoint.ts`) are compiled in.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildFailure, type BuildOptions, build, type Plugin } from 'esbuild';

interface Bundle {
  readonly entry: string;
  readonly output: string;
  readonly external?: readonly string[];
  /** A bundle beside this one, by its source: dynamic imports of what it exports again load it, so that others need not. */
  readonly heavy?: string;
}

const root = import.meta.dirname;
const withFailpoints = process.argv.includes('--failpoints');
const dist = join(root, withFailpoints ? 'dist-failpoints' : 'dist');
/**
 * Everything is made here first and then renamed into place: a supervisor that runs from `dist/` never sees a half
 * written file, and a keeper that is being executed cannot be opened for writing (ETXTBSY) but can be replaced.
 */
const staging = join(dist, `.staging-${process.pid}`);

const bundles: readonly Bundle[] = [
  { entry: 'server/cli/main.ts', output: 'cli.cjs', heavy: 'server/cli/heavy.ts' },
  { entry: 'server/cli/heavy.ts', output: 'cliHeavy.cjs' },
  { entry: 'server/main.ts', output: 'supervisorMain.cjs' },
  { entry: 'server/language/host.ts', output: 'languageHost.cjs' },
  { entry: 'extension/main.ts', output: 'extension.cjs', external: ['vscode'] },
];

/** `import.meta` has no meaning in CommonJS; these names are given one at the top of every bundle. */
const importMetaShim: BuildOptions = {
  define: {
    'import.meta.url': 'importMetaUrl',
    'import.meta.dirname': '__dirname',
    'import.meta.filename': '__filename',
    // Each failure point is guarded by it.
    ...(withFailpoints ? {} : { 'process.env.COPPICE_FAILPOINTS': 'undefined' }),
  },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
};

/** With the guards gone nothing of it is used; without a word its empty module would still be loaded by name. */
const leaveOutFailpoints: Plugin = {
  name: 'failpoints',
  setup(build) {
    build.onResolve({ filter: /\/failpoint\.ts$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path),
      sideEffects: false,
    }));
  },
};

const startedAt = new Date();
removeAbandoned();
mkdirSync(staging, { recursive: true });
try {
  for (const one of bundles) await bundle(one);
  if (existsSync(join(staging, 'cli.cjs'))) copyCommand();
  copyKeepers();
  await writeSchema();
  publish();
  markBuilt();
} catch (error) {
  // What is wrong with the source was printed by esbuild with its place; only an error of this script has more to say.
  if (!isBuildFailure(error)) throw error;
  console.error('build failed');
  process.exitCode = 1;
} finally {
  rmSync(staging, { recursive: true, force: true });
}

async function bundle({ entry, output, external, heavy }: Bundle): Promise<void> {
  if (!existsSync(join(root, entry))) {
    console.log(`  skipped  ${output} (there is no ${entry} yet)`);
    return;
  }
  await build({
    ...importMetaShim,
    entryPoints: [join(root, entry)],
    outfile: join(staging, output),
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    // The UMD files that some packages name as `main` require their parts in a way that no bundler can follow.
    mainFields: ['module', 'main'],
    external: [...(external ?? [])],
    plugins: [...(heavy === undefined ? [] : [loadFrom(heavy)]), ...(withFailpoints ? [] : [leaveOutFailpoints])],
    sourcemap: 'linked',
    // Half of a start is reading code, so blanks go; stack traces in a user's bug report keep the source's names.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'eof',
    logLevel: 'warning',
  });
  const size = statSync(join(staging, output)).size;
  console.log(`  built    ${output} (${Math.round(size / 1024)} KiB)`);
}

function loadFrom(heavy: string): Plugin {
  const exported = readFileSync(join(root, heavy), 'utf8').matchAll(/^export \* from '(?<path>[^']+)';$/gm);
  const modules = new Set([...exported].map(({ groups }) => join(dirname(join(root, heavy)), groups?.path ?? '')));
  const { output } = bundles.find((one) => one.entry === heavy) ?? { output: '' };
  return {
    name: 'heavy',
    setup(build) {
      build.onResolve({ filter: /\.ts$/ }, ({ kind, path, resolveDir }) => {
        const isHeavy = kind === 'dynamic-import' && modules.has(join(resolveDir, path));
        return isHeavy ? { path: `./${output}`, external: true } : undefined;
      });
    },
  };
}

/** The command itself is not bundled: it must be readable by a Node so old that it cannot parse the bundle. */
function copyCommand(): void {
  const command = join(staging, 'coppice.cjs');
  copyFileSync(join(root, 'server/cli/coppice.cjs'), command);
  chmodSync(command, 0o755);
  copyFileSync(join(root, 'server/life/boot.cjs'), join(staging, 'supervisor.cjs'));
}

/** The prebuilt keepers and the script that stands in for them elsewhere, where `findKeepers` looks for them. */
function copyKeepers(): void {
  const platforms = join(root, 'server/process/platform');
  const keepers: readonly [string, string][] = [
    [join(platforms, 'linux/keeper-linux-x64'), 'linux-x64'],
    [join(platforms, 'linux/keeper-linux-arm64'), 'linux-arm64'],
    [join(platforms, 'posix/keeper.sh'), 'posix.sh'],
    [join(platforms, 'posix/guardian.sh'), 'guardian.sh'],
  ];
  mkdirSync(join(staging, 'keeper'), { recursive: true });
  for (const [source, name] of keepers) {
    if (!existsSync(source)) {
      console.log(`  skipped  keeper/${name} (it was not built yet)`);
      continue;
    }
    copyFileSync(source, join(staging, 'keeper', name));
    chmodSync(join(staging, 'keeper', name), 0o755);
  }
}

async function writeSchema(): Promise<void> {
  const source = join(root, 'server/config/schema.ts');
  if (!existsSync(source)) {
    console.log('  skipped  coppice.schema.json (there is no server/config/schema.ts yet)');
    return;
  }
  const { jsonSchema } = (await import(pathToFileURL(source).href)) as { jsonSchema: () => unknown };
  writeFileSync(join(staging, 'coppice.schema.json'), `${JSON.stringify(jsonSchema(), null, 2)}\n`);
}

/** Moves what was made into place and removes what an earlier build left, code compiled from it included. */
function publish(): void {
  const made = filesBelow(staging);
  for (const file of made) {
    mkdirSync(dirname(join(dist, file)), { recursive: true });
    renameSync(join(staging, file), join(dist, file));
  }
  const kept = new Set(made);
  for (const file of filesBelow(dist)) {
    if (!kept.has(file) && !file.startsWith('.staging-')) rmSync(join(dist, file));
  }
}

/** Written last, with the time at which the build began: what changed meanwhile counts as newer than the build. */
function markBuilt(): void {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const mark = join(dist, 'package.json');
  writeFileSync(mark, `${JSON.stringify({ name: 'coppice', version, type: 'commonjs' }, null, 2)}\n`);
  utimesSync(mark, startedAt, startedAt);
}

/** What builds that were killed have left; a build takes seconds. */
function removeAbandoned(): void {
  const names = existsSync(dist) ? readdirSync(dist).filter((name) => name.startsWith('.staging-')) : [];
  for (const name of names) {
    const folder = join(dist, name);
    if (startedAt.getTime() - statSync(folder).mtimeMs > 60_000) rmSync(folder, { recursive: true, force: true });
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error;
}
