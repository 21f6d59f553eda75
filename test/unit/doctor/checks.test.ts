import assert from 'node:assert/strict';
import { checkEnvironment } from '../../../server/doctor/environment.ts';
import { checkHeartbeat } from '../../../server/doctor/heartbeat.ts';
import { checkPorts } from '../../../server/doctor/ports.ts';
import { checkProcesses } from '../../../server/doctor/processes.ts';
import { checkEscaped, checkOrphans } from '../../../server/doctor/strays.ts';
import { checkSupervisors } from '../../../server/doctor/supervisors.ts';
import { beat, earlierLook, facts, lock, marked, NOW, supervisor, treeFacts } from '../../support/doctorFacts.ts';

describe('the doctor on supervisors', () => {
  it('names the one holder, its host and its limits (R107)', () => {
    const { section, findings } = checkSupervisors(
      facts({ lock: lock(), holder: 'alive', supervisors: [supervisor(500)] }),
    );
    assert.equal(section.count, 1);
    assert.deepEqual(section.limits, { maxHeapMb: 512 });
    assert.match(findings[0]?.message ?? '', /pid 500 on host .* heap limit 512 MB/);
    assert.equal(findings[0]?.level, 'info');
  });

  it('counts a second one, and calls it an error', () => {
    const { section, findings } = checkSupervisors(
      facts({ lock: lock(), holder: 'alive', supervisors: [supervisor(500), supervisor(600)] }),
    );
    assert.equal(section.count, 2);
    assert.deepEqual(section.others, [600]);
    assert.ok(findings.some((one) => one.level === 'error' && one.message.includes('600')));
  });

  it('tells a lock whose holder has died from no lock at all (R118)', () => {
    const stale = checkSupervisors(facts({ lock: lock(), holder: 'dead' }));
    assert.equal(stale.section.count, 0);
    assert.equal(stale.section.holder?.state, 'dead');
    assert.equal(stale.findings[0]?.level, 'warn');
    const none = checkSupervisors(facts());
    assert.equal(none.section.holder, null);
    assert.equal(none.findings[0]?.level, 'info');
  });
});

describe('the doctor on the heartbeat', () => {
  const alive = { lock: lock(), holder: 'alive' } as const;
  const stale = beat({ at: NOW - 600_000 });
  const cases = [
    ['fresh', facts({ ...alive, heartbeat: beat() })],
    ['late', facts({ ...alive, heartbeat: beat({ at: NOW - 60_000 }) })],
    ['suspect', facts({ ...alive, heartbeat: stale, firstLook: earlierLook(stale) })],
    ['dead', facts({ lock: lock(), holder: 'dead', heartbeat: beat() })],
    ['none', facts()],
    ['none', facts({ lock: lock({ startedAt: NOW - 1000 }), holder: 'alive', heartbeat: beat({ pid: 499 }) })],
  ] as const;
  for (const [verdict, given] of cases) {
    it(`finds it ${verdict}${given.heartbeat.kind !== 'heartbeat' ? '' : `, ${(NOW - given.heartbeat.heartbeat.at) / 1000} s after the last beat of ${given.heartbeat.heartbeat.pid}`}`, () => {
      assert.equal(checkHeartbeat(given).section.verdict, verdict);
    });
  }

  it('takes a fresh beat of a dead holder for no sign of life', () => {
    const given = facts({ lock: lock(), holder: 'dead', heartbeat: beat({ at: NOW }) });
    assert.equal(checkHeartbeat(given).section.verdict, 'dead');
  });
});

describe('the doctor on processes', () => {
  it('lists dead leaders (R118)', () => {
    const trees = [
      treeFacts('web', 10, 'alive', [10, 11]),
      treeFacts('db', 20, 'gone', []),
      treeFacts('api', 30, 'recycled', []),
    ];
    const { section } = checkProcesses(facts({ lock: lock(), holder: 'alive', trees }));
    assert.deepEqual(
      section.processes.map((one) => [one.name, one.pid, one.status]),
      [
        ['web', 10, 'running'],
        ['db', 20, 'ended'],
        ['api', 30, 'recycled'],
      ],
    );
    assert.deepEqual(section.deadProcesses, [20, 30]);
  });

  it('calls it an error when a tree lives on without its leader and without a supervisor', () => {
    const { findings } = checkProcesses(facts({ trees: [treeFacts('web', 10, 'gone', [11])] }));
    assert.equal(findings[0]?.level, 'error');
    assert.match(findings[0]?.message ?? '', /pid 11 of its tree live on/);
  });

  it('warns of what runs without a supervisor', () => {
    const { findings } = checkProcesses(facts({ trees: [treeFacts('web', 10, 'alive', [10])] }));
    assert.equal(findings[0]?.level, 'warn');
  });
});

