import assert from 'node:assert/strict';
import { findings } from './support.ts';

type Expected = readonly [place: string, path: string, message: RegExp, suggestion: string | null];

/** A file, and all that is to be said about it. */
const YAML: readonly (readonly [title: string, text: string, ...Expected[]])[] = [
  [
    'a root of the wrong kind',
    '[]',
    ['1:1', '', /expected a map with `services` and `tasks`, found an empty list/, null],
  ],
  ['an unknown top-level key', 'servces:\n  a: x\n', ['1:1', 'servces', /unknown key `servces`/, 'services']],
  ['an entry at the top level', 'web:\n  command: x\n', ['1:1', 'web', /belongs under `services` or `tasks`/, null]],
  [
    'an unknown key of a service',
    'services:\n  a:\n    command: x\n    restrat: no\n',
    ['4:5', 'services.a.restrat', /unknown key `restrat`/, 'restart'],
  ],
  [
    'a key of a task in a service',
    'services:\n  a: { command: x, inputs: [y] }\n',
    ['2:20', 'services.a.inputs', /belongs to a task, and this is a service/, null],
  ],
  [
    'an unknown key far from any other lists what there is',
    'idle: { zzzzzzz: 1 }\n',
    ['1:9', 'idle.zzzzzzz', /unknown key `zzzzzzz`: expected `grace`/, null],
  ],
  ['a missing command', 'services:\n  a: {}\n', ['2:3', 'services.a.command', /`command` is missing/, null]],
  [
    'an entry without content',
    'services:\n  a:\n',
    ['2:3', 'services.a', /expected a map that describes a service, found nothing/, null],
  ],
  [
    'a number where a duration is expected',
    'services:\n  a: { command: x, stopTimeout: 5 }\n',
    ['2:33', 'services.a.stopTimeout', /expected a duration such as .*, found the number 5/, '5s'],
  ],
  [
    'milliseconds where a duration is expected',
    'services:\n  a: { command: x, stopTimeout: 5000 }\n',
    ['2:33', 'services.a.stopTimeout', /found the number 5000/, '5s'],
  ],
  [
    'a duration of another tool',
    'tasks:\n  a: { command: x, timeout: 1h30m }\n',
    ['2:29', 'tasks.a.timeout', /found "1h30m"/, '90m'],
  ],
  [
    'a duration that is too short',
    'services:\n  a: { command: x, port: 1, ready: { http: /, interval: 1ms } }\n',
    ['2:57', 'services.a.ready.interval', /a duration of at least `10ms`, found "1ms"/, null],
  ],
  [
    'a size of another tool',
    'services:\n  a: { command: x, memory: { max: 2GiB } }\n',
    ['2:35', 'services.a.memory.max', /expected a size such as .*, found "2GiB"/, '2GB'],
  ],
  [
    'a number where a size is expected',
    'services:\n  a: { command: x, memory: { max: 300 } }\n',
    ['2:35', 'services.a.memory.max', /found the number 300/, '300MB'],
  ],
  [
    'a warning level above the limit',
    'services:\n  a: { command: x, memory: { warn: 2GB, max: 1GB } }\n',
    ['2:36', 'services.a.memory.warn', /expected a size below `max`, found "2GB"/, null],
  ],
  [
    'a word that is none of the allowed ones',
    'services:\n  a: { command: x, kind: vit }\n',
    ['2:26', 'services.a.kind', /expected one of `service`, `vite`, `preview`, `lsp`, found "vit"/, 'vite'],
  ],
  [
    'a signal without its prefix',
    'services:\n  a: { command: x, stopSignal: INT }\n',
    ['2:32', 'services.a.stopSignal', /found "INT"/, 'SIGINT'],
  ],
  [
    'a misspelled restart policy',
    'services:\n  a: { command: x, restart: on_failure }\n',
    ['2:29', 'services.a.restart', /expected `always`, `on-failure`, `no`, or a map/, 'on-failure'],
  ],
  [
    'false for a restart policy',
    'services:\n  a: { command: x, restart: false }\n',
    ['2:29', 'services.a.restart', /found `false`/, 'no'],
  ],
  [
    'a wrong value deep in the restart settings',
    'services:\n  a: { command: x, restart: { crashes: { count: 0, windw: 1m } } }\n',
    ['2:49', 'services.a.restart.crashes.count', /a whole number from 1 to 1000, found the number 0/, null],
    ['2:52', 'services.a.restart.crashes.windw', /unknown key/, 'window'],
  ],
  [
    'a longest delay below the first',
    'services:\n  a: { command: x, restart: { backoff: { initial: 5s, max: 1s } } }\n',
    ['2:60', 'services.a.restart.backoff.max', /not below the first one/, null],
  ],
  [
    'a port as a text',
    'services:\n  a: { command: x, port: "3000" }\n',
    ['2:26', 'services.a.port', /expected `auto`, or a port from 1 to 65535, found "3000"/, '3000'],
  ],
  [
    'a port out of range',
    'services:\n  a: { command: x, port: 70000 }\n',
    ['2:26', 'services.a.port', /from 1 to 65535, found the number 70000/, null],
  ],
  [
    'a flag as a word',
    'services:\n  a: { command: x, enabled: yes }\n',
    ['2:29', 'services.a.enabled', /expected `true` or `false`, found "yes"/, 'true'],
  ],
  [
    'two kinds in one probe',
    'services:\n  a: { command: x, ready: { tcp: 1, log: y } }\n',
    ['2:42', 'services.a.ready.log', /exactly one of .*, found `tcp` and `log`/, null],
  ],
  [
    'a probe of no kind',
    'services:\n  a: { command: x, ready: { timeout: 1s } }\n',
    ['2:27', 'services.a.ready', /exactly one of .*, found none of them/, null],
  ],
  [
    'an address without its scheme',
    'services:\n  a: { command: x, ready: { http: "localhost:80" } }\n',
    ['2:35', 'services.a.ready.http', /expected a path such as `\/`, or a URL/, 'http://localhost:80'],
  ],
  [
    'a path without a port',
    'services:\n  a: { command: x, ready: { http: / } }\n',
    ['2:35', 'services.a.ready.http', /needs the port of the service, but `a` has no `port`/, 'port: auto'],
  ],
  [
    'a pattern that is none',
    'services:\n  a: { command: x, ready: { log: "(" } }\n',
    ['2:34', 'services.a.ready.log', /expected a regular expression \(.*\), found "\("/, null],
  ],
  [
    'the probe of a language server for something else',
    'services:\n  a: { command: x, ready: { lsp: true } }\n',
    ['2:34', 'services.a.ready.lsp', /`a` is not of `kind: lsp`/, null],
  ],
  [
    'a placeholder without a port, at its place in the text',
    'services:\n  a:\n    command: "vite \\"x\\" --port ${port}"\n',
    ['3:33', 'services.a.command', /`a` has no `port`/, 'port: auto'],
  ],
  [
    'a placeholder in a task',
    'tasks:\n  a:\n    command: x ${port}\n',
    ['3:16', 'tasks.a.command', /and a task has none/, null],
  ],
  [
    'a misspelled placeholder',
    'services:\n  a:\n    command: x ${PORT}\n    port: auto\n',
    ['3:16', 'services.a.command', /`\$\{PORT\}` is passed on as it is/, '${port}'],
  ],
  [
    'a placeholder in a pattern',
    'services:\n  a:\n    command: x\n    port: auto\n    ready: { log: "on ${port}" }\n',
    ['5:23', 'services.a.ready.log', /is not filled in in a pattern/, null],
  ],
  [
    'an unquoted placeholder inside of braces',
    'services:\n  a: { command: x, port: auto, ready: { tcp: ${port} } }\n',
    ['2:46', '', /put the text in quotes/, '"${port}"'],
  ],
  [
    'an unclosed quote of a command, at its column',
    "services:\n  a:\n    command: echo 'x\n",
    ['3:19', 'services.a.command', /the quote ' is never closed/, null],
  ],
  [
    'an operator of a shell, at its column in a block text',
    'tasks:\n  a:\n    command: >\n      echo one\n      two | three\n',
    ['5:11', 'tasks.a.command', /`\|` is an operator/, 'shell: true'],
  ],
  [
    'a pattern of a shell',
    'tasks:\n  a:\n    command: ls *.ts\n',
    ['3:17', 'tasks.a.command', /`\*` is a pattern/, 'shell: true'],
  ],
  [
    'a shell for a list of words',
    'tasks:\n  a:\n    shell: true\n    command: [a, b]\n',
    ['4:14', 'tasks.a.command', /expected one text, because `shell` is `true`/, null],
  ],
  [
    'an operator in the command of a probe',
    'services:\n  a:\n    command: x\n    ready: { exec: a | b }\n',
    ['4:22', 'services.a.ready.exec', /is an operator/, '["sh","-c","a | b"]'],
  ],
  [
    'an empty command',
    'tasks:\n  a: { command: "" }\n',
    ['2:17', 'tasks.a.command', /expected a command, not an empty text/, null],
  ],
  [
    'an empty list of words',
    'tasks:\n  a: { command: [] }\n',
    ['2:17', 'tasks.a.command', /at least the program, found an empty list/, null],
  ],
  [
    'a number among the words',
    'tasks:\n  a: { command: [sleep, 5] }\n',
    ['2:25', 'tasks.a.command.1', /expected a word, found the number 5/, '"5"'],
  ],
  [
    'a dependency that is missing',
    'services:\n  a: { command: x, dependsOn: [biuld] }\ntasks:\n  build: { command: x }\n',
    ['2:32', 'services.a.dependsOn.0', /no service and no task named `biuld`/, 'build'],
  ],
  [
    'a missing dependency in a map',
    'services:\n  a: { command: x, dependsOn: { biuld: succeeded } }\ntasks:\n  build: { command: x }\n',
    ['2:33', 'services.a.dependsOn.biuld', /no service and no task named `biuld`/, 'build'],
  ],
  [
    'a condition that does not fit a service',
    'services:\n  a: { command: x, dependsOn: { b: succeeded } }\n  b: { command: x }\n',
    [
      '2:36',
      'services.a.dependsOn.b',
      /`b` is a service: expected `ready`, `started`, `completed`, found `succeeded`/,
      'ready',
    ],
  ],
  [
    'a condition that does not fit a task',
    'services:\n  a: { command: x, dependsOn: { b: ready } }\ntasks:\n  b: { command: x }\n',
    ['2:36', 'services.a.dependsOn.b', /`b` is a task: expected `succeeded`, found `ready`/, 'succeeded'],
  ],
  [
    'a condition that is none',
    'services:\n  a: { command: x, dependsOn: { b: redy } }\n  b: { command: x }\n',
    ['2:36', 'services.a.dependsOn.b', /expected one of `ready`, `started`, `completed`, `succeeded`/, 'ready'],
  ],
  [
    'a cycle, with its whole path',
    'services:\n  a: { command: x, dependsOn: [b] }\n  b: { command: x, dependsOn: [c] }\ntasks:\n  c: { command: x, dependsOn: [a] }\n',
    ['2:32', 'services.a.dependsOn.0', /none can start: a -> b -> c -> a$/, null],
  ],
  [
    'an entry that waits for itself',
    'tasks:\n  a: { command: x, dependsOn: [a] }\n',
    ['2:32', 'tasks.a.dependsOn.0', /a -> a$/, null],
  ],
  [
    'a service that waits for one that nobody starts',
    'services:\n  a: { command: x, dependsOn: [b] }\n  b: { command: x, enabled: false }\n',
    ['2:32', 'services.a.dependsOn.0', /`b` is not enabled/, null],
  ],
  [
    'a name of a service and of a task',
    'services:\n  a: { command: x }\ntasks:\n  a: { command: x }\n',
    ['4:3', 'tasks.a', /the name of a service and of a task/, null],
  ],
  [
    'names that differ only in case',
    'services:\n  web: { command: x }\n  Web: { command: x }\n',
    ['3:3', 'services.Web', /differs from `web` only in upper and lower case/, null],
  ],
  [
    'a name with a space',
    'services:\n  my web: { command: x }\n',
    ['2:3', 'services.my web', /expected a name of letters/, 'my-web'],
  ],
  [
    'a name that leads upwards',
    'services:\n  a/../b: { command: x }\n',
    ['2:3', 'services.a/../b', /without `\.\.`/, 'a/b'],
  ],
  [
    'a name that is an option',
    'services:\n  --all: { command: x }\n',
    ['2:3', 'services.--all', /expected a name of letters/, 'all'],
  ],
  [
    'a key that every object has',
    'services:\n  __proto__: { command: x }\n',
    ['2:3', 'services.__proto__', /cannot be used as a key/, null],
  ],
  [
    'a key that stands twice',
    'services:\n  a:\n    command: x\n    port: 1\n    port: 2\n',
    ['5:5', 'services.a.port', /the key `port` stands twice .*first in line 4/, null],
  ],
  [
    'a variable that would not be what is written',
    'services:\n  a:\n    command: x\n    env: { V: 1.10 }\n',
    [
      '4:15',
      'services.a.env.V',
      /a text in quotes, found a number that would be passed on in another spelling/,
      '"1.10"',
    ],
  ],
  [
    'a variable without a value',
    'services:\n  a:\n    command: x\n    env:\n      V:\n',
    ['5:7', 'services.a.env.V', /expected a text .*found nothing/, null],
  ],
  [
    'the variable that marks children',
    'services:\n  a:\n    command: x\n    env: { COPPICE_TREE: y }\n',
    ['4:12', 'services.a.env.COPPICE_TREE', /is set by Coppice/, null],
  ],
  [
    'a glob outside of the workspace',
    'tasks:\n  a: { command: x, outputs: [../dist/**] }\n',
    ['2:30', 'tasks.a.outputs.0', /stays inside the workspace/, null],
  ],
  [
    'an absolute glob',
    'tasks:\n  a: { command: x, inputs: [/etc/**] }\n',
    ['2:29', 'tasks.a.inputs.0', /relative to the folder/, null],
  ],
  [
    'globs that only exclude',
    "tasks:\n  a: { command: x, inputs: ['!b'] }\n",
    ['2:28', 'tasks.a.inputs', /at least one glob that includes/, null],
  ],
  [
    'languages of something else',
    'services:\n  a: { command: x, languages: [y] }\n',
    ['2:31', 'services.a.languages', /has no effect/, null],
  ],
  ['a tab as indentation', 'services:\n\ta: 1\n', ['2:1', '', /expected spaces as indentation, found a tab/, null]],
  ['a second document', 'services: {}\n---\ntasks: {}\n', ['2:1', '', /found a second one after `---`/, null]],
  [
    'an alias without an anchor',
    'services: *nothing\n',
    ['1:11', 'services', /no anchor `&nothing` stands before it/, null],
  ],
  ['an anchor that holds itself', 'services: &a\n  b: *a\n', ['2:6', 'services.b', /it would contain itself/, null]],
];

const JSON_FILES: readonly (readonly [title: string, text: string, ...Expected[]])[] = [
  ['an unknown key', '{\n  "servces": {}\n}', ['2:3', 'servces', /unknown key/, 'services']],
  [
    'a wrong value',
    '{ "services": { "a": { "command": "x", "port": true } } }',
    ['1:48', 'services.a.port', /found `true`/, null],
  ],
  ['a key that stands twice', '{ "tasks": {},\n  "tasks": {} }', ['2:3', 'tasks', /first in line 1/, null]],
  ['a missing colon', '{ "services" {} }', ['1:14', '', /expected `:` after the key/, null]],
  ['a missing comma', '{ "services": {}\n"tasks": {} }', ['2:1', '', /expected `,`/, null]],
  ['single quotes', "{ 'services': {} }", ['1:3', '', /./, null]],
  [
    'an unclosed quote inside of a text with escapes',
    '{ "tasks": { "a": { "command": "a \\"b\\" \\u0027c" } } }',
    ['1:41', 'tasks.a.command', /quote ' is never closed/, null],
  ],
];

describe('diagnostics', () => {
  const check = (file: string, cases: typeof YAML) => {
    for (const [title, text, ...expected] of cases) {
      it(`names ${title} at its place (${file})`, () => {
        const found = findings(text, file);
        const places = found.map(({ line, column, path }) => `${line}:${column} ${path}`);
        if (file === 'coppice.yaml' || expected.every(([, path]) => path !== '')) {
          assert.deepEqual(
            places,
            expected.map(([place, path]) => `${place} ${path}`),
            JSON.stringify(found, null, 1),
          );
        }
        for (const [index, [place, path, message, suggestion]] of expected.entries()) {
          assert.equal(places[index], `${place} ${path}`);
          assert.match(found[index]?.message ?? '', message);
          assert.equal(found[index]?.suggestion, suggestion);
        }
      });
    }
  };
  check('coppice.yaml', YAML);
  check('coppice.json', JSON_FILES as typeof YAML);

  it('reports everything that is wrong at once, in the order of the file', () => {
    const found = findings(`services:
  a:
    comand: x
    port: 0
    dependsOn: [c]
  b:
    command: a | b
    stopTimeout: 3
    cwd: ..
srvices: 1
`);
    assert.deepEqual(
      found.map(({ line, column, code }) => `${line}:${column} ${code}`),
      [
        '2:3 missing-key',
        '3:5 unknown-key',
        '4:11 wrong-type',
        '5:17 dependency',
        '7:16 shell-syntax',
        '8:18 wrong-type',
        '9:10 path',
        '10:1 unknown-key',
      ],
    );
  });

  it('shows a mistake behind an alias once, where it stands', () => {
    const found = findings(
      'x-a: &a { port: bad }\nservices:\n  b: { <<: *a, command: x }\n  c: { <<: *a, command: x }\n',
    );
    assert.deepEqual(
      found.map(({ line, column }) => `${line}:${column}`),
      ['1:17'],
    );
  });

  it('never shows the value of a variable', () => {
    const [found] = findings('services:\n  a: { command: x, env: { KEY: [secret] } }\n');
    assert.match(found?.message ?? '', /found a list$/);
  });
});
