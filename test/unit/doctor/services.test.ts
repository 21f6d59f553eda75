import assert from 'node:assert/strict';
import { analyse } from '../../../server/config/reader.ts';
import { checkBudgets } from '../../../server/doctor/budgets.ts';
import { checkConfiguration } from '../../../server/doctor/configuration.ts';
import type { AddressInUse, DoctorFacts } from '../../../server/doctor/facts.ts';
import { findAddressInUse } from '../../../server/doctor/gather/symptoms.ts';
import { checkServices } from '../../../server/doctor/services.ts';
import { emptyAccounting } from '../../../server/service/restartCore.ts';
import type { JournalEvent } from '../../../server/store/types.ts';
import { facts, NOW } from '../../support/doctorFacts.ts';

const configured = (services: unknown) => analyse(JSON.stringify({ services }), '/tmp/coppice.json', '/tmp');

function event(name: string, kind: string, fields: Record<string, unknown>, age = 1000): JournalEvent {
  return { seq: 1, at: NOW - age, supervisor: 1, event: kind, name, ...fields };
}

const ended = (code: number, runDurationMs: number, likelyCause = 'clean_exit'): JournalEvent =>
  event('web', 'service_exited', { code, signal: null, runDurationMs, likelyCause });

describe('the doctor on services that end as soon as their input does', () => {
  const cases: readonly [string, Record<string, unknown>, JournalEvent, boolean][] = [
    ['always restarted', { restart: 'always' }, ended(0, 300), true],
    ['with a readiness probe', { ready: { log: 'x' } }, ended(0, 300), true],
    ['a known watcher', { command: ['esbuild', '--watch', 'a.ts'] }, ended(0, 300), true],
    ['a command that does its work', {}, ended(0, 300), false],
    ['with its input held open', { restart: 'always', stdin: 'hold' }, ended(0, 300), false],
    ['that is to run once', { restart: 'no', ready: { log: 'x' } }, ended(0, 300), false],
    ['that ran for a while', { restart: 'always' }, ended(0, 60_000), false],
    ['that failed', { restart: 'always' }, ended(1, 300, 'runtime_error'), false],
    ['that was asked to stop', { restart: 'always' }, ended(0, 300, 'requested_stop'), false],
  ];
  for (const [what, change, last, wanted] of cases) {
    it(`${wanted ? 'suggests' : 'does not suggest'} to hold the input of one ${what}`, () => {
      const config = configured({ web: { command: ['x'], ...change } });
      const said = checkServices(facts({ config, symptoms: { events: [last], addressInUse: [] } }));
      assert.equal(
        said.some((one) => one.fix?.includes('stdin: hold') === true),
        wanted,
      );
    });
  }
});

describe('the doctor on restart loops', () => {
  const round = (age: number) => [
    event('web', 'service_spawned', {}, age),
    { ...ended(1, 10, 'runtime_error'), at: NOW - age },
  ];
  const loops = (events: readonly JournalEvent[]): number =>
    checkServices(facts({ symptoms: { events, addressInUse: [] } })).length;

  it('tells of one that was started five times within five minutes', () => {
    assert.equal(loops([60, 50, 40, 30, 20].flatMap((age) => round(age * 1000))), 1);
  });

  it('says nothing of four starts, of old ones, or of those before a reset', () => {
    const five = [60, 50, 40, 30, 20].flatMap((age) => round(age * 1000));
    assert.equal(loops(five.slice(2)), 0);
    assert.equal(loops([900, 800, 700, 600, 500].flatMap((age) => round(age * 1000))), 0);
    assert.equal(loops([...five, event('web', 'breaker_reset', {})]), 0);
  });
});

describe('the doctor on addresses in use', () => {
  const cases: readonly [readonly string[], number | null][] = [
    [['Error: listen EADDRINUSE: address already in use :::3000', '    at Server'], 3000],
    [['Error: listen EADDRINUSE: address already in use 127.0.0.1:8080'], 8080],
    [['Error: listen EADDRINUSE', '  port: 4000'], 4000],
    [['Port 5173 is in use, trying another one...'], 5173],
    [['Error: Port 5173 is already in use'], 5173],
    [['OSError: [Errno 98] Address already in use'], null],
    [['[Errno 48] error while attempting to bind on address (127.0.0.1, 8000): address already in use'], null],
    [['panic: listen tcp :9090: bind: address already in use'], 9090],
  ];
  for (const [lines, port] of cases) {
    it(`finds ${port ?? 'no port'} in: ${lines[0]}`, () => assert.equal(findAddressInUse(lines)?.port, port));
  }

  it('takes no other line for one', () => {
    assert.equal(findAddressInUse(['listening on port 3000', 'the address is in use by nobody']), null);
  });

  const words: readonly [Partial<AddressInUse>, string][] = [
    [{ port: 3000, holder: 'pid 7 (node)' }, 'error'],
    [{ port: 3000, holder: null }, 'warn'],
    [{ port: null, holder: null }, 'warn'],
  ];
  for (const [change, level] of words) {
    it(`is an ${level} when ${change.holder == null ? 'nobody is known to hold it' : 'it is held now'} (${change.port})`, () => {
      const one: AddressInUse = { name: 'web', line: 'EADDRINUSE', port: null, holder: null, ...change };
      assert.equal(checkServices(facts({ symptoms: { events: [], addressInUse: [one] } }))[0]?.level, level);
    });
  }
});

