/** Moments for people. Pure; no clock is asked, and none is taken to be steady. */
import { formatDuration } from '../text/units.ts';

/** `14:03:22`, with the day where it is not that of `now`. A number that is no moment is shown as none. */
export function timeWord(at: number, now: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '--:--:--';
  const two = (number: number): string => String(number).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (new Date(now).toDateString() === date.toDateString()) return time;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** `12m ago`; `null` for a moment that has not come, as after a clock was set back. */
export function agoWord(at: number, now: number): string | null {
  const passed = now - at;
  if (!Number.isFinite(passed) || passed < 0) return null;
  return passed < 1000 ? 'just now' : `${formatDuration(passed)} ago`;
}

/** `since 14:03:22 (12m)`. */
export function sinceWord(at: number, now: number): string {
  const passed = now - at;
  const span = Number.isFinite(passed) && passed >= 1000 ? ` (${formatDuration(passed)})` : '';
  return `since ${timeWord(at, now)}${span}`;
}

/** `at 14:03:22 (in 12s)`. */
export function dueWord(at: number, now: number): string {
  const left = at - now;
  const span = Number.isFinite(left) && left > 0 ? `in ${formatDuration(left)}` : 'due now';
  return `at ${timeWord(at, now)} (${span})`;
}
