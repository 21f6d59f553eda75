import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { liveness } from '../../server/process/identity.ts';
import { signalProcess } from '../../server/process/signal.ts';
import { closeWorkspaces, DEAF, openWorkspace, STEADY, type SupervisedWorkspace } from '../support/supervised.ts';
import { until } from '../support/until.ts';

const SERVICES = {
  web: STEADY,
  api: { ...STEADY, dependsOn: ['web'] },
  deaf: { ...DEAF, stopTimeout: '200ms' },
};
const ROUNDS = Number(process.env.ROUNDS ?? 2);
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

/** Mulberry32. */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Trial {
  readonly words: readonly string[];
  readonly code: number;
  /** Longest time from the start of the command to the kill, ms. */
  readonly withinMs: number;
  readonly check: (workspace: SupervisedWorkspace, output: string) => Promise<void> | void;
}

const spawns = (workspace: SupervisedWorkspace): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { name } of workspace.eventsNamed('service_spawned'))
    counts[String(name)] = (counts[String(name)] ?? 0) + 1;
  return counts;
};

const trials: Record<string, Trial> = {
  'up --detach': {
    words: ['up', '--detach'],
    code: 0,
    withinMs: 900,
    check: async (workspace) => {
      const { services } = await workspace.status();
      assert.deepEqual(
        services.map((one) => one.state),
        ['ready', 'ready', 'ready'],
      );
      assert.deepEqual(spawns(workspace), { web: 1, api: 1, deaf: 1 });
    },
  },
  'stop of two': {
    words: ['stop', 'deaf', 'api'],
    code: 0,
    withinMs: 500,
    check: async (workspace, output) => {
      assert.match(output, /Nothing is left: 2 trees/);
      const { services } = await workspace.status();
      assert.deepEqual(
        services.map((one) => [one.name, one.pid !== null]),
        [
          ['web', true],
          ['api', false],
          ['deaf', false],
        ],
      );
    },
  },
  'restart of two': {
    words: ['restart', 'deaf', 'web'],
    code: 0,
    withinMs: 900,
    check: async (workspace) => {
      for (const name of ['web', 'api', 'deaf']) await workspace.untilService(name, (one) => one.state === 'ready');
      const { web, deaf } = spawns(workspace);
      assert.deepEqual({ web, deaf }, { web: 2, deaf: 2 });
    },
  },
  down: {
    words: ['down'],
    code: 0,
    withinMs: 500,
    check: async (workspace, output) => {
      assert.match(output, /Nothing is left: 3 trees/);
      assert.deepEqual(workspace.marked, []);
      await until('the lock released', () => workspace.lock === null);
    },
  },
  exec: {
    words: ['exec', '--', 'sh', '-c', 'echo >> starts; echo out; sleep 0.2; exit 3'],
    code: 3,
    withinMs: 500,
    check: (workspace, output) => {
      assert.equal(readFileSync(join(workspace.root, 'starts'), 'utf8'), '\n');
      assert.equal(output, 'out\n');
    },
  },
  reload: { words: ['reload'], code: 0, withinMs: 150, check: () => {} },
};

describe(`verbs whose supervisor is killed at random moments (SEED=${seed})`, () => {
  afterEach(closeWorkspaces);
  const random = randomFrom(seed);

  for (const [what, trial] of Object.entries(trials)) {
    for (let round = 0; round < ROUNDS; round += 1) {
      const delay = Math.round(random() * trial.withinMs);
      it(`${what}, killed after ${delay} ms, does what it says, once`, async () => {
        const workspace = openWorkspace({ services: SERVICES });
        if (what === 'up --detach') await workspace.must('up', 'none-yet', '--detach').catch(() => {});
        else await workspace.up();
        const command = workspace.begin(trial.words);
        let isOver = false;
        void command.ended.then(() => {
          isOver = true;
        });
        await new Promise((resolve) => setTimeout(resolve, delay));
        const lock = existsSync(join(workspace.root, '.coppice/supervisor.lock')) ? workspace.lock : null;
        if (lock !== null && liveness(lock) === 'alive' && !isOver) signalProcess(lock, 'SIGKILL');
        const end = await command.ended;
        assert.equal(end.code, trial.code, `${end.stderr}\n${end.stdout}`);
        await trial.check(workspace, end.stdout);
      });
    }
  }
});
