import assert from 'node:assert/strict';
import type { DoctorFacts, GuardianFacts, LockFileFacts, SupervisorAnswer } from '../../../server/doctor/facts.ts';
import { checkGuardian } from '../../../server/doctor/guardian.ts';
import { checkHeartbeat } from '../../../server/doctor/heartbeat.ts';
import { checkLock } from '../../../server/doctor/lock.ts';
import { servedFolder, supervisorRoot } from '../../../server/doctor/supervisorProcess.ts';
import { checkSupervisors } from '../../../server/doctor/supervisors.ts';
import { untilSecondRound } from '../../../server/doctor/suspicion.ts';
import { beat, earlierLook, facts, lock, NOW, STEADY, supervisor } from '../../support/doctorFacts.ts';

const held = (change: Partial<DoctorFacts> = {}): DoctorFacts =>
  facts({ lock: lock(), holder: 'alive', supervisors: [supervisor(500)], ...change });

describe('the doctor on the state of the holder', () => {
  const silent: SupervisorAnswer = { kind: 'silent', afterMs: 800 };
  const deaf: SupervisorAnswer = { kind: 'not_listening', detail: 'ENOENT' };
  const cases: readonly [string, DoctorFacts, string, string][] = [
    ['one that answers', held({ answer: { kind: 'answered', afterMs: 2, leaders: [], names: [] } }), 'alive', 'info'],
    ['one that a signal has stopped', held({ supervisors: [supervisor(500, true)] }), 'stopped', 'error'],
    ['one that listens and says nothing', held({ answer: silent }), 'wedged', 'error'],
    ['one that does not listen', held({ answer: deaf }), 'wedged', 'error'],
    ['one that has just been started', held({ answer: deaf, lock: lock({ startedAt: NOW - 900 }) }), 'alive', 'info'],
    ['one that has died', held({ holder: 'dead', supervisors: [] }), 'dead', 'warn'],
    ['one on another machine', held({ holder: 'elsewhere', supervisors: [] }), 'elsewhere', 'warn'],
    ['one that cannot be told', held({ holder: 'unknown', supervisors: [] }), 'unknown', 'warn'],
  ];
  for (const [what, given, state, level] of cases) {
    it(`calls ${what} ${state}`, () => {
      const { section, findings } = checkSupervisors(given);
      assert.deepEqual([section.holder?.state, findings[0]?.level], [state, level]);
    });
  }

  it('says how to wake a stopped one, and that after a SIGKILL a successor comes', () => {
    const { findings } = checkSupervisors(held({ supervisors: [supervisor(500, true)] }));
    assert.match(findings[0]?.fix ?? '', /kill -CONT 500.*kill -KILL 500.*successor/);
  });
});

describe('the doctor on the lock', () => {
  const lockFile = (change: Partial<LockFileFacts>): LockFileFacts => ({
    kind: 'lock',
    detail: null,
    foreignUser: null,
    ...change,
  });
  const cases: readonly [string, DoctorFacts, string | null][] = [
    ['a whole one of its own user', held(), null],
    ['none, and no supervisor', facts(), null],
    ['none, and a supervisor that runs', facts({ supervisors: [supervisor(500)] }), 'warn: the lock is gone'],
    [
      'a torn one',
      facts({ lockFile: lockFile({ kind: 'corrupt', detail: '3 characters' }) }),
      'warn: .*no lock: 3 char',
    ],
    ['one that cannot be read', facts({ lockFile: lockFile({ kind: 'unreadable' }) }), 'error: .*cannot be read'],
    ['one of another user', held({ lockFile: lockFile({ foreignUser: 1001 }) }), 'warn: .*uid 1001, who has'],
  ];
  for (const [what, given, wanted] of cases) {
    it(`${wanted === null ? 'has nothing to say of' : 'tells of'} ${what}`, () => {
      const said = checkLock(given).map((one) => `${one.level}: ${one.message}`);
      if (wanted === null) assert.deepEqual(said, []);
      else assert.match(said[0] ?? '', new RegExp(wanted));
    });
  }
});

