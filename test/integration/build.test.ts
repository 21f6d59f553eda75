import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { failpointBuild } from '../support/failpoints.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary.ts';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');

interface Manifest {
  readonly version: string;
  readonly files: readonly string[];
  readonly bin: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

function run(
  file: string,
  words: readonly string[],
  cwd: string,
): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(file, words, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { code: status, stdout, stderr };
}

describe('the build', () => {
  before(() => assert.ok(existsSync(join(dist, 'cli.cjs')), 'run npm run build first'));
  after(removeTemporaryFolders);

  it('makes the command that the package names, to be run as a program', () => {
    const command = join(root, manifest.bin.coppice ?? '');
    assert.equal(statSync(command).mode & 0o111, 0o111);
    const { code, stdout } = run(command, ['--version'], temporaryFolder('build'));
    assert.deepEqual([code, stdout.trim().includes(manifest.version)], [0, true]);
  });

  it('works from a folder of its own, with nothing of the project beside it', () => {
    const elsewhere = join(temporaryFolder('build'), 'somewhere else');
    cpSync(dist, elsewhere, { recursive: true });
    const { code, stdout, stderr } = run(process.execPath, [join(elsewhere, 'coppice.cjs'), '--help'], elsewhere);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /coppice/);
  });

  it('holds every part that it loads late, so that a configuration can be read', () => {
    const folder = temporaryFolder('build');
    writeFileSync(join(folder, 'coppice.json'), '{ "services": { "web": { "comand": "x" } } } // a comment');
    const { code, stdout, stderr } = run(process.execPath, [join(dist, 'coppice.cjs'), 'up', '--detach'], folder);
    assert.equal(code, 78, stderr);
    assert.match(`${stdout}${stderr}`, /coppice\.json:1:26.*comand/);
  });

  it('has every file that one of its programs asks for', () => {
    const programs = readdirSync(dist).filter((name) => name.endsWith('.cjs'));
    const asked = programs.flatMap((name) => {
      const text = readFileSync(join(dist, name), 'utf8');
      return [...text.matchAll(/\b(?:require\w*|import)\("(\.[^"]*)"\)/g)].map((match) => match[1] ?? '');
    });
    assert.deepEqual(
      asked.filter((path) => !existsSync(join(dist, path))),
      [],
    );
  });

  it('holds nothing of the failure points of the test build', () => {
    const programs = readdirSync(dist).filter((name) => name.endsWith('.cjs'));
    const found = programs.filter((name) => /failpoint|made to fail/i.test(readFileSync(join(dist, name), 'utf8')));
    assert.deepEqual([programs.length > 0, found], [true, []]);
  });

  it('holds them in the test build, which is not packed', () => {
    const text = readFileSync(join(failpointBuild(), 'supervisorMain.cjs'), 'utf8');
    assert.match(text, /made to fail/);
    assert.deepEqual(
      manifest.files.filter((pattern) => pattern.startsWith('dist')),
      ['dist/**'],
    );
  });

  it('works through a link, as npm installs it', () => {
    const folder = temporaryFolder('build');
    mkdirSync(join(folder, 'bin'));
    symlinkSync(join(dist, 'coppice.cjs'), join(folder, 'bin/coppice'));
    assert.equal(run(join(folder, 'bin/coppice'), ['--help'], folder).code, 0);
  });

  it('brings a keeper that runs here', function () {
    if (process.platform !== 'linux') return this.skip();
    const keeper = join(dist, 'keeper', `linux-${process.arch}`);
    assert.equal(statSync(keeper).mode & 0o111, 0o111);
    const folder = temporaryFolder('build');
    const record = join(folder, 'exit.json');
    run(keeper, [record, 'ignore', '--', '/bin/sh', 'sh', '-c', 'exit 7'], folder);
    assert.equal((JSON.parse(readFileSync(record, 'utf8')) as { code: number }).code, 7);
  });

  it('brings the schema of the configuration', () => {
    const schema = JSON.parse(readFileSync(join(dist, 'coppice.schema.json'), 'utf8')) as { properties: object };
    assert.deepEqual(
      ['services', 'tasks'].every((name) => name in schema.properties),
      true,
    );
  });

  it('goes on under a newer Node beside it when started under an old one', () => {
    const folder = temporaryFolder('build');
    const name = process.platform === 'win32' ? 'node.exe' : 'node';
    mkdirSync(join(folder, 'node_modules/node/bin'), { recursive: true });
    symlinkSync(process.execPath, join(folder, 'node_modules/node/bin', name));
    cpSync(dist, join(folder, 'dist'), { recursive: true });
    // This Node says that it is an old one, once: the one that is started instead is asked no such thing.
    const pretend = join(folder, 'pretend.cjs');
    writeFileSync(pretend, "Object.defineProperty(process.versions, 'node', { value: '20.19.0' });");
    const { code, stdout } = run(
      process.execPath,
      ['--require', pretend, join(folder, 'dist/coppice.cjs'), '--version'],
      folder,
    );
    assert.deepEqual([code, stdout.trim().includes(manifest.version)], [0, true]);
  });
});
