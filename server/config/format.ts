/** The words of a finding, the same in a terminal and in an editor. */
import type { ConfigDiagnostic } from './model.ts';

/** The message with what to write instead. */
export function diagnosticText({ code, message, suggestion }: ConfigDiagnostic): string {
  if (suggestion === null) return message;
  const isAddition = code === 'shell-syntax' || code === 'placeholder';
  return `${message} (${isAddition ? 'try' : 'did you mean'} \`${suggestion}\`${isAddition ? '' : '?'})`;
}

/** `file:line:column: error: message`, then the line of the file and a caret below the place. */
export function formatDiagnostic(diagnostic: ConfigDiagnostic): string {
  const { file, line, column, severity } = diagnostic;
  const heading = withoutControls(`${file}:${line}:${column}: ${severity}: ${diagnosticText(diagnostic)}`);
  const excerpt = excerptOf(diagnostic);
  return excerpt === null ? heading : `${heading}\n${excerpt}`;
}

const WIDEST_EXCERPT = 110;

function excerptOf({ sourceLine, column, length }: ConfigDiagnostic): string | null {
  if (sourceLine === null || sourceLine.trim() === '') return null;
  // A long line is shown from a little before the place.
  const from = column > WIDEST_EXCERPT - 20 ? column - 40 : 0;
  const shown = sourceLine.slice(from, from + WIDEST_EXCERPT);
  const before = shown.slice(0, column - 1 - from);
  const marked = Math.max(1, Math.min(length, shown.length - before.length));
  return `  ${withoutControls(shown)}\n  ${paddingFor(before)}^${'~'.repeat(marked - 1)}`;
}

/** White space as wide as the text: tabs stay tabs, and East Asian wide characters take two columns. */
function paddingFor(text: string): string {
  return text.replace(/[^\t]/g, (character) => (WIDE.test(character) ? '  ' : ' '));
}

const WIDE = /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/;

/** A file must not be able to steer the terminal that shows it. */
function withoutControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0008\u000A-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g, '\u00B7');
}
