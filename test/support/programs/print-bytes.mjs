// Prints `print-bytes.mjs <count>` bytes as fast as it can: blocks of 64 KiB that each begin with their number.
import { writeSync } from 'node:fs';

let left = Number(process.argv[2]);
const block = Buffer.alloc(65_536, 'abcdefghijklmnopqrstuvwxyz\n');
for (let number = 0; left > 0; number += 1) {
  block.write(`${String(number).padStart(15)}\n`, 0);
  let done = 0;
  const length = Math.min(block.length, left);
  while (done < length) done += writeSync(1, block, done, length - done);
  left -= length;
}