describe('the doctor on strays', () => {
  const trees = [treeFacts('web', 10, 'alive', [10, 11])];

  it('finds a marked process that no recorded tree owns', () => {
    const { section, findings } = checkOrphans(facts({ trees, marked: [marked(10, 'web'), marked(99, 'old')] }));
    assert.deepEqual(
      section.map((one) => one.pid),
      [99],
    );
    assert.equal(findings[0]?.level, 'error');
  });

  it('finds a member that left its session, and leaves its keeper alone', () => {
    const all = [marked(10, 'web'), marked(11, 'web', 11), marked(9, 'web', 9)];
    assert.deepEqual(
      checkEscaped(facts({ trees, marked: all })).section.map((one) => one.pid),
      [11],
    );
  });

  it('does not say of a child that lived for an instant that it has left its session', () => {
    const trees = [treeFacts('web', 10, 'alive', [10, 11])].map((one) => ({
      ...one,
      members: one.members.map((member) => ({ ...member, evidence: 'keeper' as const })),
    }));
    const [tree] = trees;
    assert.ok(tree);
    assert.deepEqual(checkEscaped(facts({ trees, marked: [marked(10, 'web')] })).section, []);
    const escaped = [{ ...tree, abroad: new Set([11]) }];
    assert.deepEqual(
      checkEscaped(facts({ trees: escaped, marked: [marked(10, 'web')] })).section.map((one) => one.pid),
      [11],
    );
  });

  it('does not tell anybody to kill what the supervisor runs when the registry was removed', () => {
    const all = [marked(10, 'web'), marked(11, 'web', 10), marked(20, 'exec-1'), marked(99, 'old')];
    const answer = { kind: 'answered', afterMs: 1, leaders: [10], names: ['exec-1'] } as const;
    const { section } = checkOrphans(facts({ holder: 'alive', answer, marked: all }));
    assert.deepEqual(
      section.map((one) => one.pid),
      [99],
    );
  });
});

describe('the doctor on ports', () => {
  const owner = {
    port: 5173,
    address: '127.0.0.1',
    uid: 0,
    listening: true,
    command: 'node',
    since: null,
    marker: null,
  };

  it('knows a port that the tree itself holds from one that somebody else has taken', () => {
    const trees = [treeFacts('web', 10, 'alive', [10])];
    const port = (pid: number) => ({
      port: 5173,
      name: 'web',
      owner: { ...owner, pid },
      ours: pid === 10,
      words: `pid ${pid}`,
    });
    assert.equal(checkPorts(facts({ trees, ports: [port(10)] })).section[0]?.status, 'held');
    const taken = checkPorts(facts({ trees, ports: [port(77)] }));
    assert.equal(taken.section[0]?.status, 'taken');
    assert.match(taken.findings[0]?.message ?? '', /port 5173 of web is held by pid 77/);
  });
});

describe('the doctor on the environment', () => {
  it('is clean when a name was preserved (R119)', () => {
    const { section } = checkEnvironment(
      facts({ environment: { stripped: ['VSCODE_PID'], preserved: ['CLAUDE_CODE_GIT_BASH_PATH'], leaked: [] } }),
    );
    assert.deepEqual(section, { clean: true, stripped: ['VSCODE_PID'], preserved: ['CLAUDE_CODE_GIT_BASH_PATH'] });
  });

  it('is not clean when a child was given a host marker', () => {
    const leaked = [{ name: 'web', variables: ['CLAUDECODE'] }];
    assert.equal(
      checkEnvironment(facts({ environment: { stripped: [], preserved: [], leaked } })).section.clean,
      false,
    );
  });
});
