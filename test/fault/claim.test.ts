import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { bootId, identify } from '../../server/process/identity.ts';
import { pidNamespace } from '../../server/process/namespace.ts';
import { type Claim, claimWorkspace } from '../../server/store/claim.ts';
import { lockPath, resolveWorkspace } from '../../server/store/paths.ts';
import type { SupervisorLock } from '../../server/store/types.ts';
import { Contender, type Outcome } from '../support/contender.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary.ts';

const OTHER_BOOT = '11111111-2222-4333-8444-555555555555';

describe('claiming a workspace under fire', () => {
  let root: string;
  let environment: NodeJS.ProcessEnv;
  const contenders: Contender[] = [];

  beforeEach(() => {
    const base = temporaryFolder('claim');
    root = join(base, 'root');
    mkdirSync(root);
    mkdirSync(join(base, 'runtime'), { mode: 0o700 });
    environment = { HOME: base, XDG_STATE_HOME: join(base, 'state'), XDG_RUNTIME_DIR: join(base, 'runtime') };
  });

  after(async () => {
    await Promise.all(contenders.splice(0).map((one) => one.kill()));
    removeTemporaryFolders();
  });

  async function contender(): Promise<Contender> {
    const started = await Contender.start();
    contenders.push(started);
    return started;
  }

  /** A lock whose holder is proven not to live. */
  function staleLock(changes: Partial<SupervisorLock> = {}): void {
    const lock: SupervisorLock = {
      ...identify(process.pid)!,
      startTime: '1',
      hostname: hostname(),
      pidNamespace: pidNamespace(),
      endpoint: '/nowhere/x.sock',
      stateDir: '/nowhere',
      version: '0.0.0',
      startedAt: Date.now() - 1000,
      limits: { maxHeapMb: 512 },
      nonce: Math.random().toString(16).slice(2),
      ...changes,
    };
    assert.equal(lock.bootId === bootId() || lock.bootId === OTHER_BOOT, true);
    mkdirSync(join(root, '.coppice'), { recursive: true });
    writeFileSync(lockPath(root), JSON.stringify(lock));
  }

  function tornLock(text = '{"pid": 12'): void {
    mkdirSync(join(root, '.coppice'), { recursive: true });
    writeFileSync(lockPath(root), text);
  }

  /** Nothing but what a supervisor leaves there on purpose. */
  function assertNoLeftovers(alsoAllowed: RegExp = /^$/): void {
    const names = readdirSync(join(root, '.coppice')).filter((name) => !alsoAllowed.test(name));
    assert.deepEqual(names.sort(), ['.gitignore', 'supervisor.lock', 'workspace.json']);
  }

  async function claimHere(): Promise<{ claim: Claim; ms: number }> {
    const began = performance.now();
    const resolved = resolveWorkspace(root, { exact: true, environment });
    assert.ok(resolved.ok);
    const result = await claimWorkspace({
      workspace: resolved.workspace,
      version: '0',
      limits: { maxHeapMb: 1 },
      environment,
    });
    assert.ok(result.ok, JSON.stringify(result));
    return { claim: result.claim, ms: performance.now() - began };
  }

  describe('thirty processes at once', () => {
    let thirty: Contender[];

    before(async function () {
      this.timeout(120_000);
      thirty = await Promise.all(Array.from({ length: 30 }, contender));
    });

    const situations: [string, () => void, Outcome['replaced'], RegExp][] = [
      ['no lock', () => {}, null, /^$/],
      ['a stale lock (R104)', () => staleLock(), 'stale', /^$/],
      ['a torn lock', tornLock, 'corrupt', /corrupt-/],
      ['an empty lock', () => tornLock(''), 'corrupt', /corrupt-/],
      ['a lock from before the machine was restarted', () => staleLock({ bootId: OTHER_BOOT }), 'stale', /^$/],
    ];
    for (const [title, prepare, replaced, allowed] of situations) {
      for (const withoutLinks of [false, true]) {
        it(`make exactly one winner over ${title}${withoutLinks ? ', on a file system without hard links' : ''}`, async () => {
          for (let round = 0; round < 3; round += 1) {
            rmSync(join(root, '.coppice'), { recursive: true, force: true });
            prepare();
            const outcomes = await Promise.all(thirty.map((one) => one.claim(root, { environment, withoutLinks })));
            const won = thirty.filter((_, at) => outcomes[at]?.outcome === 'won');
            assert.equal(won.length, 1, JSON.stringify(outcomes));
            const [winner] = won as [Contender];
            assert.equal(outcomes[thirty.indexOf(winner)]?.replaced, replaced);
            for (const outcome of outcomes) {
              if (outcome?.outcome === 'won') continue;
              assert.equal(outcome?.outcome, 'held', JSON.stringify(outcome));
              assert.equal(outcome.holder, winner.pid);
              assert.ok(outcome.ms < 2000, `${outcome.ms} ms`);
            }
            assertNoLeftovers(allowed);
            assert.equal(await winner.verify(), 'ours');
            await winner.release();
          }
        });
      }
    }

    it('have one supervisor whatever their HOME, state home and runtime folder (R102)', async () => {
      const outcomes = await Promise.all(
        thirty.map((one, at) => {
          const home = join(environment.HOME!, `home-${at}`);
          mkdirSync(join(home, 'run'), { recursive: true, mode: 0o700 });
          const own = { HOME: home, XDG_STATE_HOME: join(home, 'state'), XDG_RUNTIME_DIR: join(home, 'run') };
          return one.claim(root, { environment: own });
        }),
      );
      const won = outcomes.filter((one) => one?.outcome === 'won');
      assert.equal(won.length, 1);
      const states = outcomes.flatMap((_, at) => {
        const state = join(environment.HOME!, `home-${at}/state`);
        return readdirSync(join(environment.HOME!, `home-${at}`)).includes('state') ? [state] : [];
      });
      assert.equal(states.length, 1, 'a loser made a state directory');
      await thirty[outcomes.findIndex((one) => one?.outcome === 'won')]?.release();
    });
  });

  describe('killed at every change that it makes to the file system', () => {
    const situations: [string, () => void][] = [
      ['no lock', () => {}],
      ['a stale lock', () => staleLock()],
      ['a torn lock', tornLock],
    ];
    for (const [title, prepare] of situations) {
      it(`a contender over ${title} keeps no later one from winning`, async function () {
        this.timeout(120_000);
        let deaths = 0;
        for (let dieAt = 1; dieAt < 100; dieAt += 1) {
          rmSync(join(root, '.coppice'), { recursive: true, force: true });
          prepare();
          const outcome = await (await contender()).claim(root, { environment, dieAt });
          if (outcome !== null) break;
          deaths += 1;
          const { claim, ms } = await claimHere();
          assert.ok(ms < 2000, `${ms} ms after a death at change ${dieAt}`);
          assert.equal(claim.verify(), 'ours');
          assertNoLeftovers(/corrupt-|\.tmp$/);
          claim.release();
        }
        assert.ok(deaths > 8, `died only ${deaths} times`);
      });
    }

    it('one after the other, over the same stale lock, with nobody to clean up in between', async function () {
      this.timeout(120_000);
      staleLock();
      for (let dieAt = 1; dieAt <= 8; dieAt += 1) {
        for (let again = 0; again < 2; again += 1) {
          assert.equal(await (await contender()).claim(root, { environment, dieAt }), null);
        }
      }
      const { claim, ms } = await claimHere();
      assert.ok(ms < 2000, `${ms} ms`);
      assertNoLeftovers();
      claim.release();
    });
  });

  it('never makes two living winners while contenders die around them', async function () {
    this.timeout(180_000);
    for (let round = 0; round < 6; round += 1) {
      rmSync(join(root, '.coppice'), { recursive: true, force: true });
      staleLock();
      const crowd = await Promise.all(Array.from({ length: 10 }, contender));
      const outcomes = await Promise.all(
        crowd.map((one, at) =>
          one.claim(root, { environment, ...(at % 2 === 0 ? { dieAt: 1 + Math.floor(Math.random() * 20) } : {}) }),
        ),
      );
      const won = crowd.filter((_, at) => outcomes[at]?.outcome === 'won');
      assert.ok(won.length <= 1, JSON.stringify(outcomes));
      for (const winner of won) assert.equal(await winner.verify(), 'ours');
      assert.ok(
        outcomes.every((one) => one === null || one.outcome !== 'failed'),
        JSON.stringify(outcomes),
      );
      await Promise.all(crowd.map((one) => one.kill()));
      const { claim } = await claimHere();
      assert.equal(JSON.parse(readFileSync(lockPath(root), 'utf8')).pid, process.pid);
      claim.release();
    }
  });

  it('answers at once when a living supervisor holds the workspace, and has changed nothing', async () => {
    const { claim } = await claimHere();
    const before = readdirSync(root, { recursive: true }).sort();
    const outcome = await (await contender()).claim(root, { environment });
    assert.equal(outcome?.outcome, 'held');
    assert.equal(outcome.evidence, 'live');
    assert.equal(outcome.changes, 1, 'more than the attempt to create .coppice');
    assert.ok(outcome.ms < 500, `${outcome.ms} ms`);
    assert.deepEqual(readdirSync(root, { recursive: true }).sort(), before);
    claim.release();
  });

  it('is held still after `git clean -x` took the lock of a living supervisor away', async () => {
    const { claim } = await claimHere();
    rmSync(join(root, '.coppice'), { recursive: true });
    const outcome = await (await contender()).claim(root, { environment });
    assert.equal(outcome?.outcome, 'held', JSON.stringify(outcome));
    assert.ok(outcome.ms < 2000, `${outcome.ms} ms`);
    assert.deepEqual(claim.reclaim(), { ok: true });
    assertNoLeftovers();
    claim.release();
  });

  it('is free again as soon as a supervisor was killed', async () => {
    const first = await contender();
    assert.equal((await first.claim(root, { environment }))?.outcome, 'won');
    await first.kill();
    const { claim, ms } = await claimHere();
    assert.equal(claim.replaced?.kind, 'stale');
    assert.ok(ms < 500, `${ms} ms`);
    claim.release();
  });
});
