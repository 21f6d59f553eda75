/** What each event of a chain is in plain words. Pure; every field may be missing or be something else. */
import { formatBytes, formatDuration } from '../../text/units.ts';
import type { JournalFields } from '../journalFields.ts';
import { count } from '../proof.ts';

/** `started, pid 900 (incarnation 3)`. */
export function spawnedText(fields: JournalFields): string {
  const pid = fields.number('pid');
  const incarnation = fields.number('incarnation');
  const which = incarnation === null || incarnation === 1 ? '' : ` (incarnation ${incarnation})`;
  return `${pid === null ? 'started' : `started, pid ${pid}`}${which}`;
}

export function readyText(fields: JournalFields): string {
  const after = fields.number('startupMs');
  return after === null ? 'ready' : `ready after ${formatDuration(after)}`;
}

/** `` `coppice stop` from terminal pid 812 (session x)``. */
export function requesterText(fields: JournalFields, ended: boolean): string {
  const verb = fields.text('verb') ?? 'a request';
  const by = fields.object('by');
  const session = by?.text('session') ?? null;
  const pid = by?.number('pid') ?? null;
  // An `up` in the foreground names its session after itself, which says nothing more.
  const isOwn = session?.startsWith(`up-${pid}-`) ?? true;
  const suffix = isOwn ? '' : ` (session ${session})`;
  const process = pid === null ? '' : ` pid ${pid}`;
  switch (by?.text('kind') ?? null) {
    case 'cli':
      // An `up` in the foreground takes down what it brought up when it is interrupted.
      if (ended) return `the end of \`coppice up\` in terminal${process}${suffix}`;
      return `\`coppice ${verb}\` from terminal${process}${suffix}`;
    case 'editor':
      return `${verb} from the editor${process}${suffix}`;
    case 'agent':
      return `${verb} from an agent${process}${suffix}`;
    default:
      return `${verb} from a client${process}${suffix}`;
  }
}

export function configurationText(fields: JournalFields, name: string): string {
  for (const list of ['changed', 'retuned']) {
    const entry = fields.objects(list).find((one) => one.text('name') === name);
    if (entry === undefined) continue;
    const keys = entry.texts('fields');
    return `the configuration was changed: ${keys.length === 0 ? 'this entry' : keys.join(', ')}`;
  }
  if (fields.texts('added').includes(name)) return 'was added to the configuration';
  return 'was taken out of the configuration';
}

export function troubleText(fields: JournalFields): string {
  const detail = fields.text('detail') ?? '';
  const said = detail === '' ? '' : `: ${detail}`;
  switch (fields.text('reason')) {
    case 'liveness_failed': {
      const allowed = fields.number('failuresAllowed');
      return `liveness probe failed${allowed === null ? '' : ` (${allowed} failures in a row end it)`}${said}`;
    }
    case 'wedged': {
      const failures = fields.number('failures');
      if (failures === null) return `stopped answering${said}`;
      const last = detail.replace(/^\d+ liveness probes failed in a row: /, '');
      return `liveness probe failed ${count(failures, 'time')} in a row${last === '' ? '' : `, at last: ${last}`}`;
    }
    case 'memory_warn':
    case 'memory_drain': {
      const bytes = fields.number('bytes');
      const limit = fields.number('limitBytes');
      if (bytes === null) return `memory${said}`;
      const level = fields.text('reason') === 'memory_warn' ? 'memory.warn' : 'memory.max';
      const over = limit === null ? 'over its limit' : `over ${level} of ${formatBytes(limit)}`;
      return `its processes use ${formatBytes(bytes)} of memory, ${over}`;
    }
    case 'readiness_timeout':
      return `was not ready in time${said}`;
    case 'clean_restart_budget_exceeded':
      return detail === '' ? 'ends with exit code 0 again and again' : detail;
    default:
      return `warning: ${fields.text('reason') ?? '?'}${said}`;
  }
}

