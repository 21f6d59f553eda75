/** `npm run bench`: the limits of speed, each beside the same work done bare in the same run. */
import { removeTemporaryFolders } from '../support/temporary.ts';
import { benchAdoption } from './adoption.ts';
import { benchCommand } from './command.ts';
import { benchDoctor } from './doctor.ts';
import { benchFifty } from './fifty.ts';
import { benchIdle } from './idle.ts';
import { printTable, type Row } from './measure.ts';
import { benchOutput } from './output.ts';
import { benchRespawn } from './respawn.ts';

const parts: readonly [string, () => Promise<Row | Row[]>][] = [
  ['command', benchCommand],
  ['respawn', benchRespawn],
  ['fifty', benchFifty],
  ['adoption', benchAdoption],
  ['output', benchOutput],
  ['doctor', benchDoctor],
  ['idle', benchIdle],
];

const wanted = process.argv.slice(2);
const rows: Row[] = [];
for (const [name, part] of parts) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stderr.write(`${name} ...\n`);
  rows.push(...[await part()].flat());
}
removeTemporaryFolders();
printTable(rows);
