import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { ENVIRONMENT_RULES } from '../../../server/process/environment.ts';
import { runHelper } from '../../../server/process/launch.ts';
import { Stage } from '../../support/stage.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';
import { PROJECT, TestWorkspace } from '../../support/workspace.ts';

const SECRET = 'sk-do-not-write-this-down';
const programs = join(PROJECT, 'test/support/programs');

/** A Node that finds these in its own environment, as every command of ours would, does not start. */
const UNBEARABLE = ['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE'];

const stripped: Record<string, string> = Object.fromEntries(
  [
    ...ENVIRONMENT_RULES.exact.filter((name) => !UNBEARABLE.includes(name)),
    ...ENVIRONMENT_RULES.prefixes.map((prefix) => `${prefix}PLANTED`),
  ].map((name) => [name, `${SECRET}-${name}`]),
);
stripped.GIT_ASKPASS = '/opt/code/extensions/git/dist/askpass.sh';
stripped.BROWSER = '/opt/code/bin/helpers/browser.sh';
stripped.MAKEFLAGS = '-j4 --jobserver-auth=3,4';
stripped.APPDIR = `${SECRET}-appdir`;

const preserved: Record<string, string> = {
  HOME: process.env.HOME ?? '/root',
  http_proxy: 'http://proxy.invalid:1',
  HTTP_PROXY: 'http://proxy.invalid:2',
  https_proxy: 'http://proxy.invalid:3',
  HTTPS_PROXY: 'http://proxy.invalid:4',
  no_proxy: 'localhost,127.0.0.1,::1',
  NO_PROXY: 'localhost',
  OPENAI_API_KEY: `${SECRET}-key`,
  npm_config_registry: 'http://registry.invalid/',
  ...Object.fromEntries(
    ENVIRONMENT_RULES.preserve.filter((rule) => typeof rule === 'string').map((name) => [name, `${SECRET}-${name}`]),
  ),
};

/** What the journal has to name. Node itself takes this one away before any program of ours begins. */
const accounted = [...Object.keys(stripped).filter((name) => name !== 'NODE_UNIQUE_ID'), 'NODE_OPTIONS'];

type Variables = Readonly<Record<string, string>>;

