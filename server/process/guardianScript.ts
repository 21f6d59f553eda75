/** A guardian's plan as text for `platform/posix/guardian.sh`. */
import type { GuardianPlan } from './guardian.ts';

/** `null` for a plan with a NUL in it, which no shell can hold. */
export function encodeShellPlan({
  delaysMs,
  losses,
  argv,
  env,
  logPath,
  recordPath,
  recordText,
}: GuardianPlan): Buffer | null {
  // POSIX sleep(1) knows whole seconds only.
  const delays = delaysMs.map((delayMs) => Math.ceil(delayMs / 1000));
  const variables = Object.entries(env).filter(([name]) => VARIABLE.test(name));
  const text = [
    `losses=${losses}`,
    `delays=${quote(delays.join(' '))}`,
    `log=${quote(logPath)}`,
    `record=${quote(recordPath)}`,
    `before=${quote(recordText.before)}`,
    // The script ends the line itself.
    `after=${quote(recordText.after.trimEnd())}`,
    'successor() {',
    '  unset PATH',
    ...variables.map(([name, value]) => `  export ${name}=${quote(value)}`),
    `  exec ${argv.map(quote).join(' ')} "$1"`,
    '}',
    'missing() {',
    ...argv.flatMap((word, index) =>
      word.startsWith('/') ? `  [ -e ${quote(word)} ] || { echo ${index}; return; }` : [],
    ),
    '  echo null',
    '}',
  ].join('\n');
  if (text.includes('\0')) return null;
  // The blank keeps a line of a value from being taken for a word of the protocol.
  return Buffer.from(`plan\n${text.replace(/^/gm, ' ')}\nend\n`);
}

const VARIABLE = /^[A-Za-z_]\w*$/;

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
