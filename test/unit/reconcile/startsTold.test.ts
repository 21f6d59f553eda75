import assert from 'node:assert/strict';
import { untoldOf } from '../../../server/reconcile/startsTold.ts';
import type { JournalEvent } from '../../../server/store/types.ts';
import { NOW, treeFacts } from '../../support/doctorFacts.ts';

/** Started a minute before `NOW`, as pid 500 with start time 88. */
const { record } = treeFacts('web', 500, 'alive', []);

function event(name: string, ago: number, fields: object = {}): JournalEvent {
  return { ...fields, seq: 1, at: NOW - ago, supervisor: 1, event: name };
}

describe('the start of a service that goes on under a successor', () => {
  const cases: readonly [string, readonly JournalEvent[], number][] = [
    ['is told when the journal reaches back beyond it and does not have it', [event('supervisor_started', 90_000)], 1],
    [
      'is not told again when the journal has it',
      [event('supervisor_started', 90_000), event('service_spawned', 59_000, { pid: 500, startTime: '88' })],
      0,
    ],
    [
      'is not told again when an earlier successor took it over',
      [event('supervisor_started', 90_000), event('adopted', 30_000, { pid: 500, startTime: '88' })],
      0,
    ],
    [
      'is told when the same pid was another process',
      [event('supervisor_started', 90_000), event('service_spawned', 80_000, { pid: 500, startTime: '12' })],
      1,
    ],
    ['is not told when the journal begins after it', [event('supervisor_started', 30_000)], 0],
    ['is not told when the journal is lost', [], 0],
  ];
  for (const [title, events, count] of cases) it(title, () => assert.equal(untoldOf([record], events).length, count));
});
