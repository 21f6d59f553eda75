// Appends numbered lines to standard output until its parent is gone or it gets SIGTERM, then prints how many.
//   print-lines.mjs <milliseconds between bursts> <lines in a burst>
// A line is `<number>:<filling>\n`, one write a line.
import { writeSync } from 'node:fs';

const [pause, burst] = process.argv.slice(2).map(Number);
const parent = process.ppid;
let number = 0;
let over = false;
process.on('SIGTERM', () => {
  over = true;
});

function print() {
  for (let line = 0; line < burst && !over; line += 1) {
    writeSync(1, `${number}:${'x'.repeat(number % 97)}\n`);
    number += 1;
  }
  if (over || process.ppid !== parent) {
    writeSync(1, `total ${number}\n`);
    process.exit(0);
  }
  setTimeout(print, pause);
}
print();
