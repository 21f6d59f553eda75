/** Every file that a supervisor keeps, with every step of its writing: the table that the tests of failure points go by. */
import type { FailpointStep } from '../../server/process/failpoint.ts';

/** What has a file written. `first`: a start in a workspace that never had one. `takeover`: one after a SIGKILL. */
export type Stage = 'first' | 'takeover' | 'work' | 'end';

export interface DurableFile {
  /** As rules name it. */
  readonly file: string;
  readonly steps: Partial<Readonly<Record<Stage, readonly FailpointStep[]>>>;
  /**
   * What a failure does. `refused`: no supervisor without it, and whoever asked is told the reason. `told`: the
   * supervisor goes on and the journal says so. `recovered`: also that it can be written again, which it then is.
   * `quiet`: nothing depends on it, or the next write of the same file says so.
   */
  readonly failure: 'refused' | 'told' | 'recovered' | 'quiet';
}

const REPLACED = ['open', 'write', 'rename'] as const;
const FLUSHED = ['open', 'write', 'fsync', 'rename'] as const;

export const DURABLE_FILES: readonly DurableFile[] = [
  {
    file: '.coppice/supervisor.lock',
    steps: { first: ['open', 'write', 'fsync', 'link'], takeover: ['open', 'write', 'fsync', 'rename'] },
    failure: 'refused',
  },
  // What stays names a dead holder.
  { file: '.coppice/supervisor.lock', steps: { end: ['unlink'] }, failure: 'quiet' },
  // The right to replace a stale lock. One that cannot be removed is looked at by nobody again.
  { file: '.coppice/supervisor.lock.takeover-*', steps: { takeover: ['link'] }, failure: 'refused' },
  { file: '.coppice/supervisor.lock.takeover-*', steps: { takeover: ['unlink'] }, failure: 'quiet' },
  // A contender's own copy.
  { file: '.coppice/supervisor.lock.*.tmp', steps: { first: ['unlink'], takeover: ['unlink'] }, failure: 'quiet' },
  { file: '.coppice/.gitignore', steps: { first: ['open', 'write'], takeover: ['open'] }, failure: 'quiet' },
  { file: '.coppice/workspace.json', steps: { first: FLUSHED }, failure: 'recovered' },
  { file: '.coppice/workspace.json', steps: { first: ['folder'] }, failure: 'quiet' },
  // The entries of the state directory and of the folders made with it.
  { file: 'coppice', steps: { first: ['folder'] }, failure: 'quiet' },
  { file: 'coppice/*', steps: { first: ['folder'] }, failure: 'quiet' },
  { file: 'coppice/*/workspace', steps: { first: FLUSHED }, failure: 'refused' },
  { file: 'coppice/*/workspace', steps: { first: ['folder'] }, failure: 'quiet' },
  { file: 'coppice/*/supervisor.lock', steps: { first: REPLACED, takeover: REPLACED }, failure: 'recovered' },
  { file: 'coppice/*/supervisor.lock', steps: { end: ['unlink'] }, failure: 'quiet' },
  { file: 'guardian.json', steps: { first: REPLACED, takeover: REPLACED }, failure: 'recovered' },
  {
    file: 'configuration.json',
    steps: { first: FLUSHED, takeover: FLUSHED, work: FLUSHED, end: FLUSHED },
    failure: 'recovered',
  },
  {
    file: 'configuration.json',
    steps: { first: ['folder'], takeover: ['folder'], work: ['folder'], end: ['folder'] },
    failure: 'quiet',
  },
  // Written anew with the next beat.
  { file: 'heartbeat.json', steps: { first: REPLACED, takeover: REPLACED }, failure: 'told' },
  {
    file: 'events.jsonl',
    steps: { first: ['open', 'write'], takeover: ['open', 'write'], work: ['write'], end: ['write'] },
    failure: 'recovered',
  },
  { file: 'events.jsonl', steps: { end: ['fsync'] }, failure: 'quiet' },
  {
    file: 'registry.json',
    steps: { first: FLUSHED, takeover: FLUSHED, work: FLUSHED, end: FLUSHED },
    failure: 'recovered',
  },
  {
    file: 'registry.json',
    steps: { first: ['folder'], takeover: ['folder'], work: ['folder'], end: ['folder'] },
    failure: 'quiet',
  },
  {
    file: 'registry.changes.jsonl',
    steps: { first: ['open', 'write'], takeover: ['open', 'write'], work: ['write'], end: ['write'] },
    failure: 'recovered',
  },
  // Changes that stay although the whole holds them are passed over.
  {
    file: 'registry.changes.jsonl',
    steps: { first: ['truncate'], takeover: ['truncate'], work: ['truncate'], end: ['truncate'] },
    failure: 'quiet',
  },
  { file: 'run.json', steps: { work: FLUSHED }, failure: 'recovered' },
  { file: 'run.json', steps: { work: ['folder'] }, failure: 'quiet' },
  // A line that cannot be written is written with the whole.
  { file: 'run.changes.jsonl', steps: { work: ['open', 'write', 'truncate'] }, failure: 'quiet' },
  { file: 'execs/*.json', steps: { work: REPLACED }, failure: 'recovered' },
];

export interface FailingStep {
  readonly row: DurableFile;
  readonly stage: Stage;
  readonly step: FailpointStep;
}

/** Each step of each file once, at the stage where most hangs on it. */
export function failingSteps(): FailingStep[] {
  const preferred: readonly Stage[] = ['work', 'takeover', 'first', 'end'];
  return DURABLE_FILES.flatMap((row) => {
    const stages = preferred.filter((stage) => row.steps[stage] !== undefined);
    const steps = new Set(stages.flatMap((stage) => row.steps[stage] ?? []));
    return [...steps].map((step) => {
      const stage = stages.find((one) => row.steps[one]?.includes(step)) ?? 'first';
      return { row, stage, step };
    });
  });
}
