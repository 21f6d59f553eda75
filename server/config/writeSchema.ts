/** `node server/config/writeSchema.ts <file>` writes the JSON Schema of the configuration. */
import { writeFileSync } from 'node:fs';
import { jsonSchema } from './schema.ts';

/** Formatted as the formatter of this project does it, so that the file which is checked in stays as it is written. */
export function schemaText(): string {
  return `${written(jsonSchema(), '')}\n`;
}

const WIDEST_LINE = 120;

function written(value: unknown, indentation: string, before = 0): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indentation}  `;
  if (Array.isArray(value)) {
    const items = value.map((item) => written(item, inner));
    const oneLine = `[${items.join(', ')}]`;
    const fits = before + oneLine.length + 1 <= WIDEST_LINE;
    if (fits && !oneLine.includes('\n')) return oneLine;
    return `[\n${items.map((item) => `${inner}${item}`).join(',\n')}\n${indentation}]`;
  }
  const pairs = Object.entries(value).map(([key, item]) => {
    const start = `${inner}${JSON.stringify(key)}: `;
    return `${start}${written(item, inner, start.length)}`;
  });
  return pairs.length === 0 ? '{}' : `{\n${pairs.join(',\n')}\n${indentation}}`;
}

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  if (file === undefined) {
    process.stderr.write('usage: writeSchema.ts <file>\n');
    process.exitCode = 64;
  } else {
    writeFileSync(file, schemaText());
  }
}
