import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventLine, eventPaint, eventWords } from '../../../server/cli/journalWords.ts';
import { explain } from '../../../server/cli/why/explain.ts';
import { whyLines } from '../../../server/cli/why/render.ts';
import { isJournalEventName, JOURNAL_EVENTS } from '../../../server/store/journalEvents.ts';
import type { JournalEvent } from '../../../server/store/types.ts';
import { BEGAN, factsOf } from '../../support/journals.ts';
import { Seeded } from '../service/simulation/seeded.ts';

const FIELDS = `name pid startTime incarnation reason detail message text code signal exitCode runDurationMs likelyCause
  crashes limit ms startupMs bytes limitBytes failures failuresAllowed used budget windowMs confirmed survivors killed
  durationMs stopSignal stopTimeoutMs verb names session by why trees removed added changed retuned fields verdict key
  run tasks state from to dropped aside kind path on blockedBy first findings ok host fault outputOffset ports`.split(
  /\s+/,
);

/** What a foreign hand, another version or a half written line could leave in a field. */
const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1e300,
  0.5,
  '',
  'web',
  'crash',
  'stop',
  'wedged',
  'SIGTERM',
  '\u001b[31mred\u0007',
  'a\nb',
  [],
  ['web'],
  [null, 1, {}],
  [{ name: 'web', fields: ['command'] }],
  {},
  { kind: 'cli', pid: 1, session: 'x' },
  { toString: 1, valueOf: 2 },
  { kind: {}, pid: [], session: 5 },
  'x'.repeat(1000),
];

describe('words for the journal', () => {
  for (const name of JOURNAL_EVENTS) {
    it(`${name} has words, also without any field`, () => {
      const words = eventWords({ seq: 1, at: BEGAN, supervisor: 7, event: name });
      assert.match(words, /\S/);
      assert.doesNotMatch(words, /undefined|NaN|\[object/);
      assert.notEqual(words, name);
    });
  }

  it('every event that is written anywhere in the server has words', () => {
    const server = join(import.meta.dirname, '../../../server');
    const files = readdirSync(server, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const written = files.flatMap((file) => {
      const text = readFileSync(join(server, file), 'utf8');
      return [...text.matchAll(/journal(?:\.append)?\(\s*'(?<event>\w+)'/g)].map(({ groups }) => groups?.event ?? '');
    });
    assert.ok(written.length > 20);
    assert.deepEqual(
      written.filter((event) => !isJournalEventName(event)),
      [],
    );
  });

  it('an event of another version is shown with its fields, as they are', () => {
    const event = { seq: 1, at: BEGAN, supervisor: 7, event: 'moon_rose', name: 'web', phase: 'full', height: 3 };
    assert.equal(eventWords(event), 'moon_rose phase=full height=3');
  });

  it('no event, whatever its fields hold, breaks a line or an answer, or moves the cursor', function () {
    this.timeout(20_000);
    const { next: random } = new Seeded(20260131);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    for (let round = 0; round < 3_000; round += 1) {
      const events = Array.from({ length: 12 }, (_, index): JournalEvent => {
        const fields = Array.from({ length: 6 }, () => [pick(FIELDS), pick(VALUES)]);
        const at = random() < 0.1 ? Number(pick([1e300, -5, 0])) : BEGAN + index * 1000;
        const event = random() < 0.1 ? 'moon_rose' : pick(JOURNAL_EVENTS);
        const name = random() < 0.8 ? { name: 'web' } : {};
        return { ...name, ...Object.fromEntries(fields), seq: index + 1, at, supervisor: pick([700, 701]), event };
      });
      for (const event of events) {
        eventPaint(event);
        assert.doesNotMatch(eventLine(event, BEGAN), CONTROL);
      }
      const facts = factsOf('services: { web: { command: sleep 1 } }', { events, supervisor: { kind: 'none' } });
      const answer = explain('web', facts, { limit: 5 });
      for (const line of whyLines(answer, { colours: false, columns: 80, now: facts.now })) {
        assert.doesNotMatch(line, CONTROL);
        assert.doesNotMatch(line, /undefined|NaN|\[object/);
      }
      const ids = new Set(answer.chain.map((one) => one.id));
      for (const { causedBy } of answer.chain) assert.ok(causedBy === null || ids.has(causedBy));
    }
  });
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;
