import assert from 'node:assert/strict';
import { BEGAN, type Line } from '../../../support/journals.ts';
import { serviceStatus } from '../../../support/serviceStatus.ts';
import { crash, life, TERMINAL, UP, why } from './support.ts';

const STOPPED = new Map([['web', serviceStatus('web')]]);
const OTHER = { kind: 'cli', pid: 99, session: 'x' };

function stopped(after: number, reason: string): Line[] {
  const exit = { code: null, signal: 'SIGTERM', runDurationMs: after, likelyCause: 'requested_stop', crashes: 0 };
  return [
    [after, 'service_stopping', { name: 'web', incarnation: 1, reason }],
    [after + 5, 'service_exited', { name: 'web', incarnation: 1, ...exit }],
  ];
}

describe('what brought a service to its state', () => {
  it('that was stopped names the verb, the terminal and its session', () => {
    const lines = [
      UP,
      ...life(0, 1),
      [500, 'requested', { verb: 'stop', names: ['web'], by: OTHER }],
      ...stopped(500, 'stop'),
    ] as const;
    const { answer, chain } = why(lines, { statuses: STOPPED });
    assert.match(answer.headline, /^web is stopped since .*: `coppice stop` from terminal pid 99 \(session x\)$/);
    assert.deepEqual(chain, [
      '`coppice stop` from terminal pid 99 (session x)',
      'was stopped, and ended with SIGTERM after 500ms',
    ]);
  });

  it('is not stopped by a request for another one', () => {
    const lines = [UP, ...life(0, 1), [500, 'requested', { verb: 'stop', names: ['db'], by: OTHER }]] as const;
    assert.doesNotMatch(why(lines).text, /pid 99/);
  });

  it('that ended with its foreground `up` says so', () => {
    const lines = [
      UP,
      ...life(0, 1),
      [500, 'requested', { verb: 'down', by: TERMINAL }],
      ...stopped(500, 'stop'),
    ] as const;
    assert.match(why(lines, { statuses: STOPPED }).answer.headline, /the end of `coppice up` in terminal pid 812$/);
  });

  for (const [kind, words] of [
    ['editor', 'stop from the editor pid 99'],
    ['agent', 'stop from an agent pid 99'],
    ['other', 'stop from a client pid 99'],
  ] as const) {
    it(`that was stopped by a client of kind ${kind} names it`, () => {
      const by = { kind, pid: 99, session: null };
      const lines = [
        UP,
        ...life(0, 1),
        [500, 'requested', { verb: 'stop', names: [], by }],
        ...stopped(500, 'stop'),
      ] as const;
      assert.equal(why(lines, { statuses: STOPPED }).chain[0], words);
    });
  }

  it('that was idle was stopped for that', () => {
    const { answer } = why([UP, ...life(0, 1), ...stopped(900, 'idle')], { statuses: STOPPED });
    assert.match(answer.headline, /was stopped, as it was idle/);
  });

  it('whose session was over was stopped for that, whenever it was written down', () => {
    const reaped = [600, 'session_reaped', { session: null, trees: ['web'] }] as const;
    const { chain } = why([UP, ...life(0, 1), ...stopped(500, 'stop').map((one) => one), reaped], {
      statuses: STOPPED,
    });
    assert.equal(chain[0], 'the session that it belonged to was over');
  });

  it('whose session was ended names who asked for that', () => {
    const lines: Line[] = [
      UP,
      ...life(0, 1),
      [400, 'requested', { verb: 'reap', session: 'x', by: { ...TERMINAL, pid: 99 } }],
      [400, 'session_over', { session: 'x', why: 'asked', owns: ['web'] }],
      ...stopped(401, 'stop'),
      [500, 'session_reaped', { session: 'x', why: 'asked', trees: ['web'] }],
    ];
    const { chain, answer } = why(lines, { statuses: STOPPED });
    assert.deepEqual(chain.slice(0, 2), [
      '`coppice reap` from terminal pid 99',
      'session x, which it belonged to, was ended',
    ]);
    assert.match(answer.headline, /: session x, which it belonged to, was ended$/);
  });

  it('that ended with its supervisor, as it is to, says so', () => {
    const successor = { supervisor: 950, name: 'web', incarnation: 1 };
    const lines: Line[] = [
      UP,
      ...life(0, 1),
      [5000, 'supervisor_started', { supervisor: 950, losses: 1 }],
      [5001, 'reconciled', { ...successor, verdict: 'finished', onSupervisorLoss: 'stop' }],
      [5002, 'adopted', { ...successor, pid: 901 }],
      ...stopped(5003, 'stop').map(([at, event, fields]): Line => [at, event, { ...fields, supervisor: 950 }]),
    ];
    const { chain, answer } = why(lines, { statuses: STOPPED });
    assert.match(chain[2] ?? '', /supervisor 950, started by its guardian, took its place$/);
    assert.equal(chain[3], 'ends with its supervisor, as `onSupervisorLoss: stop` asks for');
    assert.match(answer.headline, /: ends with its supervisor, as `onSupervisorLoss: stop` asks for$/);
  });

  it('whose end was missed and found in a later round says so', () => {
    const lines: Line[] = [
      UP,
      ...life(0, 1),
      [900, 'reconciled', { name: 'web', verdict: 'dead' }],
      ...crash(901, 1, 1, { code: null }).slice(0, 2),
    ];
    assert.ok(why([...lines, ...life(2000, 2)]).chain.some((one) => /found gone, and nobody saw how/.test(one)));
  });

  it('that waited between two starts was stopped by who asked for that', () => {
    const lines = [
      UP,
      ...life(0, 1),
      ...crash(500, 1, 1),
      [700, 'requested', { verb: 'stop', names: [], by: OTHER }],
    ] as const;
    const { answer, chain } = why(lines, { statuses: STOPPED });
    assert.match(answer.headline, /`coppice stop` from terminal pid 99/);
    assert.deepEqual(chain, ['`coppice stop` from terminal pid 99 (session x)']);
  });

  it('that was restarted on request has that as its beginning', () => {
    const asked = [400, 'requested', { verb: 'restart', names: ['web'], by: OTHER }] as const;
    const { chain } = why([UP, ...life(0, 1), asked, ...stopped(400, 'restart'), ...life(500, 2)]);
    assert.deepEqual(chain, [
      '`coppice restart` from terminal pid 99 (session x)',
      'started, pid 902 (incarnation 2), and ready after 100ms',
    ]);
  });

  it('that a saved configuration restarted names the fields', () => {
    const change = { added: [], removed: [], changed: [{ name: 'web', fields: ['command', 'env'] }], retuned: [] };
    const { chain } = why([
      UP,
      ...life(0, 1),
      [400, 'configuration_changed', change],
      ...stopped(400, 'restart'),
      ...life(500, 2),
    ]);
    assert.equal(chain[0], 'the configuration was changed: command, env');
  });

  it('that was reset and started has the start as its beginning', () => {
    const lines: Line[] = [
      UP,
      ...life(0, 1),
      ...crash(200, 1, 8).slice(0, 1),
      [201, 'breaker_open', { name: 'web', reason: 'crashes', text: 'crashed 8 times' }],
      [300, 'requested', { verb: 'reset', names: ['web'], by: OTHER }],
      [300, 'breaker_reset', { name: 'web' }],
      [400, 'requested', { verb: 'start', names: ['web'], by: OTHER }],
      ...life(401, 2),
    ];
    assert.match(why(lines).chain[0] ?? '', /^`coppice start` from terminal pid 99/);
  });

  it('that waits tells for whom, and why that one is as it is', () => {
    const configuration = 'services: { web: { command: a, dependsOn: [db] }, db: { command: b } }';
    const blocked = { name: 'web', text: 'blocked: db has failed', on: ['db'], blockedBy: 'db' };
    const lines: Line[] = [
      UP,
      [1, 'service_waiting', { name: 'web', text: 'waits for db', on: ['db'], blockedBy: null }],
      [
        5,
        'spawn_failed',
        {
          name: 'db',
          incarnation: 1,
          message: 'command not found: b (looked in /a, /b)',
          reason: 'command_not_found',
          crashes: 1,
        },
      ],
      [6, 'service_failed', { name: 'db', reason: 'not_restarted', text: 'ended, and its restart policy is `no`' }],
      [6, 'service_waiting', blocked],
    ];
    const statuses = new Map([
      ['web', serviceStatus('web', { detail: 'blocked: db has failed', blockedBy: 'db' })],
      ['db', serviceStatus('db', { state: 'failed' })],
    ]);
    const { answer, text } = why(lines, { statuses }, { configuration });
    assert.match(answer.headline, /^web cannot start since .*: db has failed$/);
    assert.deepEqual(
      answer.because.map((one) => [one.name, one.state]),
      [['db', 'failed']],
    );
    assert.match(text, /\n {2}db has failed/);
    assert.match(text, /could not be started: command not found: b \(looked in 2 folders\)/);
    assert.match(text, /correct or install its command \(coppice\.yaml:3\)/);
  });

  it('that waits for one that waits for it, as only a forged journal can say, is an answer as well', () => {
    const lines: Line[] = [
      [1, 'service_waiting', { name: 'web', text: 'waits for db', on: ['db'] }],
      [2, 'service_waiting', { name: 'db', text: 'waits for web', on: ['web'] }],
    ];
    const statuses = new Map(
      ['web', 'db'].map((one) => [one, serviceStatus(one, { detail: `waits for ${one === 'web' ? 'db' : 'web'}` })]),
    );
    assert.equal(why(lines, { statuses }).answer.because[0]?.because.length, 0);
  });

  it('goes on as the same process under a successor, whose predecessor was lost', () => {
    const lines: Line[] = [
      UP,
      ...life(0, 1),
      [5000, 'supervisor_started', { supervisor: 950 }],
      [5001, 'reconciled', { supervisor: 950, name: 'web', incarnation: 1, verdict: 'alive' }],
      [5002, 'adopted', { supervisor: 950, name: 'web', incarnation: 1, pid: 901 }],
    ];
    const ready = serviceStatus('web', { state: 'ready', pid: 901, readyAt: BEGAN + 100 });
    const { answer, chain } = why(lines, { statuses: new Map([['web', ready]]) });
    assert.equal(answer.since, BEGAN + 100);
    assert.equal(chain[0], '`coppice up` from terminal pid 812');
    assert.match(
      chain[2] ?? '',
      /^supervisor 700 was lost \(its last entry is of \S+\); supervisor 950 took its place$/,
    );
    assert.equal(chain[3], 'went on as the same process, pid 901, under supervisor 950');
  });

  it('that ended while nobody was there says so, and how it went on', () => {
    const successor = { supervisor: 950, name: 'web', incarnation: 1 };
    const lines: Line[] = [
      UP,
      ...life(0, 1),
      [5000, 'supervisor_started', { supervisor: 950 }],
      [5001, 'reconciled', { ...successor, verdict: 'finished' }],
      [5002, 'adopted', { ...successor, pid: 901 }],
      ...crash(5003, 1, 1).map(([at, event, fields]): Line => [at, event, { ...fields, supervisor: 950 }]),
      ...life(6003, 2).map(([at, event, fields]): Line => [at, event, { ...fields, supervisor: 950 }]),
    ];
    const { chain } = why(lines);
    assert.ok(chain.includes('had ended while no supervisor was there'));
    assert.ok(!chain.some((one) => one.includes('same process')));
    assert.equal(chain.at(-1), 'started, pid 902 (incarnation 2), and ready after 100ms');
  });

  it('tells a supervisor that ended itself after a fault from one that was lost', () => {
    const fault = [900, 'supervisor_fault', { fault: 'exception', message: 'Error: oops' }] as const;
    const lines: Line[] = [UP, ...life(0, 1), fault, [1000, 'supervisor_started', { supervisor: 950 }]];
    const adopted = [1001, 'adopted', { supervisor: 950, name: 'web', incarnation: 1, pid: 901 }] as const;
    assert.match(
      why([...lines, adopted]).chain[2] ?? '',
      /^supervisor 700 ended itself at \S+ after a fault \(Error: oops\);/,
    );
  });

  it('that answers again is due to its start, as before', () => {
    const lines: Line[] = [
      UP,
      ...life(0, 1),
      [500, 'health_warn', { name: 'web', reason: 'liveness_failed', detail: 'no answer' }],
      [600, 'health_ok', { name: 'web', incarnation: 1 }],
    ];
    const { answer, chain } = why(lines, { trees: [], supervisor: { kind: 'none' } });
    assert.equal(chain.length, 2, answer.headline);
  });

  it('does not call a supervisor lost that had ended in order', () => {
    const lines: Line[] = [
      UP,
      ...life(0, 1),
      [500, 'supervisor_stopping', { why: 'asked', by: 'SIGTERM' }],
      ...stopped(500, 'stop'),
      [600, 'supervisor_stopped', { why: 'asked', code: 143 }],
      [900, 'supervisor_started', { supervisor: 950 }],
    ];
    const { answer, text } = why(lines, { statuses: STOPPED });
    assert.match(answer.headline, /the supervisor \(pid 700\) was ended by SIGTERM$/);
    assert.doesNotMatch(text, /lost/);
  });
});
