import { dirname, isAbsolute } from 'node:path';
import type { DoctorFacts } from '../../doctor/facts.ts';
import type { FixOutcome } from '../../doctor/fix/types.ts';
import type { DoctorReport } from '../../doctor/types.ts';
import { describeWorkspaceFailure, planEndpoint, resolveWorkspace, type Workspace } from '../../store/paths.ts';
import type { Context } from '../verb.ts';
import { askSupervisor } from './ask.ts';

export type Examined =
  | { readonly ok: true; readonly report: DoctorReport; readonly fixes: readonly FixOutcome[] | null }
  | { readonly ok: false; readonly detail: string };

/** Looks, mends if asked to, and looks again. */
export async function examine(context: Context, mend: boolean): Promise<Examined> {
  const [{ gatherFacts }, { diagnose }] = await Promise.all([
    import('../../doctor/gather.ts'),
    import('../../doctor/doctor.ts'),
  ]);
  const { environment } = context;
  const fixes: FixOutcome[] = [];
  const subject = (await unreachable(context)) ?? (await mendAndFind(context, mend ? fixes : null));
  if (!subject.ok) return subject;
  const { workspace, refused } = subject;
  const gather = (): Promise<DoctorFacts> =>
    gatherFacts(workspace, { environment, ask: askSupervisor, ...(refused === null ? {} : { refused }) });
  let facts = await gather();
  if (mend && refused === null && workspace.id !== '') {
    const { applyFixes } = await import('../../doctor/fix/fix.ts');
    fixes.push(...(await applyFixes(facts, workspace, { environment, gather })));
  }
  if (fixes.length > 0) facts = await gather();
  return { ok: true, report: diagnose(facts), fixes: mend ? fixes : null };
}

type Subject =
  | { readonly ok: true; readonly workspace: Workspace; readonly refused: string | null }
  | { readonly ok: false; readonly detail: string };

async function mendAndFind(context: Context, fixes: FixOutcome[] | null): Promise<Subject> {
  fixes?.push(...(await closeFolders(context)));
  return subjectOf(context);
}

/** A folder on a dead mount must not be touched, not even to find out whose workspace it is. */
async function unreachable({ cwd, environment }: Context): Promise<Subject | null> {
  const { silentPaths } = await import('../../doctor/gather.ts');
  const { COPPICE_STATE_HOME, XDG_STATE_HOME, HOME } = environment;
  const home = [COPPICE_STATE_HOME, XDG_STATE_HOME, HOME].find((one) => one !== undefined && isAbsolute(one)) ?? cwd;
  if ((await silentPaths([cwd, home])).length === 0) return null;
  return { ok: true, workspace: { id: '', root: cwd, folder: '', stateDir: home, findings: [] }, refused: null };
}

/** A workspace whose state directory is refused is looked at as well, from the outside. */
function subjectOf({ cwd, cwdGiven, environment }: Context): Subject {
  const resolved = resolveWorkspace(cwd, { exact: cwdGiven, environment });
  if (resolved.ok) return { ok: true, workspace: resolved.workspace, refused: null };
  const detail = describeWorkspaceFailure(resolved.failure);
  if (resolved.failure.reason !== 'state_dir_refused') return { ok: false, detail };
  const { stateDir } = resolved.failure;
  return { ok: true, workspace: { id: '', root: cwd, folder: '', stateDir, findings: [] }, refused: detail };
}

/** The folders that are refused because others can look into them; with them as they are nothing else can be done. */
async function closeFolders({ cwd, cwdGiven, environment }: Context): Promise<FixOutcome[]> {
  const { closeFolder } = await import('../../doctor/fix/permissions.ts');
  const outcomes: (FixOutcome | null)[] = [];
  const resolved = resolveWorkspace(cwd, { exact: cwdGiven, environment });
  if (!resolved.ok && resolved.failure.reason === 'state_dir_refused') {
    outcomes.push(closeFolder(resolved.failure.stateDir, 'state'));
  }
  const planned = planEndpoint('0'.repeat(16), { environment });
  const folder = planned.ok ? dirname(planned.endpoint.path) : planned.failure.folder;
  outcomes.push(closeFolder(folder, 'workspace'));
  return outcomes.filter((one) => one !== null);
}
