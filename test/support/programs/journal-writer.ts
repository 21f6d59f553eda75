/** Appends events to the journal of the state directory in argv[2] as fast as it can, and prints the number of each. */
import { writeSync } from 'node:fs';
import { openJournal } from '../../../server/store/journal.ts';

const journal = openJournal(process.argv[2] ?? '', { maxBytes: 20_000 });
for (;;) {
  const { seq } = journal.append('x', { text: 'ü'.repeat(Math.floor(Math.random() * 200)) });
  writeSync(1, `${seq}\n`);
}
