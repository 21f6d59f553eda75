import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DetectedEntry, detectEntries } from '../../../server/config/detect/detect.ts';
import { renderConfiguration } from '../../../server/config/detect/render.ts';
import type { ServiceConfig, TaskConfig } from '../../../server/config/model.ts';
import { analyse } from '../../../server/config/reader.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

function workspace(files: Readonly<Record<string, unknown>>): string {
  const root = temporaryFolder('detect');
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(root, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}

const scripts = (entries: Readonly<Record<string, unknown>>) => ({ 'package.json': { scripts: entries } });

async function entriesOf(files: Readonly<Record<string, unknown>>): Promise<readonly DetectedEntry[]> {
  return (await detectEntries(workspace(files))).entries;
}

async function one(files: Readonly<Record<string, unknown>>): Promise<DetectedEntry> {
  const [entry, ...rest] = await entriesOf(files);
  assert.ok(entry);
  assert.deepEqual(rest, []);
  return entry;
}

describe('detectEntries', () => {
  after(removeTemporaryFolders);

  it('finds nothing in an empty folder', async () => {
    assert.deepEqual(await detectEntries(workspace({})), { entries: [], problems: [] });
  });

  const types: readonly [name: string, type: 'service' | 'task' | 'nothing'][] = [
    ['dev', 'service'],
    ['dev:api', 'service'],
    ['start', 'service'],
    ['serve', 'service'],
    ['preview', 'service'],
    ['watch', 'service'],
    ['css:watch', 'service'],
    ['build', 'task'],
    ['build:prod', 'task'],
    ['test', 'task'],
    ['lint', 'task'],
    ['prettier', 'task'],
    ['prepare', 'nothing'],
    ['postinstall', 'nothing'],
    ['prepublishOnly', 'nothing'],
  ];
  for (const [name, type] of types) {
    it(`takes the script ${name} for a ${type}`, async () => {
      const entries = await entriesOf(scripts({ [name]: 'node x.js' }));
      assert.deepEqual(
        entries.map((entry) => entry.type),
        type === 'nothing' ? [] : [type],
      );
    });
  }

  it('leaves out what runs before and after another script', async () => {
    const entries = await entriesOf(scripts({ build: 'a', prebuild: 'b', postbuild: 'c', precious: 'd' }));
    assert.deepEqual(
      entries.map(({ name }) => name),
      ['build', 'precious'],
    );
  });

  const managers: readonly [title: string, files: Record<string, unknown>, program: string][] = [
    ['nothing said', {}, 'npm'],
    ['a lock file of npm', { 'package-lock.json': '' }, 'npm'],
    ['a lock file of pnpm', { 'pnpm-lock.yaml': '' }, 'pnpm'],
    ['a lock file of yarn', { 'yarn.lock': '' }, 'yarn'],
    ['a text lock file of bun', { 'bun.lock': '' }, 'bun'],
    ['a binary lock file of bun', { 'bun.lockb': '' }, 'bun'],
  ];
  for (const [title, files, program] of managers) {
    it(`runs scripts with ${program}, given ${title}`, async () => {
      const entry = await one({ ...scripts({ build: 'x' }), ...files });
      assert.deepEqual(entry.command, [program, 'run', 'build']);
    });
  }

  it('takes the declared package manager where lock files do not decide', async () => {
    const manifest = { packageManager: 'pnpm@9.1.0+sha512.abc', scripts: { build: 'x' } };
    for (const locks of [{}, { 'package-lock.json': '', 'pnpm-lock.yaml': '' }]) {
      const entry = await one({ 'package.json': manifest, ...locks });
      assert.equal(entry.command[0], 'pnpm');
    }
    const locked = await one({ 'package.json': manifest, 'yarn.lock': '' });
    assert.equal(locked.command[0], 'yarn');
  });

  const vite: readonly [script: string, kind: string, port: 'auto' | number | null, last: string][] = [
    ['vite', 'vite', 'auto', '${port}'],
    ['vite dev --host', 'vite', 'auto', '${port}'],
    ['cross-env A=1 npx vite', 'vite', 'auto', '${port}'],
    ['node_modules/.bin/vite', 'vite', 'auto', '${port}'],
    ['vite --port 4000', 'vite', 4000, 'dev'],
    ['vite --port=4000', 'vite', 4000, 'dev'],
    ['vite preview', 'preview', 'auto', '${port}'],
    ['vite | tee log', 'vite', null, 'dev'],
    ['vitest', 'service', null, 'dev'],
    ['next dev', 'service', null, 'dev'],
  ];
  for (const [script, kind, port, last] of vite) {
    it(`takes the script ${JSON.stringify(script)} for ${kind} with port ${port}`, async () => {
      const entry = await one(scripts({ dev: script }));
      assert.deepEqual([entry.kind, entry.port, entry.command.at(-1)], [kind, port, last]);
    });
  }

  it('gives npm the `--` that the others would hand on to the script', async () => {
    assert.deepEqual((await one(scripts({ dev: 'vite' }))).command, ['npm', 'run', 'dev', '--', '--port', '${port}']);
    const pnpm = await one({ ...scripts({ dev: 'vite' }), 'pnpm-lock.yaml': '' });
    assert.deepEqual(pnpm.command, ['pnpm', 'run', 'dev', '--port', '${port}']);
  });

  it('takes a build by Vite for a task, whatever its name', async () => {
    assert.equal((await one(scripts({ start: 'vite build' }))).type, 'task');
  });

  it('lets a preview wait for the build', async () => {
    const entries = await entriesOf(scripts({ build: 'vite build', preview: 'vite preview' }));
    assert.deepEqual(entries.find(({ name }) => name === 'preview')?.dependsOn, ['build']);
  });

  it('lets `up` start one of the scripts and not every way to start the same', async () => {
    const entries = await entriesOf(scripts({ start: 'a', dev: 'b', 'dev:api': 'c', watch: 'd' }));
    assert.deepEqual(
      entries.filter(({ enabled }) => enabled).map(({ name }) => name),
      ['dev'],
    );
  });

  it('leaves out a script that starts Coppice, which would start itself', async () => {
    const { entries, problems } = await detectEntries(
      workspace(scripts({ dev: 'coppice up', start: 'npx coppice up' })),
    );
    assert.deepEqual(entries, []);
    assert.equal(problems.length, 2);
  });

  const broken: readonly [title: string, content: string, message: RegExp][] = [
    ['no JSON', '{ "scripts": ', /not valid JSON/],
    ['a list of scripts', '{ "scripts": ["a"] }', /expected `scripts` to be a map/],
    ['a script that is a number', '{ "scripts": { "a": 5 } }', /"a" is left out: expected a text/],
    ['an empty script', '{ "scripts": { "a": " " } }', /"a" is left out: it is empty/],
    ['a name like an option', '{ "scripts": { "--x": "y" } }', /taken for an option/],
  ];
  for (const [title, content, message] of broken) {
    it(`reports a package.json with ${title} and goes on`, async () => {
      const { entries, problems } = await detectEntries(workspace({ 'package.json': content, Procfile: 'web: x' }));
      assert.deepEqual(
        entries.map(({ name }) => name),
        ['web'],
      );
      assert.match(problems[0]?.message ?? '', message);
    });
  }

  for (const content of ['null', '[]', '"x"', '{}', '{ "scripts": {} }', '\uFEFF{}']) {
    it(`finds nothing in the package.json ${JSON.stringify(content)}`, async () => {
      assert.deepEqual((await detectEntries(workspace({ 'package.json': content }))).entries, []);
    });
  }

  it('reads a Procfile: a service a line, a shell where one is needed', async () => {
    const entries = await entriesOf({
      Procfile:
        "# comment\r\nweb: node server.js -p $PORT\r\nworker:   node 'my worker.js'\r\n\r\nrelease: rake db:migrate\r\n",
    });
    assert.deepEqual(
      entries.map(({ type, name, command, port }) => ({ type, name, command, port })),
      [
        { type: 'service', name: 'web', command: 'node server.js -p $PORT', port: 'auto' },
        { type: 'service', name: 'worker', command: ['node', 'my worker.js'], port: null },
        { type: 'task', name: 'release', command: ['rake', 'db:migrate'], port: null },
      ],
    );
  });

  it('prefers Procfile.dev, which is what developers run', async () => {
    assert.deepEqual((await one({ Procfile: 'web: a', 'Procfile.dev': 'web: b' })).command, ['b']);
  });

  it('reports lines of a Procfile that it cannot read', async () => {
    const { entries, problems } = await detectEntries(workspace({ Procfile: 'web: a\nnonsense\nweb: b\n' }));
    assert.equal(entries.length, 1);
    assert.deepEqual(
      problems.map(({ message }) => message.slice(0, 18)),
      ['line 2 is left out', 'line 3 is left out'],
    );
  });

  it('starts what the Procfile names and not the scripts as well, and gives each a name of its own', async () => {
    const entries = await entriesOf({ ...scripts({ dev: 'vite', web: 'x' }), Procfile: 'web: npm run dev' });
    assert.deepEqual(
      entries.map(({ name, enabled }) => [name, enabled]),
      [
        ['web', true],
        ['dev', false],
        ['script:web', true],
      ],
    );
  });
});

describe('renderConfiguration', () => {
  after(removeTemporaryFolders);

  const samples: readonly (readonly [title: string, files: Record<string, unknown>])[] = [
    ['nothing', {}],
    [
      'a usual Vite project',
      scripts({ dev: 'vite', build: 'tsc -b && vite build', preview: 'vite preview', lint: 'eslint .' }),
    ],
    [
      'names with quotes and spaces',
      scripts({ "it's": 'a', 'a "b"': 'c', 'with space': 'd', 'back\\slash': 'e', dollar$HOME: 'f' }),
    ],
    [
      'names that YAML takes for something else',
      scripts({
        null: 'a',
        true: 'b',
        '80': 'c',
        '1.5': 'd',
        '~': 'e',
        '- x': 'f',
        '#x': 'g',
        'a: b': 'h',
        '*': 'i',
        '&a': 'j',
        '!t': 'k',
        '%x': 'l',
        '@y': 'm',
        '0x1F': 'n',
        no: 'o',
        '': 'p',
        '2001-01-01': 'q',
      }),
    ],
    ['names in other scripts', scripts({ bäuen: 'a', 构建: 'b', '🚀': 'c', 'e\u0301': 'd', '\u2028': 'e' })],
    ['names that become the same', scripts({ 'a b': 'x', 'a  b': 'y', 'a-b': 'z', 'A-B': 'w', 'script:a-b': 'v' })],
    [
      'names that reach elsewhere',
      scripts({
        '../x': 'a',
        'a/../b': 'b',
        '/abs': 'c',
        'a//b': 'd',
        __proto__: 'e',
        constructor: 'f',
        '.': 'g',
        '..': 'h',
      }),
    ],
    ['very long names', scripts({ ['x'.repeat(300)]: 'a', [`${'x'.repeat(300)}y`]: 'b' })],
    [
      'scripts for one environment',
      scripts({
        start: 'NODE_ENV=production node s.js',
        'start:win': 'set A=1&& node s.js',
        dev: 'cross-env A=1 vite',
        'dev:x': 'FOO="a b" vite',
      }),
    ],
    [
      'scripts with characters of YAML and of terminals',
      scripts({
        build: 'echo "# x: {a}" | tee \'%b\'\n# second\tline',
        test: '\u001B[31m \u0000 \u0085',
        dev: 'a'.repeat(5000),
      }),
    ],
    [
      'a Procfile with everything',
      {
        Procfile:
          'web: bin/rails s -p ${PORT:-3000} -b 0.0.0.0\njs: yarn build --watch > log 2>&1\na.b: x ${port}\nq: echo "unclosed\nnull: y\n80: z\n',
      },
    ],
    [
      'both, with a broken line',
      { ...scripts({ web: 'a', dev: 'vite' }), Procfile: 'web: npm run dev\n\u0007\u001B[2J: x\n' },
    ],
    [
      'a preview whose build has another name here',
      { ...scripts({ build: 'vite build', preview: 'vite preview' }), Procfile: 'build: x' },
    ],
  ];
  for (const [title, files] of samples) {
    it(`writes what the analyser accepts and reads back as it was found: ${title}`, async () => {
      const root = workspace(files);
      const found = await detectEntries(root);
      const text = renderConfiguration(found);
      const result = analyse(text, join(root, 'coppice.yaml'), root);
      assert.deepEqual(result.ok ? result.warnings : result.diagnostics, [], text);
      assert.ok(result.ok);
      for (const entry of found.entries) {
        const config: ServiceConfig | TaskConfig | undefined = (
          entry.type === 'service' ? result.config.services : result.config.tasks
        ).get(entry.name);
        assert.deepEqual(
          config?.command,
          typeof entry.command === 'string'
            ? { kind: 'shell', script: entry.command }
            : { kind: 'argv', argv: entry.command },
        );
        assert.deepEqual(
          config?.dependsOn.map(({ name }) => name),
          entry.dependsOn,
        );
        if (config?.type === 'service') {
          assert.deepEqual([config.kind, config.port, config.enabled], [entry.kind, entry.port, entry.enabled]);
        }
      }
      assert.equal(result.config.services.size + result.config.tasks.size, found.entries.length);
    });
  }

  it('says in comments where each entry is from and what was left out', async () => {
    const found = await detectEntries(workspace(scripts({ dev: 'vite --open', x: 5 })));
    const text = renderConfiguration(found);
    assert.match(text, /^# - package\.json: the script "x" is left out/m);
    assert.match(text, /^ {2}# package\.json: vite --open\n {2}dev:/m);
  });

  it('shows an example, commented out, where nothing was found', () => {
    const text = renderConfiguration({ entries: [], problems: [] });
    const example = text.slice(text.indexOf('# services:')).replace(/^# /gm, '');
    assert.ok(analyse(example, 'coppice.yaml', '/').ok);
  });
});
