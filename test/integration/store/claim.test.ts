import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Liveness } from '../../../server/process/types.ts';
import {
  type Claim,
  type ClaimRequest,
  type ClaimResult,
  claimWorkspace,
  describeClaimFailure,
  describeHeld,
} from '../../../server/store/claim.ts';
import { readLock } from '../../../server/store/holder.ts';
import { lockPath, resolveWorkspace, type Workspace } from '../../../server/store/paths.ts';
import type { Heartbeat, SupervisorLock } from '../../../server/store/types.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

const BOOT = '11111111-2222-4333-8444-555555555555';
const OTHER_BOOT = '99999999-2222-4333-8444-555555555555';
const MINUTE = 60_000;

describe('a claim', () => {
  let base: string;
  let root: string;
  let environment: NodeJS.ProcessEnv;

  beforeEach(() => {
    base = temporaryFolder('claim');
    root = join(base, 'root');
    mkdirSync(root);
    mkdirSync(join(base, 'runtime'), { mode: 0o700 });
    environment = { HOME: base, XDG_STATE_HOME: join(base, 'state'), XDG_RUNTIME_DIR: join(base, 'runtime') };
  });

  after(removeTemporaryFolders);

  function resolve(at = root, env = environment): Workspace {
    const resolved = resolveWorkspace(at, { exact: true, environment: env });
    assert.ok(resolved.ok, JSON.stringify(resolved));
    return resolved.workspace;
  }

  function request(changes: Partial<ClaimRequest> = {}): ClaimRequest {
    return {
      workspace: changes.workspace ?? resolve(),
      version: '1.2.3',
      limits: { maxHeapMb: 512 },
      environment,
      patienceMs: 100,
      ...changes,
    };
  }

  async function win(changes: Partial<ClaimRequest> = {}): Promise<Claim> {
    const result = await claimWorkspace(request(changes));
    assert.ok(result.ok, JSON.stringify(result));
    return result.claim;
  }

  function word(result: ClaimResult): string {
    if (result.ok) return 'won';
    return 'held' in result ? `held ${result.held.evidence}` : result.failure.reason;
  }

  function lockOf(changes: Partial<SupervisorLock> = {}): SupervisorLock {
    return {
      pid: 4242,
      startTime: '77',
      bootId: BOOT,
      hostname: 'here',
      pidNamespace: 'pid:[1]',
      endpoint: '/nowhere/x.sock',
      stateDir: '/nowhere',
      version: '1.0.0',
      startedAt: Date.now(),
      limits: { maxHeapMb: 256 },
      ...changes,
    };
  }

  function writeLock(lock: SupervisorLock | string): void {
    mkdirSync(join(root, '.coppice'), { recursive: true });
    writeFileSync(lockPath(root), typeof lock === 'string' ? lock : JSON.stringify(lock));
  }

  function beat(at: number, changes: Partial<Heartbeat> = {}): Heartbeat {
    const memory = { heapUsedMb: 1, rssMb: 1 };
    return {
      pid: 4242,
      startTime: '77',
      at,
      uptimeMs: 1,
      eventLoopDelayMs: 0,
      memory,
      services: {},
      runs: [],
      ...changes,
    };
  }

  /** Claims as seen from a machine `here` of boot `BOOT`, where the recorded holder is as `liveness` says. */
  async function contest(liveness: Liveness, heartbeat: Heartbeat | null = null, now = Date.now()): Promise<string> {
    const viewpoint: ClaimRequest['viewpoint'] = {
      hostname: 'here',
      bootId: BOOT,
      pidNamespace: 'pid:[1]',
      liveness: (identity) => (identity.pid === process.pid ? 'alive' : liveness),
      heartbeat: () => heartbeat,
      now: () => now,
      bootedAt: () => now - 60 * MINUTE,
    };
    return word(await claimWorkspace(request({ viewpoint })));
  }

  describe('over a lock of this machine', () => {
    const cases: [Liveness, string][] = [
      ['alive', 'held live'],
      ['gone', 'won'],
      ['zombie', 'won'],
      ['recycled', 'won'],
    ];
    for (const [liveness, expected] of cases) {
      it(`is ${expected} when its holder is ${liveness}, however fresh the heartbeat (R84)`, async () => {
        writeLock(lockOf());
        assert.equal(await contest(liveness, beat(Date.now())), expected);
      });
    }

    it('from before the machine was started anew is won at once', async () => {
      writeLock(lockOf({ bootId: OTHER_BOOT }));
      assert.equal(await contest('recycled', beat(Date.now() - 90 * MINUTE)), 'won');
    });

    it('that came along with a copy of the folder is won, although the holder of the original lives', async () => {
      writeLock(lockOf({ folder: '1:1' }));
      assert.equal(await contest('alive'), 'won');
    });

    it('by a newer version with fields that are not known is a lock all the same', async () => {
      writeLock(
        JSON.stringify({ pid: 4242, startTime: '77', bootId: BOOT, hostname: 'here', limits: 'none', extra: 1 }),
      );
      assert.equal(await contest('alive'), 'held live');
    });
  });

  describe('over a lock whose holder cannot be verified', () => {
    const holders: [string, Partial<SupervisorLock>, Liveness][] = [
      ['on another machine', { hostname: 'there', bootId: OTHER_BOOT }, 'gone'],
      ['in another pid namespace', { pidNamespace: 'pid:[2]' }, 'gone'],
      ['on another machine of the same name', { bootId: OTHER_BOOT }, 'gone'],
      ['whose start time the system does not tell (R6)', {}, 'unknown'],
    ];
    for (const [title, changes, liveness] of holders) {
      it(`${title} is held while its heartbeat is under 5 minutes old`, async () => {
        writeLock(lockOf(changes));
        assert.equal(await contest(liveness, beat(Date.now() - 4 * MINUTE)), 'held presumed_live');
      });

      it(`${title} is won when its heartbeat is older`, async () => {
        writeLock(lockOf(changes));
        assert.equal(await contest(liveness, beat(Date.now() - 6 * MINUTE)), 'won');
      });
    }

    it('goes by the age of the lock where there is no heartbeat to be read', async () => {
      writeLock(lockOf({ hostname: 'there', bootId: OTHER_BOOT }));
      assert.equal(await contest('gone', null), 'held presumed_live');
      assert.equal(await contest('gone', null, Date.now() + 6 * MINUTE), 'won');
    });

    it('takes no heartbeat of another process for that of the holder (R86)', async () => {
      writeLock(lockOf({ hostname: 'there', bootId: OTHER_BOOT }));
      assert.equal(await contest('gone', beat(Date.now() + 6 * MINUTE, { pid: 1 }), Date.now() + 6 * MINUTE), 'won');
    });

    it('is not held for ever by a heartbeat from the future (R87)', async () => {
      writeLock(lockOf({ hostname: 'there', bootId: OTHER_BOOT }));
      assert.equal(await contest('gone', beat(Date.now() + 60 * MINUTE)), 'won');
    });
  });

  it('sets a torn lock aside and says so', async () => {
    writeLock('{"pid": 42');
    const claim = await win({ patienceMs: 1000 });
    assert.ok(claim.replaced?.kind === 'corrupt' && claim.replaced.aside !== null);
    assert.equal(readFileSync(claim.replaced.aside, 'utf8'), '{"pid": 42');
  });

  it('takes the place of a folder or a link that stands where the lock should', async () => {
    mkdirSync(lockPath(root), { recursive: true });
    (await win({ patienceMs: 1000 })).release();
    const target = join(base, 'target');
    writeFileSync(target, 'precious');
    symlinkSync(target, lockPath(root));
    await win({ patienceMs: 1000 });
    assert.equal(readFileSync(target, 'utf8'), 'precious');
    assert.ok(lstatSync(lockPath(root)).isFile());
  });

  it('leaves a lock, a pin and a .gitignore in .coppice and a private state directory', async () => {
    const claim = await win();
    assert.deepEqual(readdirSync(join(root, '.coppice')).sort(), ['.gitignore', 'supervisor.lock', 'workspace.json']);
    assert.equal(readFileSync(join(root, '.coppice/.gitignore'), 'utf8'), '*\n');
    const pin = JSON.parse(readFileSync(join(root, '.coppice/workspace.json'), 'utf8'));
    assert.deepEqual(pin, { id: resolve().id, stateDir: claim.stateDir });
    assert.equal(lstatSync(claim.stateDir).mode & 0o777, 0o700);
    assert.equal(lstatSync(join(claim.lock.endpoint, '..')).mode & 0o777, 0o700);
    assert.match(readFileSync(join(claim.stateDir, 'workspace'), 'utf8'), new RegExp(resolve().id));
  });

  it('says all of DESIGN 4 in the lock', async () => {
    const claim = await win();
    const lock = JSON.parse(readFileSync(lockPath(root), 'utf8')) as Record<string, unknown>;
    assert.deepEqual(lock, claim.lock);
    for (const field of [
      'pid',
      'startTime',
      'bootId',
      'hostname',
      'endpoint',
      'stateDir',
      'version',
      'startedAt',
      'limits',
    ]) {
      assert.ok(lock[field] !== undefined && lock[field] !== '', field);
    }
  });

  it('goes on with the state of a supervisor that claimed and died between the look and the win', async () => {
    const workspace = resolve();
    const other = { ...environment, XDG_STATE_HOME: join(base, 'elsewhere') };
    const first = await win({ workspace: resolve(root, other), environment: other });
    const { stateDir } = first;
    first.release();
    const claim = await win({ workspace });
    assert.notEqual(workspace.stateDir, stateDir);
    assert.equal(claim.stateDir, stateDir);
    assert.equal(JSON.parse(readFileSync(lockPath(root), 'utf8')).stateDir, stateDir);
    assert.equal(claim.verify(), 'ours');
  });

  it('names the holder, since when, and the limits (R107)', async () => {
    const claim = await win();
    const result = await claimWorkspace(request());
    assert.ok(!result.ok && 'held' in result);
    const text = describeHeld(result.held);
    assert.match(
      text,
      new RegExp(`pid ${process.pid} on ${claim.lock.hostname} since 20.*version 1\\.2\\.3, heap limit 512MB`),
    );
  });

  it('is verified as ours, deleted or stolen', async () => {
    const claim = await win();
    assert.equal(claim.verify(), 'ours');
    const text = readFileSync(lockPath(root), 'utf8');
    writeFileSync(lockPath(root), text.slice(0, 20));
    assert.equal(claim.verify(), 'deleted');
    writeLock(lockOf());
    assert.equal(claim.verify(), 'stolen');
    rmSync(join(root, '.coppice'), { recursive: true });
    assert.equal(claim.verify(), 'deleted');
    claim.reclaim();
    assert.equal(claim.verify(), 'ours');
  });

  it('is ours under another inode, as after a restore from a backup', async () => {
    const claim = await win();
    cpSync(lockPath(root), join(base, 'backup'));
    rmSync(lockPath(root));
    cpSync(join(base, 'backup'), lockPath(root));
    assert.equal(claim.verify(), 'ours');
  });

  it('puts a damaged lock back and keeps the damaged one', async () => {
    const claim = await win();
    writeFileSync(lockPath(root), 'x');
    assert.deepEqual(claim.reclaim(), { ok: true });
    assert.equal(claim.verify(), 'ours');
    assert.ok(readdirSync(join(root, '.coppice')).some((name) => name.startsWith('supervisor.lock.corrupt-')));
  });

  it('is not reclaimed from another supervisor', async () => {
    const claim = await win();
    writeLock(lockOf());
    const result = claim.reclaim();
    assert.ok(!result.ok && 'held' in result && result.held.pid === 4242);
  });

  it('re-creates nothing of a workspace that is gone', async () => {
    const claim = await win();
    renameSync(root, `${root}-moved`);
    const result = claim.reclaim();
    assert.equal(!result.ok && 'failure' in result && result.failure.reason, 'workspace_gone');
    claim.release();
    assert.equal(existsSync(root), false);
  });

  it('is won although .coppice is deleted in the middle of it', async () => {
    let deleted = false;
    const linkFile = (from: string, to: string): void => {
      if (!deleted) rmSync(join(root, '.coppice'), { recursive: true });
      deleted = true;
      linkSync(from, to);
    };
    const claim = await win({ linkFile });
    assert.equal(claim.verify(), 'ours');
    assert.deepEqual(readdirSync(join(root, '.coppice')).sort(), ['.gitignore', 'supervisor.lock', 'workspace.json']);
  });

  it('is not won when the workspace is deleted in the middle of it, and re-creates nothing', async () => {
    const linkFile = (from: string, to: string): void => {
      rmSync(root, { recursive: true, force: true });
      linkSync(from, to);
    };
    assert.equal(word(await claimWorkspace(request({ linkFile }))), 'workspace_gone');
    assert.equal(existsSync(root), false);
  });

  it('is refused when another folder has taken the place of the workspace', async () => {
    const workspace = resolve();
    renameSync(root, `${root}-moved`);
    mkdirSync(root);
    assert.equal(word(await claimWorkspace(request({ workspace }))), 'workspace_gone');
    assert.deepEqual(readdirSync(root), []);
  });

  it('releases its own lock and leaves that of a successor (R33)', async () => {
    const claim = await win();
    writeLock(lockOf());
    claim.release();
    assert.equal(JSON.parse(readFileSync(lockPath(root), 'utf8')).pid, 4242);
    rmSync(lockPath(root));
    const second = await win();
    second.release();
    second.release();
    assert.equal(existsSync(lockPath(root)), false);
  });

  it('can be won again after a release', async () => {
    (await win()).release();
    assert.equal((await win()).replaced, null);
  });

  it('refuses a .coppice that is a link, and writes nothing behind it', async () => {
    const target = join(base, 'target');
    mkdirSync(target);
    symlinkSync(target, join(root, '.coppice'));
    const result = await claimWorkspace(request());
    assert.equal(word(result), 'coppice_folder_refused');
    assert.ok(!result.ok && 'failure' in result && describeClaimFailure(result.failure).includes('symbolic link'));
    assert.deepEqual(readdirSync(target), []);
  });

  it('lets go of the lock when its state directory turns out to be unsafe', async () => {
    const workspace = resolve();
    mkdirSync(workspace.stateDir, { recursive: true });
    chmodSync(workspace.stateDir, 0o777);
    const result = await claimWorkspace(request({ workspace }));
    assert.equal(word(result), 'state_dir_refused');
    assert.deepEqual(readdirSync(join(root, '.coppice')), []);
  });

  it('lets go of the lock when somebody has put a link where its socket would be', async () => {
    const workspace = resolve();
    symlinkSync(base, join(base, 'runtime/coppice'));
    const result = await claimWorkspace(request({ workspace, endpoint: join(base, 'runtime/coppice/x.sock') }));
    assert.equal(word(result), 'endpoint_refused');
    assert.deepEqual(readdirSync(join(root, '.coppice')), []);
  });

  it('removes the sockets that earlier supervisors of this workspace left, and no others', async () => {
    const { id } = resolve();
    mkdirSync(join(base, 'runtime/coppice'), { mode: 0o700 });
    for (const name of [`${id}-aaaaaaaa.sock`, 'ffffffffffffffff-aaaaaaaa.sock'])
      writeFileSync(join(base, 'runtime/coppice', name), '');
    await win();
    assert.deepEqual(readdirSync(join(base, 'runtime/coppice')), ['ffffffffffffffff-aaaaaaaa.sock']);
  });

  it('is told by readLock as absent, live, stale or corrupt', async () => {
    assert.equal((await readLock(root)).verdict, 'absent');
    const claim = await win();
    const read = await readLock(root);
    assert.deepEqual([read.verdict, read.lock], ['live', claim.lock]);
    writeLock({ ...claim.lock, startTime: '1' });
    assert.equal((await readLock(root)).verdict, 'stale');
    writeLock('');
    assert.equal((await readLock(root)).verdict, 'corrupt');
  });
});
