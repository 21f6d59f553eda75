import { basename } from 'node:path';
import type { DoctorFacts } from './facts.ts';
import { listed, quotes } from './say.ts';
import type { Finding } from './types.ts';

/** What lies about in the state directory: evidence, leftovers, and what others could read or write. */
export function checkState({ state, holder }: DoctorFacts): Finding[] {
  const findings: Finding[] = [];
  const say = (level: Finding['level'], message: string, fix: string | null): void => {
    findings.push({ check: 'state', level, message, fix });
  };
  const tidies = `the next supervisor removes them, and so does ${quotes('coppice doctor --fix')}`;
  const held = holder === 'alive' || holder === 'elsewhere';
  if (state.aside.length > 0) {
    const message = `set aside because they could not be understood: ${listed(state.aside)}`;
    say('info', message, 'look into them for what was lost; nothing uses them, so they may be removed');
  }
  if (state.foreign.length > 0) {
    const message = `files of other users in the state directory: ${listed(state.foreign)}`;
    say(
      'error',
      message,
      `was a command run with ${quotes('sudo')}? Remove them, or give them to this user with ${quotes('chown')}`,
    );
  }
  if (state.open.length > 0) {
    const message = `other users may change ${listed(state.open)}`;
    say('warn', message, `${quotes('coppice doctor --fix')} takes that right away`);
  }
  if (state.journalTorn && !held) {
    const message = 'the last line of the journal has no end: its writer was killed, or the disk was full';
    say(
      'info',
      message,
      `what is written next begins a line of its own; ${quotes('coppice doctor --fix')} ends the torn one`,
    );
  }
  if (state.journalSkipped > 0) {
    const lines = state.journalSkipped === 1 ? '1 line' : `${state.journalSkipped} lines`;
    say('info', `${lines} of the newest in the journal cannot be understood; all others are read`, null);
  }
  if (state.tornExits.length > 0) {
    const message = `exit records that cannot be understood: ${listed(state.tornExits.map((path) => basename(path)))}`;
    say('warn', message, 'how those processes ended is not known');
  }
  if (state.tornRuns.length > 0) {
    say(
      'warn',
      `runs that cannot be understood: ${listed(state.tornRuns)}`,
      'what they had done is not known; run them again',
    );
  }
  const abandoned = state.abandoned.filter((path) => !path.includes('supervisor.lock.'));
  if (abandoned.length > 0) say('info', `half-written files of processes that are gone: ${listed(abandoned)}`, tidies);
  if (state.sockets.length > 0) {
    const message = `sockets of earlier supervisors: ${listed(state.sockets)}`;
    say('info', message, held ? 'the next supervisor removes them' : tidies);
  }
  if (state.forgottenExits.length > 0 && !held) {
    const count = state.forgottenExits.length;
    say('info', `${count} exit ${count === 1 ? 'record belongs' : 'records belong'} to nothing on record`, tidies);
  }
  return findings;
}
