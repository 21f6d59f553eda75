import type { CommandSpec } from '../../config/model.ts';
import { describeLaunchFailure } from '../../process/describe.ts';
import { runHelper } from '../../process/launch.ts';
import { stripAnsi } from '../../process/output/index.ts';
import { resolveCommand } from '../../process/resolve.ts';
import { fillPortInCommand } from '../tree.ts';
import { ABANDONED, type ProbeContext, type ProbeResult, type Prober } from './types.ts';

/**
 * Ready when the command exits 0. It runs in the environment of the incarnation, marker included: whatever a probe
 * leaves behind is found when the tree is stopped.
 */
export function createExecProber(command: CommandSpec, context: ProbeContext): Prober {
  const filled = fillPortInCommand(command, context.port);
  return { patient: false, attempt: (signal) => attempt(filled, context, signal) };
}

async function attempt(command: CommandSpec, context: ProbeContext, signal: AbortSignal): Promise<ProbeResult> {
  const { cwd, workspaceRoot, env } = context;
  const resolved = resolveCommand(command, { cwd, workspaceRoot, env });
  if (!resolved.ok) return { ok: false, detail: describeLaunchFailure(resolved.failure) };
  const result = await runHelper(resolved.argv, { env, cwd, signal, timeoutMs: LONGEST_MS });
  const words = command.kind === 'argv' ? command.argv.join(' ') : command.script;
  if (!result.ok) {
    if (result.reason === 'aborted') return ABANDONED;
    return { ok: false, detail: `${words}: ${result.detail}` };
  }
  const how = result.signal === null ? `exit code ${result.code}` : `killed by ${result.signal}`;
  const said = lastLine(result.stderr) ?? lastLine(result.stdout);
  return { ok: result.code === 0, detail: `${words}: ${how}${said === null ? '' : ` (${said})`}` };
}

/** Only a net: whoever asks aborts long before. */
const LONGEST_MS = 10 * 60_000;
const SHOWN = 200;

function lastLine(text: string): string | null {
  const line =
    stripAnsi(text)
      .trim()
      .split(/\r?\n|\r/)
      .at(-1)
      ?.trim() ?? '';
  return line === '' ? null : line.slice(0, SHOWN);
}
