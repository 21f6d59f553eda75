import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { EDGES, type Edge } from '../../../server/service/policy/edges.ts';
import { step } from '../../../server/service/policy/policy.ts';
import type { ServiceState } from '../../../server/service/policy/state.ts';
import type { ServiceEvent } from '../../../server/service/policy/types.ts';
import { everyEvent, everySetting, everyState, INCARNATION, NOW } from './policyCases.ts';

describe('the picture of the service policy', () => {
  it('has exactly the transitions that the policy makes in every state, at every event, under every setting', () => {
    const made = new Set<string>();
    forEveryCase((state, event, next) => {
      if (next.name !== state.name || next.incarnation !== state.incarnation) {
        made.add(`${state.name} -${event.type}-> ${next.name}`);
      }
    });
    const drawn = EDGES.map(({ from, event, to }) => `${from} -${event}-> ${to}`);
    assert.deepEqual([...made].sort(), drawn.sort());
  });

  it('is drawn above the policy as the table has it', () => {
    const source = readFileSync(new URL('../../../server/service/policy/policy.ts', import.meta.url), 'utf8');
    const picture = draw(EDGES);
    assert.ok(source.includes(picture), `the comment in policy.ts should hold:\n${picture}`);
  });

  it('names no edge twice', () => {
    const keys = EDGES.map(({ from, event, to }) => `${from} ${event} ${to}`);
    assert.equal(new Set(keys).size, keys.length);
  });

  it('is left unchanged, without any action, by events of another incarnation', () => {
    for (const settings of everySetting) {
      for (const state of everyState()) {
        for (const event of everyEvent(INCARNATION - 1)) {
          if (!('incarnation' in event) || event.type === 'adopted') continue;
          assert.deepEqual(
            step(state, event, NOW, settings, () => 0),
            { state, actions: [] },
          );
        }
      }
    }
  });
});

function forEveryCase(look: (state: ServiceState, event: ServiceEvent, next: ServiceState) => void): void {
  for (const settings of everySetting) {
    for (const state of everyState()) {
      for (const event of everyEvent(INCARNATION)) {
        look(state, event, step(state, event, NOW, settings, () => 0.5).state);
      }
    }
  }
}

/** One box a state, one arrow an edge. */
function draw(edges: readonly Edge[]): string {
  const lines: string[] = [];
  for (const from of new Set(edges.map((one) => one.from))) {
    lines.push(`┌${'─'.repeat(11)}┐`);
    edges
      .filter((one) => one.from === from)
      .forEach(({ event, to, when }, index) => {
        const box = `│ ${(index === 0 ? from : '').padEnd(9)} ├`;
        const arrow = `─ ${event} `.padEnd(21, '─');
        lines.push(`${box}${arrow}► ${to.padEnd(11)}${when}`.trimEnd());
      });
    lines.push(`└${'─'.repeat(11)}┘`);
  }
  return lines.join('\n');
}