/** What was done about it, by the reason of `service_stopping`. */
export function stoppingText(reason: string | null): string {
  switch (reason) {
    case 'stop':
      return 'was stopped';
    case 'restart':
      return 'was stopped to be started again';
    case 'idle':
      return 'was stopped, as it was idle';
    case 'memory_drain':
      return 'was stopped, so that its memory is given back';
    case 'wedged':
      return 'was stopped, as it did not answer';
    case 'readiness_timeout':
      return 'was stopped, as it was not ready in time';
    case 'terminal_gone':
      return 'was stopped, as the terminal that asked for it was gone';
    case 'taken_over':
      return 'was stopped, as its lost supervisor had begun to';
    default:
      return 'was asked to end';
  }
}

/** `exit code 1`, `SIGKILL`. */
export function exitWords(fields: JournalFields): string {
  const signal = fields.text('signal');
  if (signal !== null) return signal;
  const code = fields.number('code') ?? fields.number('exitCode');
  return code === null ? 'an end that nobody saw' : `exit code ${code}`;
}

/** `asked`: it was stopped, so that how it ended is no news of its own. */
export function exitText(fields: JournalFields, asked: boolean): string {
  const ran = fields.number('runDurationMs');
  const after = ran === null ? '' : ` after ${formatDuration(ran)}`;
  const words = exitWords(fields);
  if (asked) return `ended with ${words}${after}`;
  switch (fields.text('likelyCause')) {
    case 'oom_or_external_kill':
      return `was ended by ${words} from outside, or for want of memory,${after}`;
    case 'unknown':
      return fields.text('signal') === null && fields.number('code') === null
        ? `ended${after}, and nobody saw how`
        : `ended by itself with ${words}${after}`;
    default:
      return `ended by itself with ${words}${after}`;
  }
}

/** `null` where there is nothing to tell beyond the exit itself. */
export function reapedText(fields: JournalFields): string | null {
  const survivors = fields.objects('survivors');
  if (fields.count('survivors') > 0) {
    const which = survivors.map((one) => {
      const reason = one.text('reason');
      return `pid ${one.number('pid') ?? '?'}${reason === null ? '' : ` (${reason})`}`;
    });
    const number = count(fields.count('survivors'), 'process', 'processes');
    return `${number} could not be ended${which.length === 0 ? '' : `: ${which.join(', ')}`}`;
  }
  const gone = `${count(fields.count('confirmed'), 'process', 'processes')} confirmed gone`;
  if (fields.isTrue('killed')) {
    const stopSignal = fields.text('stopSignal');
    const limit = fields.number('stopTimeoutMs') ?? fields.number('durationMs');
    if (stopSignal === null) return null;
    return `did not end within ${limit === null ? 'its time' : formatDuration(limit)} of ${stopSignal} and was killed; ${gone}`;
  }
  const reason = fields.text('reason');
  return reason === null ? null : `${reason.replaceAll('_', ' ')}: ${gone}`;
}

export function backoffText(fields: JournalFields): string {
  const crashes = fields.number('crashes');
  const limit = fields.number('limit');
  const wait = fields.number('ms');
  const next =
    wait === null
      ? 'is to start again'
      : wait === 0
        ? 'starts again at once'
        : `starts again after ${formatDuration(wait)}`;
  switch (fields.text('reason')) {
    case 'clean_exit':
      return next;
    case 'clean_budget_exceeded':
      return `${next}: exits with code 0 are too many`;
    default: {
      if (crashes === null) return next;
      return `crash ${crashes}${limit === null ? '' : ` of ${limit}`} in a row: ${next}`;
    }
  }
}

export function failedText(fields: JournalFields): string {
  // What follows the first semicolon are the last exit and what was left, which the chain tells by itself.
  const text = (fields.text('text') ?? '').split('; ')[0] ?? '';
  return text === '' ? `failed (${fields.text('reason') ?? '?'})` : `failed: ${text}`;
}

