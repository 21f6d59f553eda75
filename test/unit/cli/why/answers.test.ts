import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { whyLines } from '../../../../server/cli/why/render.ts';
import { displayWidth } from '../../../../server/cli/width.ts';
import { BEGAN, type Line } from '../../../support/journals.ts';
import { serviceStatus } from '../../../support/serviceStatus.ts';
import { crash, life, TERMINAL, UP, why } from './support.ts';

const TASKS =
  'services: { web: { command: a } }\ntasks: { build: { command: b }, lint: { command: c, dependsOn: [build] } }';

describe('an answer of why', () => {
  it('says that the supervisor does not answer, and how it is ended without a loss', () => {
    const supervisor = { kind: 'silent', pid: 700, detail: 'no answer', beatAt: BEGAN, stuck: true } as const;
    const { answer } = why([UP, ...life(0, 1)], { supervisor });
    assert.match(
      answer.notes[0] ?? '',
      /^the supervisor \(pid 700\) does not answer \(no answer; its last heartbeat was 1m ago\)/,
    );
    assert.deepEqual(
      answer.advice.slice(0, 2).map((one) => one.command),
      ['coppice doctor', 'kill -9 700'],
    );
  });

  it('of a lost supervisor tells what does not run any more, and how it comes back', () => {
    const waiting = [1, 'service_waiting', { name: 'web', text: 'waits for db', on: ['db'] }] as const;
    const { answer } = why([UP, waiting], { supervisor: { kind: 'lost', pid: 700, guardian: null, gaveUp: null } });
    assert.equal(answer.state, 'abandoned');
    assert.match(answer.headline, /does not run .*: the supervisor was lost, and nobody has taken its place yet/);
    assert.equal(answer.advice[0]?.command, 'coppice up');
  });

  it('of a lost supervisor tells what its guardian is about to do, or that it has given up', () => {
    const lost = { kind: 'lost', pid: 700, guardian: 701, gaveUp: null } as const;
    const coming = why([UP], { supervisor: lost }).answer;
    assert.match(coming.notes[0] ?? '', /its guardian \(pid 701\) is about to start another/);
    assert.ok(!coming.advice.some((one) => one.command === 'coppice up'));
    const over = why([UP], { supervisor: { ...lost, guardian: null, gaveUp: 'lost 8 times' } }).answer;
    assert.match(over.notes[0] ?? '', /its guardian has given up \(lost 8 times\)/);
  });

  it('does not advise to end a supervisor that may only be starting', () => {
    const supervisor = { kind: 'silent', pid: 700, detail: 'nothing listens', beatAt: null, stuck: false } as const;
    assert.doesNotMatch(why([UP], { supervisor }).text, /kill/);
  });

  it('without any supervisor is told from the files', () => {
    const { answer } = why([], { supervisor: { kind: 'none' } });
    assert.equal(answer.headline, 'web is stopped: nobody has asked for it yet');
    assert.deepEqual(answer.notes, ['no supervisor runs: this is told from the files of the last one']);
  });

  it('tells what of the journal is missing, and that the clock was set back', () => {
    const lines: Line[] = [
      UP,
      ...life(0, 1),
      [9000, 'journal_gap', { from: 1, to: 2, dropped: 2 }],
      [
        -50_000,
        'service_exited',
        { name: 'web', code: 1, signal: null, likelyCause: 'runtime_error', runDurationMs: 9000 },
      ],
    ];
    const events = why(lines);
    assert.equal(events.answer.notes.length, 2);
    const { answer } = why(lines, { skipped: 2, configurationError: 'coppice.yaml:3: wrong' });
    assert.deepEqual(answer.notes, [
      '2 lines of the journal could not be read and are missing here',
      '1 time the journal could not be written, so events are missing',
      'the clock was set back meanwhile: the order is right, the times are as they were shown',
      'the configuration cannot be used as it is (coppice.yaml:3: wrong); the last good one stays in force',
    ]);
    assert.equal(answer.chain.at(-1)?.text, 'ended by itself with exit code 1 after 9s');
  });

  it('of a long story keeps the beginning and the end, and says how much is between', () => {
    const lives = Array.from({ length: 30 }, (_, one) => [
      ...life(one * 100, one + 1),
      ...crash(one * 100 + 50, one + 1, 1, { code: one }),
    ]);
    const { answer, text } = why([UP, ...lives.flat()], {}, { limit: 5 });
    assert.deepEqual([answer.chain.length, answer.chain[0]?.text], [5, '`coppice up` from terminal pid 812']);
    assert.match(text, new RegExp(`\\(${answer.earlier} events between, not shown\\)`));
    const ids = new Set(answer.chain.map((one) => one.id));
    assert.ok(answer.chain.every((one) => one.causedBy === null || ids.has(one.causedBy)));
  });

  it('has every cause before what it brought about', () => {
    const reaped = [600, 'session_reaped', { session: 'x', trees: ['web'] }] as const;
    const stop = [500, 'service_stopping', { name: 'web', reason: 'stop' }] as const;
    const { answer } = why([UP, ...life(0, 1), ...crash(200, 1, 1), ...life(300, 2), stop, reaped]);
    const places = new Map(answer.chain.map((one, index) => [one.id, index]));
    for (const [index, { causedBy }] of answer.chain.entries())
      assert.ok(causedBy === null || (places.get(causedBy) ?? Infinity) < index);
  });

  it('fits a narrow terminal, and leaves a long word whole', () => {
    const status = serviceStatus('web', { state: 'backoff', respawnAt: BEGAN + 90_000, crashes: 1 });
    const { answer } = why([UP, ...life(0, 1), ...crash(200, 1, 1)], { statuses: new Map([['web', status]]) });
    const lines = whyLines(answer, { colours: false, columns: 50, now: BEGAN + 60_000 });
    assert.ok(lines.length > 10);
    for (const line of lines) assert.ok(displayWidth(line) <= 50, line);
  });

  it('says nothing by colour alone, and without colours holds no control sequence', () => {
    const { answer } = why([UP, ...life(0, 1), ...crash(200, 1, 1)]);
    const style = { columns: 80, now: BEGAN + 60_000 };
    const plain = whyLines(answer, { ...style, colours: false }).join('\n');
    assert.equal(stripVTControlCharacters(whyLines(answer, { ...style, colours: true }).join('\n')), plain);
    assert.ok(!plain.includes('\u001b'));
  });

  it('of a task tells its run, its attempts and how it ended', () => {
    const lines: Line[] = [
      [0, 'requested', { verb: 'start', names: ['lint'], by: TERMINAL }],
      [1, 'run_started', { run: 'r1', tasks: ['build', 'lint'] }],
      [2, 'task_started', { run: 'r1', name: 'build' }],
      [
        500,
        'task_retried',
        { run: 'r1', name: 'build', attempt: 2, attempts: 2, detail: 'attempt 2 of 2: exit code 1' },
      ],
      [
        900,
        'task_finished',
        { run: 'r1', name: 'build', state: 'failed', exitCode: 1, durationMs: 898, detail: 'exit code 1' },
      ],
      [
        901,
        'task_finished',
        { run: 'r1', name: 'lint', state: 'blocked', exitCode: null, durationMs: 0, detail: 'build ended as failed' },
      ],
    ];
    const build = why(lines, {}, { configuration: TASKS, name: 'build' });
    assert.match(build.answer.headline, /^build has failed, 59s ago: exit code 1, after 898ms$/);
    assert.deepEqual(build.chain, [
      '`coppice start` from terminal pid 812',
      'run r1 began',
      'started',
      'attempt 2 of 2, after exit code 1',
      'failed: exit code 1, after 898ms',
    ]);
    const lint = why(lines, {}, { configuration: TASKS, name: 'lint' });
    assert.match(lint.answer.headline, /^lint is blocked, 59s ago: build ended as failed$/);
    assert.deepEqual(
      lint.answer.because.map((one) => one.name),
      ['build'],
    );
  });

  it('of a command of exec tells its program and whose terminal was gone, never its words', () => {
    const name = 'exec-abc';
    const { answer, chain } = why(
      [
        [0, 'exec_started', { name, pid: 5, program: 'node', session: 'exec-of-812', client: 812 }],
        [900, 'exec_stopping', { name, reason: 'terminal_gone' }],
        [950, 'exec_ended', { name, code: null, signal: 'SIGTERM', runDurationMs: 950 }],
      ],
      {},
      { name },
    );
    assert.equal(answer.kind, 'exec');
    assert.deepEqual(chain, [
      'node started, pid 5, for terminal pid 812',
      'was stopped, as the terminal that asked for it was gone, and ended with SIGTERM after 950ms',
    ]);
    assert.match(answer.headline, /^exec-abc ended with SIGTERM after 950ms, 59s ago$/);
  });
});
