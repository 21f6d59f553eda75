import assert from 'node:assert/strict';
import { judgeSilence, type Silence } from '../../../server/cli/silence.ts';

/** Looks every five seconds; gives what was said, with when. */
function watch(beats: readonly (string | null)[]): string[] {
  let silence: Silence = { beat: null, since: 0, told: false };
  return beats.flatMap((beat, index) => {
    const step = judgeSilence(silence, beat, index * 5_000);
    silence = step.silence;
    return step.say === null ? [] : [`${step.say} at ${index * 5}s`];
  });
}

describe('the silence of a supervisor', () => {
  it('is none as long as a beat comes every now and then', () => {
    assert.deepEqual(watch(Array.from({ length: 100 }, (_, index) => `1 ${Math.floor(index / 8)}`)), []);
  });

  it('is told once, 45 s after the last beat, and once when it is over', () => {
    const beats = [...Array.from({ length: 30 }, () => '1 a'), '1 b', '1 c'];
    assert.deepEqual(watch(beats), ['silent at 45s', 'back at 150s']);
  });

  it('is none of a successor, whose beats are its own', () => {
    assert.deepEqual(watch(['1 a', '1 a', null, null, null, null, null, null, null, null, '2 a', '2 a']), []);
  });

  it('is nothing that a heartbeat which cannot be read would prove', () => {
    assert.deepEqual(watch(Array.from({ length: 50 }, () => null)), []);
  });
});
