/** The only place that signals a process. Whom it signals was verified by start time the moment before. */
import { bootId, isValidPid, judge, liveness, sameProcess } from './identity.ts';
import { platform } from './platform/index.ts';
import type { ProcessIdentity, TreeIdentity } from './types.ts';

/**
 * `delivered`: the kernel took it. `gone`: nothing to signal (a zombie counts). `recycled`: the pid is another's now.
 * `refused`: not verifiable, or a target that is never signalled. `permission`: it lives, and is not ours to signal.
 */
export type SignalOutcome = 'delivered' | 'gone' | 'recycled' | 'refused' | 'permission';

/**
 * Sends a signal to exactly this process, or to nobody. Never throws. `parentToo`: also to the parent of this one, which
 * is otherwise the caller's shell or terminal by some mistake.
 */
export function signalProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  { parentToo = false }: { readonly parentToo?: boolean } = {},
): SignalOutcome {
  const { pid } = identity;
  if (!isValidPid(pid) || pid === 1 || pid === process.pid) return 'refused';
  if (pid === process.ppid && !parentToo) return 'refused';
  const state = liveness(identity);
  switch (state) {
    case 'alive':
      return send(pid, signal);
    case 'zombie':
    case 'gone':
      return 'gone';
    case 'recycled':
      return 'recycled';
    case 'unknown':
      return 'refused';
    default:
      return unreachable(state);
  }
}

/**
 * Sends a signal to the whole group of a tree. The number of a group is not reused while any process is in it, so one
 * verified process that is in it now (the leader, also as a zombie, or a witness) proves whose it is; without such a
 * proof nobody is signalled. Never throws.
 */
export function signalGroup(
  tree: Pick<TreeIdentity, 'leader' | 'group' | 'session'>,
  signal: NodeJS.Signals,
  witnesses: readonly ProcessIdentity[] = [],
): SignalOutcome {
  const { group, session } = tree;
  if (!isValidPid(group) || group === 1 || process.platform === 'win32') return 'refused';
  const own = platform.observe(process.pid);
  if (own.kind !== 'present' || own.row.group === group) return 'refused';
  let outcome: SignalOutcome = 'gone';
  for (const candidate of [tree.leader, ...witnesses.filter((witness) => !sameProcess(witness, tree.leader))]) {
    if (!isValidPid(candidate.pid)) continue;
    const seen = platform.observe(candidate.pid);
    const state = judge(candidate, seen, bootId());
    if (state === 'recycled' && outcome === 'gone') outcome = 'recycled';
    if (state === 'unknown') outcome = 'refused';
    if ((state !== 'alive' && state !== 'zombie') || seen.kind !== 'present') continue;
    // Where the session cannot be read (macOS) the row holds 0.
    const sameSession = seen.row.session === session || seen.row.session === 0;
    if (seen.row.group === group && sameSession) return send(-group, signal);
  }
  return outcome;
}

/** Ends this process as the kernel's memory killer would; for failure points. Does not return. */
export function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
}

function send(target: number, signal: NodeJS.Signals): SignalOutcome {
  try {
    process.kill(target, signal);
    return 'delivered';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ESRCH') return 'gone';
    if (code === 'EPERM') return 'permission';
    return 'refused';
  }
}

function unreachable(value: never): never {
  throw new Error(`unexpected liveness ${String(value)}`);
}
