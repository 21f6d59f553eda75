/** `npm run check`: the rules of the house that neither the type checker nor the linter knows. */
import { join } from 'node:path';
import { checkFileSize } from './fileSize.ts';
import { checkLayering } from './layering.ts';
import { type Finding, readSources } from './source.ts';
import { checkSpawning } from './spawning.ts';
import { checkWriting } from './writing.ts';

const root = join(import.meta.dirname, '../..');
const product = readSources(root, ['extension', 'server']);
const everything = [...product, ...readSources(root, ['test'])];

const results: readonly { readonly name: string; readonly files: number; readonly findings: readonly Finding[] }[] = [
  { name: 'layering', files: product.length, findings: checkLayering(product) },
  { name: 'spawning', files: product.length, findings: checkSpawning(product) },
  { name: 'writing', files: product.length, findings: checkWriting(product) },
  { name: 'file size', files: everything.length, findings: checkFileSize(everything) },
];

for (const { name, files, findings } of results) {
  console.log(`${name}: ${files} files, ${findings.length === 0 ? 'nothing found' : `${findings.length} found`}`);
  for (const { path, line, message } of findings) console.log(`  ${path}:${line} ${message}`);
}
if (results.some(({ findings }) => findings.length > 0)) process.exitCode = 1;
