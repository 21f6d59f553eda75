/**
 * Every kind of event that is written to the journal. Whoever reads it must have an answer to each, so that a new one does
 * not compile before `cli/journalWords.ts` has words for it and `cli/why/story.ts` knows what it is the cause of.
 */
export const JOURNAL_EVENTS = [
  'supervisor_started',
  'supervisor_stopping',
  'supervisor_stopped',
  'supervisor_fault',
  'guardian_lost',
  'lock_lost',
  'lock_reclaimed',
  'requested',
  'configuration_changed',
  'configuration_applied',
  'configuration_rejected',
  'service_waiting',
  'service_spawned',
  'spawn_failed',
  'service_ready',
  'service_stopping',
  'service_exited',
  'backoff',
  'health_warn',
  'health_recovered',
  'health_ok',
  'breaker_open',
  'service_failed',
  'breaker_reset',
  'tree_reaped',
  'environment_cleaned',
  'adopted',
  'reconciled',
  'session_over',
  'session_reaped',
  'state_set_aside',
  'journal_gap',
  'run_started',
  'task_started',
  'task_retried',
  'task_finished',
  'run_finished',
  'exec_started',
  'exec_stopping',
  'exec_ended',
] as const;

export type JournalEventName = (typeof JOURNAL_EVENTS)[number];

const KNOWN: ReadonlySet<string> = new Set(JOURNAL_EVENTS);

/** `false` for an event of another version of Coppice, which is shown as it is. */
export function isJournalEventName(name: string): name is JournalEventName {
  return KNOWN.has(name);
}
