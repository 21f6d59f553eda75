/** A command that waits for long notices that its supervisor is stopped or stuck, by the heartbeat alone. */
import type { ResilientClient } from '../api/resilient.ts';
import { HEARTBEAT_PERIOD_MS, readHeartbeat } from '../store/heartbeat.ts';
import { formatDuration } from '../text/units.ts';

/** Three beats in a row that did not come. */
const SILENT_AFTER_MS = 3 * HEARTBEAT_PERIOD_MS;

export interface Silence {
  /** The beat that was seen last: who, and when by his clock; `null`: none yet. */
  readonly beat: string | null;
  /** When it was seen first, by a clock that stands still while the machine sleeps. */
  readonly since: number;
  readonly told: boolean;
}

export type SilenceStep = { readonly silence: Silence; readonly say: 'silent' | 'back' | null };

/** Pure. `beat` is `null` where there is nothing to go by: a heartbeat that cannot be read or written proves nothing. */
export function judgeSilence(silence: Silence, beat: string | null, now: number): SilenceStep {
  if (beat === null || beat !== silence.beat)
    return { silence: { beat, since: now, told: false }, say: silence.told && beat !== null ? 'back' : null };
  if (silence.told || now - silence.since < SILENT_AFTER_MS) return { silence, say: null };
  return { silence: { ...silence, told: true }, say: 'silent' };
}

/** Says once that the supervisor is silent, and once that it is back. Returns what ends it; holds no process open. */
export function watchSilence(client: ResilientClient, say: (text: string) => void): () => void {
  let silence: Silence = { beat: null, since: performance.now(), told: false };
  const look = (): void => {
    const { pid, workspace } = client.hello;
    const reading = client.searching ? null : readHeartbeat(workspace.stateDir);
    const heartbeat = reading?.kind === 'heartbeat' && reading.heartbeat.pid === pid ? reading.heartbeat : null;
    const now = performance.now();
    const step = judgeSilence(silence, heartbeat === null ? null : `${pid} ${heartbeat.at}`, now);
    const waited = formatDuration(now - silence.since);
    silence = step.silence;
    if (step.say === 'silent')
      say(
        `The supervisor (pid ${pid}) has given no sign of life for ${waited}: it may be stopped or stuck. What it runs goes on; \`coppice doctor\` looks at it.`,
      );
    if (step.say === 'back') say(`The supervisor (pid ${pid}) is at work again.`);
  };
  const timer = setInterval(look, HEARTBEAT_PERIOD_MS / 3);
  timer.unref();
  return () => clearInterval(timer);
}
