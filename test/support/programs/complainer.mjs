// Stands for the supervisor: says something on stderr, waits for a word on disk, complains again, and proves on disk
// that it lived on. Usage: complainer.mjs <gate file> <proof file>
import { existsSync, writeFileSync } from 'node:fs';

process.stderr.on('error', () => {});
process.stderr.write(`hello from ${process.pid} ${process.execArgv.join(' ')}\n`);
const timer = setInterval(() => {
  if (!existsSync(process.argv[2])) return;
  clearInterval(timer);
  for (let round = 0; round < 200; round++) process.stderr.write('x'.repeat(1024));
  setTimeout(() => writeFileSync(process.argv[3], `alive ${process.pid}\n`), 20);
}, 10);