describe('the environment of everything that is started', function () {
  this.timeout(30_000);
  let stage: Stage;
  let folder: string;
  let polluted: NodeJS.ProcessEnv;
  const dump = (name: string): string[] => [
    process.execPath,
    join(programs, 'dump-environment.mjs'),
    join(folder, name),
  ];

  before(async () => {
    folder = temporaryFolder('dumps');
    mkdirSync(join(folder, 'ms-vscode.js-debug'));
    const bootloader = join(folder, 'ms-vscode.js-debug/bootloader.js');
    writeFileSync(bootloader, '');
    const options = `--require ${bootloader} --max-old-space-size=700`;
    polluted = { ...stripped, ...preserved, NODE_OPTIONS: options, PATH: `${process.env.PATH}:/planted/bin` };
    stage = await Stage.open(
      'environment',
      (director) => ({
        services: {
          service: {
            command: director.command('service'),
            ready: { exec: dump('ready') },
            live: { exec: dump('live'), interval: '20ms' },
          },
          server: { kind: 'lsp', command: [process.execPath, join(programs, 'languageServer.mjs'), 'answer'] },
        },
        tasks: { task: { command: dump('task') } },
      }),
      polluted,
    );
    await stage.up();
    await stage.up('task');
    await Promise.all(['service', 'server'].map((name) => stage.until(name, 'ready')));
  });

  after(async () => {
    await stage.close();
    removeTemporaryFolders();
  });

  const dumped = (name: string): Promise<Variables> =>
    until(`the environment of ${name}`, () => {
      const file = join(folder, name);
      return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as Variables);
    });

  const ofProcess = (pid: number): Variables => {
    const entries = readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .filter((entry) => entry !== '');
    return Object.fromEntries(
      entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    );
  };

  /** What is wrong with an environment; empty when all is well. */
  const faults = (env: Variables, name: string): string[] => {
    const leaked = Object.keys(stripped).filter((one) => one !== 'COPPICE_TREE' && Object.hasOwn(env, one));
    const lost = Object.entries(preserved).filter(([one, value]) => env[one] !== value);
    const others: [string, boolean][] = [
      ['NODE_OPTIONS', env.NODE_OPTIONS === '--max-old-space-size=700'],
      ['PATH', env.PATH?.endsWith(':/planted/bin') === true],
      ['COPPICE_REMOVED_NAMES', env.COPPICE_REMOVED_NAMES === undefined],
      [
        `COPPICE_TREE=${env.COPPICE_TREE}`,
        new RegExp(`^${stage.client.hello.workspace.id}/${name}/1/[0-9a-f]{12}$`).test(env.COPPICE_TREE ?? ''),
      ],
    ];
    return [
      ...leaked.map((one) => `leaked ${one}`),
      ...lost.map(([one]) => `lost ${one}`),
      ...others.filter(([, good]) => !good).map(([one]) => `wrong ${one}`),
    ];
  };

  it('is clean for a service (R108 to R113)', async () => {
    const { env } = (await stage.director.start('service', 1)).hello;
    assert.deepEqual(faults(env, 'service'), []);
  });

  it('is clean for its readiness and liveness commands, and is that of the incarnation', async () => {
    const [ready, live] = [await dumped('ready'), await dumped('live')];
    assert.deepEqual([faults(ready, 'service'), faults(live, 'service')], [[], []]);
    const { env } = (await stage.director.start('service', 1)).hello;
    assert.deepEqual([ready.COPPICE_TREE, live.COPPICE_TREE], [env.COPPICE_TREE, env.COPPICE_TREE]);
  });

  it('is clean for a task', async () => {
    assert.deepEqual(faults(await dumped('task'), 'task'), []);
  });

  it('is clean for the host of a language server and for the server behind it', async () => {
    const { pid } = await stage.service('server');
    const behind = Number(/^server (\d+)$/m.exec(stage.log('server'))?.[1]);
    assert.deepEqual([faults(ofProcess(pid ?? 0), 'server'), faults(ofProcess(behind), 'server')], [[], []]);
  });

  it('is clean for a command of `exec`, which has that of its caller', async () => {
    const ended = await stage.workspace.begin(['exec', '--', ...dump('exec')], { ...polluted, CALLERS_OWN: 'x' }).ended;
    assert.equal(ended.code, 0, ended.stderr);
    const env = await dumped('exec');
    const name = String(env.COPPICE_TREE).split('/')[1] ?? '';
    assert.deepEqual([faults(env, name), env.CALLERS_OWN], [[], 'x']);
  });

  it('is clean for helper commands, without anybody asking for it', async () => {
    const mine = { ...process.env };
    Object.assign(process.env, polluted);
    try {
      const ran = await runHelper(dump('helper') as [string, ...string[]], { timeoutMs: 10_000 });
      assert.ok(ran.ok && ran.code === 0, JSON.stringify(ran));
    } finally {
      for (const name of Object.keys(polluted)) delete process.env[name];
      Object.assign(process.env, mine);
    }
    const wrong = faults(await dumped('helper'), 'helper').filter((one) => !one.startsWith('wrong COPPICE_TREE'));
    assert.deepEqual(wrong, []);
  });

  it('is accounted for by name in the journal: all that was removed, and nothing else', () => {
    const [entry] = stage.journal('service', 'environment_cleaned');
    const removed = entry?.removed as string[];
    assert.deepEqual(
      accounted.filter((name) => !removed.includes(name)),
      [],
    );
    assert.deepEqual(
      removed.filter((name) => !accounted.includes(name)),
      [],
    );
  });

  it('leaves no value in any file that the supervisor writes (R114)', () => {
    const written = [stage.stateDir, join(stage.workspace.root, '.coppice')].flatMap((place) =>
      readdirSync(place, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name)),
    );
    const names = written.map((file) => file.slice(file.lastIndexOf('/') + 1));
    assert.ok(names.includes('registry.json') && names.includes('events.jsonl'), names.join(' '));
    assert.deepEqual(
      written.filter((file) => readFileSync(file).includes(SECRET)),
      [],
    );
  });

  it('is told in full by a supervisor that `up` started, which has cleaned its own first', async () => {
    const workspace = new TestWorkspace('environment-up');
    workspace.configure({ services: { one: { command: 'sleep 1000', ready: 'none' } } });
    try {
      const up = await workspace.begin(['up', '--detach'], polluted).ended;
      assert.equal(up.code, 0, up.stderr);
      const status = await workspace.status();
      const journal = await workspace.journal();
      const removed = journal.find((entry) => entry.event === 'environment_cleaned')?.removed as string[];
      const supervisor = ofProcess(status.supervisor?.pid ?? 0);
      assert.deepEqual(
        [
          accounted.filter((name) => !removed.includes(name)),
          Object.keys(stripped).filter((name) => Object.hasOwn(supervisor, name)),
          faults(ofProcess(status.services[0]?.pid ?? 0), 'one').filter((fault) => !fault.includes('COPPICE_TREE')),
        ],
        [[], [], []],
      );
    } finally {
      await workspace.close();
    }
  });
});
