import assert from 'node:assert/strict';
import { timeWord } from '../../../../server/cli/clock.ts';
import { emptyAccounting } from '../../../../server/service/restartCore.ts';
import { BEGAN, type Line } from '../../../support/journals.ts';
import { serviceStatus } from '../../../support/serviceStatus.ts';
import { crash, life, TERMINAL, UP, why } from './support.ts';

const READY = serviceStatus('web', { state: 'ready', pid: 901, readyAt: BEGAN + 200 });

describe('why a service is as it is', () => {
  it('begins with who asked for it, and tells since when it is ready', () => {
    const { answer, chain } = why([UP, ...life(100, 1)], { statuses: new Map([['web', READY]]) });
    assert.match(answer.headline, /^web is ready since \S+ \(1m\), pid 901$/);
    assert.deepEqual(chain, ['`coppice up` from terminal pid 812', 'started, pid 901, and ready after 100ms']);
    assert.deepEqual(
      answer.chain.map((one) => one.causedBy),
      [null, answer.chain[0]?.id],
    );
  });

  it('is not asked for by an `up` that found it running', () => {
    const lines = [
      UP,
      ...life(100, 1),
      [500, 'requested', { verb: 'up', names: [], by: { ...TERMINAL, pid: 5 } }],
    ] as const;
    assert.match(why(lines).chain[0] ?? '', /pid 812/);
  });

  it('was asked for by whoever asked for what depends on it', () => {
    const configuration = 'services: { app: { command: a, dependsOn: [web] }, web: { command: b } }';
    const asked = [0, 'requested', { verb: 'start', names: ['app'], by: TERMINAL }] as const;
    assert.equal(why([asked, ...life(9, 1)], {}, { configuration }).chain[0], '`coppice start` from terminal pid 812');
  });

  it('tells of crashes that were alike once, with their number, the waits between and what follows', () => {
    const lives = [1, 2, 3, 4].flatMap((one) => [
      ...life(one * 2000, one).slice(0, 1),
      ...crash(one * 2000 + 50, one, one),
    ]);
    const { answer, chain } = why([UP, ...lives]);
    assert.deepEqual(chain.slice(1, 2), [
      'crashed 4 times, with exit code 1 each time (after 50ms); started again after 1s, 2s, 4s, 8s',
    ]);
    assert.equal(answer.chain[1]?.times, 4);
    assert.equal(answer.chain[1]?.until, BEGAN + 8050);
  });

  it('keeps crashes apart that were not alike', () => {
    const lives = [...life(0, 1), ...crash(500, 1, 1), ...life(2000, 2), ...crash(2500, 2, 2, { code: 7 })];
    assert.deepEqual(
      why([UP, ...lives]).chain.filter((one) => one.startsWith('ended')),
      ['ended by itself with exit code 1 after 50ms', 'ended by itself with exit code 7 after 50ms'],
    );
  });

  it('in backoff tells when it starts again, and which crash of how many it was', () => {
    const respawnAt = BEGAN + 72_000;
    const status = serviceStatus('web', { state: 'backoff', respawnAt, crashes: 3 });
    const { answer } = why([UP, ...life(0, 1), ...crash(500, 1, 3)], { statuses: new Map([['web', status]]) });
    const due = timeWord(respawnAt, BEGAN);
    assert.equal(
      answer.headline,
      `web waits and starts again at ${due} (in 12s), after crash 3 of 8 within 5m of each other: it ended by itself with exit code 1 after 50ms`,
    );
    assert.ok(answer.advice.some((one) => one.command === 'coppice restart web'));
    assert.deepEqual([answer.output?.fromOffset, answer.output?.log], [10, '/state/logs/web.log']);
  });

  it('that failed tells the spent budget, what is used, and the commands that go on', () => {
    const failure = {
      why: { reason: 'crashes', count: 8, windowMs: 300_000 },
      message: null,
      confirmed: 0,
      survivors: 0,
    };
    const times = [1, 2, 3, 4, 5, 6, 7, 8].map((one) => BEGAN + one);
    const accounting = { ...emptyAccounting(), crashes: 8, lastCrashAt: BEGAN + 8, slow: times };
    const lastExit = { code: 1, signal: null, at: BEGAN, cause: 'runtime_error' };
    const kept = { version: 1, incarnation: 8, restarts: 7, lastExit, accounting, wanted: false, keepable: false };
    const failed = [
      9,
      'breaker_open',
      { name: 'web', reason: 'crashes', text: 'crashed 8 times; last exit: code 1' },
    ] as const;
    const { answer, text } = why([UP, ...life(0, 8), ...crash(8, 8, 8).slice(0, 1), failed], {
      statuses: new Map([['web', serviceStatus('web', { state: 'failed' })]]),
      snapshots: { web: { ...kept, rest: 'failed', failure } },
    });
    assert.match(
      answer.headline,
      /^web has failed, 1m ago: crashed 8 times, each within 5m of the one before; last exit: code 1$/,
    );
    assert.match(text, /crashes in a row: 8 of 8, each within 5m/);
    assert.match(text, /crashes within 1h: 8, 10 are allowed/);
    assert.match(text, /coppice reset web && coppice start web/);
    assert.match(text, /coppice logs web -n 50/);
  });

  it('that stopped answering tells how often it was asked, that it was killed and that it was started again', () => {
    const wedged = {
      failures: 3,
      failuresAllowed: 3,
      detail: '3 liveness probes failed in a row: no answer within 1s',
    };
    const stop = {
      confirmed: 3,
      survivors: [],
      killed: true,
      durationMs: 5010,
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 5000,
    };
    const exit = { code: null, signal: 'SIGKILL', runDurationMs: 65_000, likelyCause: 'wedged', crashes: 0 };
    const { chain } = why([
      UP,
      ...life(0, 1),
      [
        50_000,
        'health_warn',
        { name: 'web', reason: 'liveness_failed', detail: 'no answer within 1s', failuresAllowed: 3 },
      ],
      [60_000, 'health_warn', { name: 'web', reason: 'wedged', ...wedged }],
      [60_000, 'service_stopping', { name: 'web', incarnation: 1, reason: 'wedged' }],
      [65_000, 'service_exited', { name: 'web', incarnation: 1, ...exit }],
      [65_001, 'tree_reaped', { name: 'web', incarnation: 1, ...stop }],
      ...life(65_010, 2),
    ]);
    assert.deepEqual(chain.slice(2), [
      'liveness probe failed (3 failures in a row end it): no answer within 1s',
      'liveness probe failed 3 times in a row, at last: no answer within 1s',
      'was stopped, as it did not answer, and ended with SIGKILL after 65s'.replace('65s', '1m 5s'),
      'did not end within 5s of SIGTERM and was killed; 3 processes confirmed gone',
      'started, pid 902 (incarnation 2), and ready after 100ms',
    ]);
  });

  it('that used too much memory tells how much it may have, and where to change that', () => {
    const configuration = 'services: { web: { command: a, memory: { max: 300MB } } }';
    const drain = { bytes: 310 * 1024 ** 2, limitBytes: 300 * 1024 ** 2, detail: 'x' };
    const status = serviceStatus('web', { state: 'failed' });
    const { chain, text } = why(
      [
        UP,
        ...life(0, 1),
        [900, 'health_warn', { name: 'web', reason: 'memory_drain', ...drain }],
        [900, 'service_stopping', { name: 'web', reason: 'memory_drain' }],
        [
          990,
          'service_exited',
          { name: 'web', code: 0, signal: null, runDurationMs: 990, likelyCause: 'memory_drain' },
        ],
        [991, 'breaker_open', { name: 'web', reason: 'drains', text: 'used more memory than it may 4 times' }],
      ],
      { statuses: new Map([['web', status]]) },
      { configuration },
    );
    assert.ok(chain.includes('its processes use 310MB of memory, over memory.max of 300MB'));
    assert.ok(chain.includes('was stopped, so that its memory is given back, and ended with exit code 0 after 990ms'));
    assert.match(text, /raise memory\.max \(300MB now\) \(coppice\.yaml:3\)/);
  });

  it('that was not ready in time tells what the probe said last', () => {
    const { chain } = why([
      UP,
      ...life(0, 1).slice(0, 1),
      [
        300,
        'health_warn',
        { name: 'web', reason: 'readiness_timeout', detail: 'not ready within 300 ms: nothing listens on port 3000' },
      ],
      [300, 'service_stopping', { name: 'web', reason: 'readiness_timeout' }],
      [
        310,
        'service_exited',
        { name: 'web', code: null, signal: 'SIGTERM', runDurationMs: 310, likelyCause: 'readiness_timeout' },
      ],
      [311, 'backoff', { name: 'web', ms: 1000, reason: 'crash', crashes: 1, limit: 8 }],
    ]);
    assert.deepEqual(chain.slice(2), [
      'was not ready in time: not ready within 300 ms: nothing listens on port 3000',
      'was stopped, as it was not ready in time, and ended with SIGTERM after 310ms',
      'crash 1 of 8 in a row: starts again after 1s',
    ]);
  });

  it('whose port is taken tells by whom, now', () => {
    const configuration = 'services: { web: { command: a, port: 3000 } }';
    const holder = 'pid 77 (node server.js), running for 3.6s';
    const message = `port 3000 is taken: ${holder}`;
    const lines = [
      UP,
      [10, 'spawn_failed', { name: 'web', incarnation: 1, message, reason: 'port_taken', crashes: 1 }],
    ] as const;
    const status = serviceStatus('web', { state: 'backoff', crashes: 1 });
    const facts = { statuses: new Map([['web', status]]), portHolders: new Map([[3000, holder]]) };
    const { chain, answer } = why(lines, facts, { configuration });
    assert.equal(chain[1], `could not be started: ${message}`);
    assert.equal(
      answer.advice[0]?.text,
      `port 3000 is held by ${holder}: end that process, or set \`port: auto\` (coppice.yaml:3)`,
    );
    const free = why(lines, { ...facts, portHolders: new Map() }, { configuration });
    assert.equal(free.answer.advice[0]?.text, 'port 3000 is free now');
  });

  it('that could not be started for the same reason again and again is told once, though the holder grew older', () => {
    const failed = (after: number, age: string): Line => {
      const message = `port 3000 is taken: pid 77 (node server.js), running for ${age}`;
      return [after, 'spawn_failed', { name: 'web', message, reason: 'port_taken', crashes: 1 }];
    };
    const { chain } = why([UP, failed(1, '950ms'), failed(2, '3.6s'), failed(3, '1m 6s')]);
    assert.match(chain[1] ?? '', /^could not be started 3 times: port 3000 is taken: pid 77 .* 1m 6s$/);
  });

  it('that ends at once with code 0 is told of tools that end with their input', () => {
    const status = serviceStatus('web', { state: 'completed' });
    const exit = [
      300,
      'service_exited',
      { name: 'web', code: 0, signal: null, runDurationMs: 200, likelyCause: 'clean_exit' },
    ] as const;
    const { answer } = why([UP, ...life(0, 1), exit], { statuses: new Map([['web', status]]) });
    assert.match(
      answer.headline,
      /^web is done since .*: it ended with exit code 0, and `restart: on-failure` wants no other start$/,
    );
    assert.match(answer.advice[0]?.text ?? '', /`stdin: hold`/);
  });
});
