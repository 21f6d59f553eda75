/** Writes what was found as a configuration that people go on with. */
import { Document, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { joinWords, splitWords } from '../words.ts';
import type { Detected, DetectedEntry } from './detect.ts';

/** The text of a `coppice.yaml`, with comments, that the analyser accepts. */
export function renderConfiguration({ entries, problems }: Detected): string {
  const services = entries.filter(({ type }) => type === 'service');
  const tasks = entries.filter(({ type }) => type === 'task');
  const document = new Document({
    ...(services.length > 0 && { services: Object.fromEntries(services.map((entry) => [entry.name, written(entry)])) }),
    ...(tasks.length > 0 && { tasks: Object.fromEntries(tasks.map((entry) => [entry.name, written(entry)])) }),
  });
  const left = problems.map(({ file, message }) => `${file}: ${message}`);
  const heading = [HEADING, ...(left.length > 0 ? ['', 'Left out:', ...left.map((line) => `- ${line}`)] : [])];
  if (entries.length === 0) return `${comment([...heading, '', NOTHING_FOUND])}\n${comment([EXAMPLE])}`;
  document.commentBefore = commentText(heading);
  annotate(document, 'services', services, SERVICES);
  annotate(document, 'tasks', tasks, TASKS);
  return document.toString({ lineWidth: 0, commentString: comment });
}

const HEADING = 'What this workspace runs. `coppice up` starts the services, and runs the tasks that they depend on.';
const SERVICES = 'Run until they are stopped. `enabled: false`: only when asked for by name.';
const TASKS = 'Run to an end. With `inputs` and `outputs` a result is kept and restored.';
const NOTHING_FOUND = 'Nothing was found that could be run. An example to begin with:';
const EXAMPLE = [
  'services:',
  '  web:',
  '    command: vite --port ${port}',
  '    port: auto',
  '    ready: { http: / }',
  'tasks:',
  '  build:',
  '    command: vite build',
  '    inputs: [src/**, index.html]',
  '    outputs: [dist/**]',
].join('\n');

function written({ command, kind, port, dependsOn, enabled }: DetectedEntry): Record<string, unknown> {
  return {
    ...(kind !== 'service' && { kind }),
    ...(typeof command === 'string' ? { command, shell: true } : { command: commandText(command) }),
    ...(port !== null && { port }),
    ...(dependsOn.length > 0 && { dependsOn }),
    ...(!enabled && { enabled }),
  };
}

/** One text where it reads back as the same words without a remark; else the list. */
function commandText(words: readonly string[]): string | readonly string[] {
  const text = joinWords(words);
  const { words: back, problems } = splitWords(text);
  const isSame = back.length === words.length && back.every((word, index) => word === words[index]);
  return isSame && problems.length === 0 ? text : words;
}

function annotate(document: Document, key: string, entries: readonly DetectedEntry[], title: string): void {
  const top = pairsOf(document.contents);
  const section = top.find((pair) => pair.key.value === key);
  if (section === undefined) return;
  section.key.commentBefore = commentText([title]);
  section.key.spaceBefore = section !== top[0];
  // By name and not by place: JavaScript puts names that are numbers first.
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  for (const { key: name } of pairsOf(section.value)) {
    const entry = byName.get(name.value);
    if (entry !== undefined) name.commentBefore = commentText([`${entry.source}: ${shortened(entry.origin)}`]);
  }
}

function pairsOf(map: unknown): Pair<Scalar<string>>[] {
  return (map as YAMLMap<Scalar<string>>).items as Pair<Scalar<string>>[];
}

function shortened(text: string): string {
  const line = text.trim().split(/[\r\n]/)[0] ?? '';
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}

function commentText(lines: readonly string[]): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: YAML allows none of them, not even in a comment
  return lines.join('\n').replace(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g, ' ');
}

function comment(lines: string | readonly string[]): string {
  const text = typeof lines === 'string' ? lines : commentText(lines);
  return text.replace(/^(?=.)/gm, '# ').replace(/^$/gm, '#');
}
