import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Drill, runDrill } from '../../../server/doctor/drill/drill.ts';
import { drillEscapees } from '../../../server/doctor/drill/escapees.ts';
import { fails, holds, untested } from '../../../server/doctor/drill/types.ts';

describe('the drill', () => {
  const roots: string[] = [];
  const options = () => ({
    command: [process.execPath, '-e', '0'] as [string, ...string[]],
    environment: process.env,
    signal: new AbortController().signal,
  });
  const drill = (run: Drill['run']): Drill => ({
    what: 'trying',
    run: (stage) => {
      roots.push(stage.root);
      return run(stage);
    },
  });

  it('is not well when one guarantee does not hold, and goes on with the others', async () => {
    const report = await runDrill(options(), [
      drill(async function* () {
        yield holds('a', '');
        yield fails('b', 'why');
      }),
      drill(async function* () {
        yield untested('c', '');
      }),
    ]);
    assert.deepEqual(
      [report.ok, report.guarantees.map((one) => [one.guarantee, one.verdict])],
      [
        false,
        [
          ['a', 'holds'],
          ['b', 'does_not_hold'],
          ['c', 'cannot_be_tested'],
        ],
      ],
    );
  });

  it('is well when nothing is broken, also where something cannot be tested', async () => {
    const report = await runDrill(options(), [
      drill(async function* () {
        yield holds('a', '');
        yield untested('b', '');
      }),
    ]);
    assert.deepEqual([report.ok, report.leftovers], [true, []]);
  });

  it('says what cannot be tested where a program is missing, and does not call that broken', async () => {
    const environment = { ...process.env, PATH: '/nowhere' };
    const report = await runDrill({ ...options(), environment }, [drill(drillEscapees)]);
    assert.deepEqual([report.ok, report.guarantees.map((one) => one.verdict)], [true, ['cannot_be_tested']]);
  });

  it('calls a drill that failed itself one that does not hold, and removes its folder all the same', async () => {
    const report = await runDrill(options(), [
      // biome-ignore lint/correctness/useYield: it fails before it has found anything out
      drill(async function* () {
        throw new Error('no such thing');
      }),
    ]);
    assert.match(report.guarantees[0]?.why ?? '', /no such thing/);
    assert.deepEqual(
      roots.filter((root) => existsSync(dirname(root))),
      [],
    );
  });
});
