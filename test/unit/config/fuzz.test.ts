import assert from 'node:assert/strict';
import { formatDiagnostic } from '../../../server/config/reader.ts';
import { read } from './support.ts';

const DOCUMENTS: readonly (readonly [file: string, text: string])[] = [
  [
    'coppice.yaml',
    `x-base: &base { stopTimeout: 5s, env: { A: 1 } }
services:
  web:
    <<: *base
    command: vite --port \${port}
    port: auto
    ready: { http: /, timeout: 30s }
    restart: { policy: always, backoff: { initial: 1s } }
    memory: { warn: 1GB, max: 2GB }
    dependsOn: { build: succeeded }
tasks:
  build:
    command: "sh -c 'vite build' \\"x\\""
    inputs: [src/**, '!src/x']
    retries: 2
`,
  ],
  [
    'coppice.json',
    `{ // comment
  "services": { "web": { "command": ["vite", "--port", "\${port}"], "port": 3000, "ready": { "exec": "curl 'a b'" } } },
  "tasks": { "build": { "command": "vite build", "outputs": ["dist/**"], "timeout": "1m", }, },
}`,
  ],
];

const SNIPPETS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    "'",
    '\\',
    '\n',
    '\t',
    '  ',
    '#',
    '&a',
    '*a',
    '<<: *base',
    '|',
    '>',
    '- ',
    '? ',
  ],
  ...[
    'null',
    '~',
    'true',
    '-1',
    '1e999',
    '.nan',
    '${port}',
    '$(',
    '`',
    '\0',
    '\uD800',
    '😀',
    '\uFEFF',
    '---\n',
    '%YAML 1.1\n',
  ],
  ...[
    '__proto__: {}',
    'constructor: 1',
    '"toString": 2,',
    '/*',
    '//',
    '!!binary x',
    '!!set {a}',
    '&a [*a]',
    '\r',
    'services:',
  ],
] as const;

/** A small generator of our own (mulberry32), so that a failure can be repeated from its seed. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function mutate(text: string, random: (below: number) => number): string {
  let mutated = text;
  for (let count = 1 + random(4); count > 0; count -= 1) {
    const at = random(mutated.length + 1);
    const length = random(8);
    const piece = [
      () => SNIPPETS[random(SNIPPETS.length)] ?? '',
      () => '',
      () => String.fromCharCode(random(0x300)),
      () => mutated.slice(random(mutated.length + 1)).slice(0, random(60)),
    ][random(4)]?.();
    mutated = mutated.slice(0, at) + (piece ?? '') + mutated.slice(at + (random(2) === 0 ? 0 : length));
  }
  return mutated;
}

describe('analyse, given damaged files', () => {
  for (const [file, text] of DOCUMENTS) {
    it(`answers fifteen hundred of them (${file}) with a result and places inside of the text`, function () {
      this.timeout(60_000);
      assert.ok(read(text, file).ok, 'undamaged');
      for (let seed = 1; seed <= 1500; seed += 1) {
        const damaged = mutate(text, generator(seed));
        try {
          const result = read(damaged, file);
          const lines = damaged.split(/\r\n|\n|\r/);
          for (const diagnostic of result.ok ? result.warnings : result.diagnostics) {
            assert.ok(diagnostic.offset + diagnostic.length <= damaged.length);
            assert.ok(diagnostic.column <= (lines[diagnostic.line - 1]?.length ?? -1) + 1);
            assert.ok(formatDiagnostic(diagnostic).length > 0);
          }
          assert.ok(result.ok || result.diagnostics.some(({ severity }) => severity === 'error'));
        } catch (error) {
          throw new Error(`seed ${seed}: ${JSON.stringify(damaged)}`, { cause: error });
        }
      }
    });
  }
});
