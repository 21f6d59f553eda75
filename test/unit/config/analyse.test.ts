import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepted, findings, read, serviceWith, taskWith } from './support.ts';

const SAMPLE = `services:
  web:
    command: vite --port \${port}
    port: auto
    ready: { http: / }
    memory: { warn: 1GB, max: 2GB }
  preview:
    command: vite preview --port \${port}
    port: auto
    dependsOn: { build: succeeded }
  typescript:
    kind: lsp
    command: typescript-language-server --stdio
    languages: [typescript, javascript]
tasks:
  build:
    command: vite build
    inputs: [src/**, index.html, vite.config.*]
    outputs: [dist/**]
`;

const USUAL_RESTART = {
  policy: 'on-failure',
  backoff: { initialMs: 1000, maxMs: 60_000 },
  crashes: { count: 8, windowMs: 300_000 },
  slow: { count: 10, windowMs: 3_600_000 },
  clean: { count: 10, windowMs: 60_000 },
  drains: { count: 3, windowMs: 600_000 },
  wedges: { count: 3, windowMs: 1_800_000 },
  recoveryMs: 60_000,
};

describe('analyse', () => {
  const root = realpathSync(tmpdir());

  it('accepts the sample of the documentation without a remark', () => {
    assert.deepEqual(findings(SAMPLE), []);
    const config = accepted(SAMPLE);
    assert.deepEqual([...config.services.keys()], ['web', 'preview', 'typescript']);
    assert.deepEqual([...config.tasks.keys()], ['build']);
    assert.equal(config.file, 'coppice.yaml');
  });

  it('fills in every default of a service', () => {
    assert.deepEqual(serviceWith(''), {
      type: 'service',
      name: 'a',
      command: { kind: 'argv', argv: ['x'] },
      cwd: root,
      env: {},
      envFiles: [],
      dependsOn: [],
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 5000,
      stdin: 'ignore',
      onSupervisorLoss: 'adopt',
      onOwnerLoss: 'stop',
      kind: 'service',
      port: null,
      ready: null,
      live: null,
      restart: USUAL_RESTART,
      memory: { warnBytes: null, maxBytes: null },
      idleStopMs: null,
      enabled: true,
      languages: [],
      warm: 'off',
    });
  });

  it('fills in every default of a task', () => {
    const task = taskWith('');
    const { inputs, outputs, envInputs, timeoutMs, retries, attentionCodes, cache, problemMatcher } = task;
    assert.deepEqual(
      { inputs, outputs, envInputs, timeoutMs, retries, attentionCodes, cache, problemMatcher },
      {
        inputs: [],
        outputs: [],
        envInputs: [],
        timeoutMs: null,
        retries: 0,
        attentionCodes: [75],
        cache: false,
        problemMatcher: [],
      },
    );
  });

  it('gives an empty file, and one of comments only, an empty configuration', () => {
    for (const [text, file] of [
      ['', 'coppice.yaml'],
      ['# nothing yet\n', 'coppice.yaml'],
      ['\uFEFF', 'coppice.yaml'],
      ['', 'coppice.json'],
      ['// nothing yet\n', 'coppice.json'],
      ['{}', 'coppice.json'],
      ['services:\ntasks:\n', 'coppice.yaml'],
    ] as const) {
      const config = accepted(text, file);
      assert.equal(config.services.size + config.tasks.size, 0);
      assert.equal(config.idleGraceMs, 300_000);
    }
  });

  it('reads the same from YAML and from JSON with comments and trailing commas', () => {
    const json = `\uFEFF{
      // what runs
      "$schema": "./coppice.schema.json",
      "idle": { "grace": "1m" },
      "services": { "a": { "command": ["x", "y"], "port": 3000, "restart": "no", }, },
    }`;
    const yaml = 'idle: { grace: 1m }\nservices:\n  a:\n    command: x y\n    port: 3000\n    restart: no\n';
    assert.deepEqual(
      { ...accepted(json, 'coppice.json'), file: null },
      { ...accepted(yaml, 'coppice.yaml'), file: null },
    );
  });

  it('splits a command text, keeps a list as it is, and leaves a script whole', () => {
    const config = accepted(`tasks:
  text: { command: "echo 'a b' c" }
  list: { command: [echo, "a b | c", "*"] }
  script: { command: "echo a | tee b", shell: true }
`);
    assert.deepEqual(config.tasks.get('text')?.command, { kind: 'argv', argv: ['echo', 'a b', 'c'] });
    assert.deepEqual(config.tasks.get('list')?.command, { kind: 'argv', argv: ['echo', 'a b | c', '*'] });
    assert.deepEqual(config.tasks.get('script')?.command, { kind: 'shell', script: 'echo a | tee b' });
  });

  it('takes numbers and booleans as values of variables, as the texts that they are', () => {
    assert.deepEqual(serviceWith('env: { A: 3000, B: true, C: "1.10", D: "" }').env, {
      A: '3000',
      B: 'true',
      C: '1.10',
      D: '',
    });
  });

  it('reads `no` and `off` as words, which older YAML took for false', () => {
    assert.equal(serviceWith('restart: no').restart.policy, 'no');
    assert.equal(serviceWith('idleStop: off').idleStopMs, null);
  });

  it('gives a policy alone every usual number', () => {
    assert.deepEqual(serviceWith('restart: always').restart, { ...USUAL_RESTART, policy: 'always' });
  });

  it('keeps the usual numbers for what a restart map leaves out', () => {
    const { restart } = serviceWith('restart: { backoff: { initial: 0s }, crashes: { count: 3 }, recovery: 10s }');
    assert.deepEqual(restart, {
      ...USUAL_RESTART,
      backoff: { initialMs: 0, maxMs: 60_000 },
      crashes: { count: 3, windowMs: 300_000 },
      recoveryMs: 10_000,
    });
  });

  const readiness: readonly [string, unknown][] = [
    ['kind: vite\nport: auto', { probe: { kind: 'http', target: '/' }, intervalMs: 500, timeoutMs: 30_000 }],
    ['kind: preview\nport: 4173', { probe: { kind: 'http', target: '/' }, intervalMs: 500, timeoutMs: 30_000 }],
    ['kind: vite', null],
    ['port: auto', null],
    ['kind: lsp', { probe: { kind: 'lsp' }, intervalMs: 500, timeoutMs: 30_000 }],
    ['kind: vite\nport: auto\nready: none', null],
    [
      'ready: { tcp: 5432, interval: 1s, timeout: 1m }',
      { probe: { kind: 'tcp', port: '5432' }, intervalMs: 1000, timeoutMs: 60_000 },
    ],
    [
      'port: auto\nready: { tcp: "${port}" }',
      { probe: { kind: 'tcp', port: '${port}' }, intervalMs: 500, timeoutMs: 30_000 },
    ],
    [
      'ready: { http: "http://localhost:8080/x" }',
      { probe: { kind: 'http', target: 'http://localhost:8080/x' }, intervalMs: 500, timeoutMs: 30_000 },
    ],
    [
      'ready: { log: "ready in \\\\d+ ms" }',
      { probe: { kind: 'log', pattern: 'ready in \\d+ ms' }, intervalMs: 500, timeoutMs: 30_000 },
    ],
    [
      "ready: { exec: pg_isready -h '127.0.0.1' }",
      {
        probe: { kind: 'exec', command: { kind: 'argv', argv: ['pg_isready', '-h', '127.0.0.1'] } },
        intervalMs: 500,
        timeoutMs: 30_000,
      },
    ],
  ];
  for (const [lines, expected] of readiness) {
    it(`takes ${JSON.stringify(lines)} for ${expected === null ? 'no probe' : 'its probe'}`, () => {
      assert.deepEqual(serviceWith(lines).ready, expected);
    });
  }

  it('gives a liveness probe its usual numbers', () => {
    assert.deepEqual(serviceWith('port: auto\nlive: { http: /health }').live, {
      probe: { kind: 'http', target: '/health' },
      intervalMs: 10_000,
      timeoutMs: 5000,
      failures: 3,
    });
  });

  it('keeps a language server warm unless it is told not to', () => {
    assert.equal(serviceWith('kind: lsp').warm, 'reload');
    assert.equal(serviceWith('kind: lsp\nwarm: off').warm, 'off');
  });

  it('waits for services until they are ready and for tasks until they succeeded', () => {
    const config = accepted(`services:
  a: { command: x, dependsOn: [b, c] }
  b: { command: x }
tasks:
  c: { command: x, dependsOn: { b: started } }
`);
    assert.deepEqual(config.services.get('a')?.dependsOn, [
      { name: 'b', condition: 'ready' },
      { name: 'c', condition: 'succeeded' },
    ]);
    assert.deepEqual(config.tasks.get('c')?.dependsOn, [{ name: 'b', condition: 'started' }]);
  });

  it('caches a task when inputs or outputs are given, unless it is told not to', () => {
    assert.equal(taskWith('inputs: [src/**]').cache, true);
    assert.equal(taskWith('outputs: [dist/**]').cache, true);
    assert.equal(taskWith('outputs: [dist/**]\ncache: false').cache, false);
    assert.equal(taskWith('cache: true').cache, true);
  });

  it('takes files of variables relative to the folder of the command', () => {
    assert.deepEqual(serviceWith('envFile: .env').envFiles, [join(root, '.env')]);
    assert.deepEqual(serviceWith('envFile: [a, /b]').envFiles, [join(root, 'a'), '/b']);
  });

  it('leaves top-level keys that begin with x- to whoever wants them', () => {
    const config = accepted('x-usual: &usual\n  stopTimeout: 1s\nservices:\n  a:\n    <<: *usual\n    command: x\n');
    assert.equal(config.services.get('a')?.stopTimeoutMs, 1000);
  });

  it('reads a thousand services and ten thousand tasks in a chain', function () {
    this.timeout(20_000);
    const services = Array.from({ length: 1000 }, (_, index) => `  s${index}: { command: x }`);
    const tasks = Array.from({ length: 10_000 }, (_, index) => {
      return `  t${index}: { command: x${index === 0 ? '' : `, dependsOn: [t${index - 1}]`} }`;
    });
    const result = read(`services:\n${services.join('\n')}\ntasks:\n${tasks.join('\n')}\n`);
    assert.ok(result.ok);
    assert.equal(result.config.tasks.size, 10_000);
  });
});
