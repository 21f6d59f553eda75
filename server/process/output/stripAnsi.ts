/**
 * `text` without what a terminal would take for a command: CSI (colours, cursor), OSC (titles, links; their address
 * goes, their text stays), the string commands DCS, SOS, PM and APC, and the short escapes.
 */
export function stripAnsi(text: string): string {
  return text.includes('\x1b') || text.includes('\x9b') ? text.replace(SEQUENCE, '') : text;
}

// A string command that is never ended stops at the end of its line, so that it cannot swallow what follows; the
// character classes exclude each other's ends, so that matching takes time in proportion to the text.
const SEQUENCE = new RegExp(
  [
    '\\x1b[\\]PX^_][^\\x07\\x1b\\x9c\\n]*(?:\\x07|\\x1b\\\\|\\x9c)?',
    '(?:\\x1b\\[|\\x9b)[0-?]*[ -/]*[@-~]?',
    '\\x1b[ -/]*[0-~]?',
  ].join('|'),
  'g',
);
