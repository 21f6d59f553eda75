// rotate-output.mjs <path> <best|truncate>: rotates every few milliseconds until SIGTERM or its parent is gone, then
// prints how often, how often without loss, and the longest time that one held up this process.
import { rotateOutput } from '../../../server/process/output/index.ts';

const [path, method] = process.argv.slice(2);
const parent = process.ppid;
let over = false;
process.on('SIGTERM', () => {
  over = true;
});
let rotations = 0;
let lossless = 0;
while (!over && process.ppid === parent) {
  const result = await rotateOutput(path, { maxBytes: 5000, keep: 60, method });
  if (!result.ok) console.error(result.failure);
  if (result.ok && result.rotated) {
    rotations += 1;
    if (result.lossless) lossless += 1;
  }
  await new Promise((resolve) => setTimeout(resolve, 3));
}
console.log(JSON.stringify({ rotations, lossless }));
