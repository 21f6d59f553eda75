/** What children print: the file that they hold themselves, followed, looked into and rotated from outside. */
export { type FollowOptions, followOutput } from './followOutput.ts';
export { DEFAULT_ROTATION } from './limits.ts';
export { type Line, LineSplitter, visibleLines } from './lineSplitter.ts';
export {
  type OutputMark,
  type OutputRange,
  outputEnd,
  outputEndNow,
  outputExtent,
  readRange,
  readSinceOffset,
} from './readOutput.ts';
export { type RotationFailure, type RotationOptions, type RotationResult, rotateOutput } from './rotateOutput.ts';
export { stripAnsi } from './stripAnsi.ts';
export { readTail, type Tail, type TailOptions, tailLines } from './tailLines.ts';
export { type LineWait, waitForLine } from './waitForLine.ts';