describe('the doctor on heartbeats that are not as they should be', () => {
  const cases: readonly [string, string, DoctorFacts][] = [
    ['is missing', 'missing', held()],
    ['is of another process', 'foreign', held({ heartbeat: beat({ pid: 499 }) })],
    ['is of an earlier process with this pid', 'foreign', held({ heartbeat: beat({ startTime: '1' }) })],
    ['is from the future', 'future', held({ heartbeat: beat({ at: NOW + 60_000 }) })],
    ['is torn', 'corrupt', held({ heartbeat: { kind: 'corrupt', detail: 'x' } })],
    ['is of another machine and not there', 'none', held({ holder: 'elsewhere' })],
    ['is not there yet, as the supervisor is young', 'none', held({ lock: lock({ startedAt: NOW - 100 }) })],
  ];
  for (const [what, verdict, given] of cases) {
    it(`calls one that ${what} ${verdict}`, () => assert.equal(checkHeartbeat(given).section.verdict, verdict));
  }

  const old = beat({ at: NOW - 600_000 });
  const stale = { heartbeat: old, firstLook: earlierLook(old) };
  const levels: readonly [string, string, Partial<DoctorFacts>][] = [
    ['an error, when the machine never slept', 'error', {}],
    ['a warning, when the machine has slept as long', 'warn', { suspendedMs: 590_000 }],
    ['an error, when it slept for less than that', 'error', { suspendedMs: 100_000 }],
    [
      'a warning, when the supervisor answers',
      'warn',
      { answer: { kind: 'answered', afterMs: 1, leaders: [], names: [] } },
    ],
  ];
  for (const [words, level, change] of levels) {
    it(`makes of two stale rounds ${words} (R85, R87)`, () => {
      const { section, findings } = checkHeartbeat(held({ ...stale, ...change }));
      assert.deepEqual([section.verdict, findings[0]?.level], ['suspect', level]);
    });
  }

  it('forgives no sleep to a beat whose own clock stood still in it (a laptop that ever slept had no wedged supervisor)', () => {
    const silent = beat({ at: NOW - 600_000, clock: { bootId: 'boot', steady: STEADY - 600_000, now: 0 } });
    const given = held({ heartbeat: silent, firstLook: earlierLook(silent), suspendedMs: 28_800_000 });
    assert.equal(checkHeartbeat(given).findings[0]?.level, 'error');
  });

  const unconfirmed: readonly [string, Partial<DoctorFacts>][] = [
    ['one stale round alone', { firstLook: null }],
    ['a beat that was another one in the round before', { firstLook: earlierLook(beat({ at: NOW - 700_000 })) }],
    ['two rounds in the same moment', { firstLook: earlierLook(old, 20) }],
    ['two rounds between which the machine slept', { firstLook: earlierLook(old, 600, 3_600_000) }],
    ['a round before that was not stale', { firstLook: earlierLook(old, 400_000) }],
  ];
  for (const [what, change] of unconfirmed) {
    it(`makes no suspect of ${what} (R85, R87)`, () => {
      const { section, findings } = checkHeartbeat(held({ ...stale, ...change }));
      assert.deepEqual([section.verdict, findings[0]?.level], ['late', 'warn']);
    });
  }

  it('looks a second time only at what the first round found stale, half a second later', () => {
    assert.equal(untilSecondRound(earlierLook(old, 0), STEADY), 500);
    assert.equal(untilSecondRound(earlierLook(old, 400), STEADY), 100);
    assert.equal(untilSecondRound(earlierLook(old, 900), STEADY), 0);
    assert.equal(untilSecondRound(earlierLook(beat(), 0), STEADY), 0);
  });

  it('says what to do about a suspect', () => {
    assert.match(checkHeartbeat(held(stale)).findings[0]?.fix ?? '', /kill -CONT 500.*kill -KILL 500/);
  });
});

describe('the doctor on the guardian', () => {
  type Recorded = Extract<GuardianFacts, { kind: 'recorded' }>;
  const guardian = (change: Partial<Recorded> = {}): GuardianFacts => ({
    kind: 'recorded',
    identity: { pid: 600, startTime: '1', bootId: 'boot' },
    guarded: 500,
    liveness: 'alive',
    stopped: false,
    weightBytes: 8192,
    gaveUp: null,
    losses: 0,
    ...change,
  });
  const dead = { holder: 'dead', supervisors: [] } as const;
  const cases: readonly [string, DoctorFacts, string, string | undefined][] = [
    ['none on record', held(), 'none', undefined],
    ['one that watches', held({ guardian: guardian() }), 'watching', 'info'],
    ['one that is stopped', held({ guardian: guardian({ stopped: true }) }), 'stopped', 'warn'],
    ['one stopped without a supervisor', held({ ...dead, guardian: guardian({ stopped: true }) }), 'stopped', 'error'],
    ['one that has ended', held({ guardian: guardian({ liveness: 'gone' }) }), 'gone', 'warn'],
    ['one that has ended as well', held({ ...dead, guardian: guardian({ liveness: 'recycled' }) }), 'gone', 'warn'],
    [
      'one left by a supervisor that went in order',
      facts({ guardian: guardian({ liveness: 'gone' }) }),
      'gone',
      undefined,
    ],
    ['one that gave up', held({ ...dead, guardian: guardian({ identity: null, gaveUp: 'why' }) }), 'gave_up', 'error'],
    ['a system without any', held({ guardian: guardian({ identity: null }) }), 'none', 'warn'],
    ['a record that is torn', held({ guardian: { kind: 'unreadable', path: '/g', detail: 'x' } }), 'unknown', 'warn'],
  ];
  for (const [what, given, status, level] of cases) {
    it(`calls ${what} ${status}${level === undefined ? ', and says nothing' : `, as ${level}`}`, () => {
      const { section, findings } = checkGuardian(given);
      assert.deepEqual([section.status, findings[0]?.level], [status, level]);
    });
  }
});

describe('whether a command line is a supervisor of a workspace', () => {
  const roots: readonly [string, string | null][] = [
    ['/usr/bin/node --max-old-space-size=512 /x/dist/supervisor.cjs --root /w', '/w'],
    ['/usr/bin/node /x/dist/supervisor.cjs --root /w --successor 2', '/w'],
    ['node /x/server/main.ts --root /w', '/w'],
    ['/usr/bin/node /x/dist/supervisor.cjs', null],
    ['vim /x/dist/supervisor.cjs --root /w', null],
    ['/usr/bin/node other.js /x/dist/supervisor.cjs --root /w', null],
    ['sh -c node /x/dist/supervisor.cjs --root /w', null],
  ];
  for (const [line, root] of roots) {
    it(`${line}: ${root ?? 'no'}`, () => assert.equal(supervisorRoot(line.split(' ')), root));
  }
  const served: readonly [string, string | null][] = [
    ['node /x/dist/coppice.cjs serve', ''],
    ['node /usr/bin/coppice --cwd /w serve', '/w'],
    ['node /usr/bin/coppice serve --cwd=/w', '/w'],
    ['node /usr/bin/coppice serve --cwd w', 'w'],
    ['node /usr/bin/coppice ps', null],
    ['node /usr/bin/coppice exec -- serve', null],
    ['less coppice serve', null],
  ];
  for (const [line, folder] of served) {
    it(`${line}: ${folder === '' ? 'where it works' : (folder ?? 'no')}`, () =>
      assert.equal(servedFolder(line.split(' ')), folder));
  }
});