export function supervisorEndText(fields: JournalFields): string {
  const pid = fields.event.supervisor;
  switch (fields.text('why')) {
    case 'asked':
      switch (fields.text('by')) {
        case 'client':
          return `the supervisor (pid ${pid}) was asked to stop everything`;
        case 'idle':
          return `the supervisor (pid ${pid}) ended: nothing ran and nobody was connected`;
        default:
          return `the supervisor (pid ${pid}) was ended by ${fields.text('by') ?? 'a request'}`;
      }
    case 'lock_lost':
      return `the supervisor (pid ${pid}) lost the lock of the workspace to another one and stopped everything`;
    case 'workspace_gone':
      return `the workspace's folder was gone, so the supervisor (pid ${pid}) stopped everything`;
    case 'cannot_serve':
      return `the supervisor (pid ${pid}) could not serve and left everything to the next one`;
    default:
      return `the supervisor (pid ${pid}) ended${fields.text('why') === null ? '' : ` (${fields.text('why')})`}`;
  }
}

/** `null`: found as it should be. `isOwn`: by the supervisor that looked after it all the time. */
export function reconciledText(fields: JournalFields, isOwn: boolean): string | null {
  const verdict = fields.text('verdict');
  if (fields.text('onSupervisorLoss') === 'stop' && (verdict === 'alive' || verdict === 'finished'))
    return 'ends with its supervisor, as `onSupervisorLoss: stop` asks for';
  switch (verdict) {
    case 'alive':
      return null;
    case 'finished':
      return isOwn ? 'had ended, which had gone unnoticed' : 'had ended while no supervisor was there';
    case 'dead':
      return isOwn ? 'was found gone, and nobody saw how it ended' : deadText(fields);
    case 'presumed_alive':
      return 'cannot be looked at from here (another machine or container) and is left alone';
    case 'unrecorded':
      return `a process of it that was on no record (pid ${fields.number('pid') ?? '?'}) was ended`;
    default:
      return `was found by a new supervisor: ${fields.text('verdict') ?? '?'}`;
  }
}

/** The last sign of life of whoever could have seen it is the evidence for when. */
function deadText(fields: JournalFields): string {
  const age = fields.object('heartbeat')?.number('ageMs') ?? null;
  const sign = age === null || age < 0 ? '' : `, ${formatDuration(age)} after the last heartbeat of the one before`;
  return `was gone when the next supervisor came${sign}, and nobody saw how it ended`;
}

/** `node started, pid 900, for session x`. */
export function commandText(fields: JournalFields): string {
  const program = fields.text('program') ?? 'the command';
  const pid = fields.number('pid');
  const session = fields.text('session');
  const client = fields.number('client');
  // Without a session of its own it has one that is named after its terminal.
  const isOfTerminal = session?.startsWith('exec-of-') ?? true;
  const whose = !isOfTerminal ? `, for session ${session}` : client === null ? '' : `, for terminal pid ${client}`;
  return `${program} started${pid === null ? '' : `, pid ${pid}`}${whose}`;
}

export function retryText(fields: JournalFields): string {
  const attempt = fields.number('attempt');
  const attempts = fields.number('attempts');
  const detail = fields.text('detail');
  const which =
    attempt === null ? 'another attempt' : `attempt ${attempt}${attempts === null ? '' : ` of ${attempts}`}`;
  // The status says the number as well.
  const why = detail?.replace(/^attempt \d+ of \d+: /, '') ?? '';
  return `${which}${why === '' ? '' : `, after ${why}`}`;
}

export function taskEndText(fields: JournalFields): string {
  const state = (fields.text('state') ?? 'ended').replaceAll('_', ' ');
  const code = fields.number('exitCode');
  const duration = fields.number('durationMs');
  const detail = fields.text('detail');
  const facts = [
    ...(detail === null ? (code === null ? [] : [`exit code ${code}`]) : [detail]),
    ...(duration === null || duration === 0 ? [] : [`after ${formatDuration(duration)}`]),
  ];
  return `${state}${facts.length === 0 ? '' : `: ${facts.join(', ')}`}`;
}

/** A failed start names every folder that it looked in; a chain says how many. */
export function launchText(message: string): string {
  return message.replace(
    / \(looked in ([^()]*)\)/,
    (_, folders: string) => ` (looked in ${count(folders.split(', ').length, 'folder')})`,
  );
}
