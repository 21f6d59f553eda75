/** The help texts: the short one of `coppice`, and one a verb. */
import { GLOBAL_OPTIONS } from './options.ts';
import type { Terminal } from './terminal.ts';
import type { OptionSpec, VerbSpec } from './verb.ts';
import type { VerbEntry } from './verbs.ts';

export function generalHelp(verbs: readonly VerbEntry[], terminal: Terminal): string {
  const width = Math.max(...verbs.map((verb) => verb.name.length));
  const list = verbs.map((verb) => `  ${terminal.paint('bold', verb.name.padEnd(width))}  ${verb.summary}`);
  return [
    'Coppice runs the processes of a workspace, and proves that what it stopped is gone.',
    '',
    'Usage: coppice <verb> [options]',
    '',
    ...list,
    '',
    'A first time in a folder: `coppice init` writes coppice.yaml, `coppice up` brings it up.',
    '`coppice <verb> --help` explains a verb. --cwd <dir> and --json go with every verb; --version shows the version.',
    '',
  ].join('\n');
}

export function verbHelp(verb: VerbSpec, terminal: Terminal): string {
  const lines = [`Usage: coppice ${verb.name} ${verb.usage}`.trimEnd(), '', ...wrap(verb.description, 96), ''];
  lines.push(terminal.paint('bold', 'Options'), ...optionLines([...verb.options, ...GLOBAL_OPTIONS]), '');
  lines.push(terminal.paint('bold', verb.examples.length === 1 ? 'Example' : 'Examples'));
  for (const { command, effect } of verb.examples) lines.push(`  ${command}`, `      ${effect}`);
  lines.push('');
  return lines.join('\n');
}

function optionLines(options: readonly OptionSpec[]): string[] {
  const faces = options.map((one) => {
    const short = one.short === undefined ? '    ' : `-${one.short}, `;
    return `${short}--${one.long}${one.value === undefined ? '' : ` <${one.value}>`}`;
  });
  const width = Math.max(...faces.map((face) => face.length));
  return options.flatMap((one, index) => {
    const [first = '', ...rest] = wrap(one.description, 96 - width - 4);
    const face = faces[index] ?? '';
    return [`  ${face.padEnd(width)}  ${first}`, ...rest.map((line) => `  ${' '.repeat(width)}  ${line}`)];
  });
}

/** Paragraphs are kept, words are not split. */
function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else {
        line = line === '' ? word : `${line} ${word}`;
      }
    }
    return [...lines, line];
  });
}