describe('the doctor on budgets', () => {
  const recorded = (change: object, more: object = {}): DoctorFacts['services'] => ({
    web: {
      version: 1,
      incarnation: 9,
      restarts: 8,
      lastExit: null,
      accounting: { ...emptyAccounting(), ...change },
      wanted: true,
      keepable: true,
      rest: 'stopped',
      failure: null,
      ...more,
    },
  });
  const now = (count: number, age = 1000): number[] => Array.from({ length: count }, () => NOW - age);
  const cases: readonly [string, DoctorFacts['services'], readonly string[], string | undefined][] = [
    ['nothing used', recorded({}), [], undefined],
    ['five crashes in a row', recorded({ crashes: 5, lastCrashAt: NOW - 1000 }), ['crashes 5 of 8'], undefined],
    ['six of eight', recorded({ crashes: 6, lastCrashAt: NOW - 1000 }), ['crashes 6 of 8'], 'warn'],
    ['crashes of an hour ago', recorded({ crashes: 7, lastCrashAt: NOW - 3_600_000 }), [], undefined],
    ['nine slow crashes', recorded({ slow: now(9) }), ['slow 9 of 10'], 'warn'],
    ['slow crashes of yesterday', recorded({ slow: now(9, 86_400_000) }), [], undefined],
    ['three drains', recorded({ drains: now(3) }), ['drains 3 of 3'], 'warn'],
    ['two wedges', recorded({ wedges: now(2) }), ['wedges 2 of 3'], undefined],
    ['ten clean exits', recorded({ clean: now(10) }), ['clean 10 of 10'], undefined],
    ['eleven clean exits', recorded({ clean: now(11) }), ['clean 11 of 10'], 'warn'],
    ['a record that is torn', { web: { version: 1 } }, [], 'warn'],
  ];
  for (const [what, services, wanted, level] of cases) {
    it(`counts ${what} as the policy does (R115)`, () => {
      const { section, findings } = checkBudgets(facts({ services }));
      assert.deepEqual(
        [section.map((one) => `${one.budget} ${one.used} of ${one.limit}`), findings[0]?.level],
        [wanted, level],
      );
    });
  }

  it('takes the limits of the configuration where there are any', () => {
    const config = configured({ web: { command: ['x'], restart: { crashes: { count: 3 } } } });
    const { section } = checkBudgets(facts({ config, services: recorded({ crashes: 2, lastCrashAt: NOW - 1 }) }));
    assert.equal(section[0]?.limit, 3);
  });

  it('takes the limits that were in force while the file is being mended', () => {
    const before = configured({ web: { command: ['x'], restart: { crashes: { count: 3 } } } });
    assert.ok(before.ok);
    const given = { config: configured({ web: { comand: 'x' } }), configured: before.config.services };
    const { section } = checkBudgets(facts({ ...given, services: recorded({ crashes: 2, lastCrashAt: NOW - 1 }) }));
    assert.equal(section[0]?.limit, 3);
  });

  const failure = (why: object) => ({ rest: 'failed', failure: { why, message: null, confirmed: 0, survivors: 0 } });
  it('calls a spent budget an error, and names the way out', () => {
    const services = recorded({}, failure({ reason: 'crashes', count: 8, windowMs: 300_000 }));
    const [finding] = checkBudgets(facts({ services })).findings;
    assert.equal(finding?.level, 'error');
    assert.match(finding?.fix ?? '', /coppice reset web/);
  });

  it('does not call a service spent that is simply not restarted', () => {
    const [finding] = checkBudgets(facts({ services: recorded({}, failure({ reason: 'not_restarted' })) })).findings;
    assert.equal(finding?.level, 'warn');
    assert.match(finding?.fix ?? '', /coppice start web/);
  });
});

describe('the doctor on the configuration', () => {
  it('says where it is wrong, and what that means while a supervisor runs and while none does', () => {
    const config = configured({ web: { comand: 'x' } });
    const find = (holder: 'alive' | null) =>
      checkConfiguration(facts({ config, holder })).find((one) => one.message.includes('comand'));
    const fixOf = (holder: 'alive' | null) => checkConfiguration(facts({ config, holder })).at(-1)?.fix ?? '';
    assert.match(find('alive')?.message ?? '', /^\/tmp\/coppice\.json:1:\d+: unknown key .*comand/);
    assert.match(fixOf('alive'), /coppice reload/);
    assert.match(fixOf(null), /starts nothing until/);
  });

  it('shows the first ten of many errors, how many there are besides, and once what to do', () => {
    const services = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`s${index}`, { comand: 'x' }]));
    const found = checkConfiguration(facts({ config: configured(services), holder: null }));
    assert.deepEqual(
      [found.length, found.at(-1)?.message, found.filter((one) => one.fix !== null).length],
      [11, 'and 150 more errors', 1],
    );
  });

  it('never shows the line itself, which may hold a secret', () => {
    const config = configured({ web: { command: ['x'], env: { TOKEN: 'hush' }, nonsense: 1 } });
    assert.ok(checkConfiguration(facts({ config })).every((one) => !one.message.includes('hush')));
  });
});
