import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ClaimWatch } from '../../../server/life/claimWatch.ts';
import { ExitCode } from '../../../server/life/exitCode.ts';
import type { SupervisorGuardian } from '../../../server/life/guardian.ts';
import { SupervisorLife } from '../../../server/life/life.ts';
import type { EndListener, EndRequests } from '../../../server/life/signals.ts';
import { type Claim, claimWorkspace } from '../../../server/store/claim.ts';
import { openJournal } from '../../../server/store/journal.ts';
import { resolveWorkspace } from '../../../server/store/paths.ts';
import { Supervisor } from '../../../server/supervisor.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { configOf, type UnitHost, unitHost } from '../../support/unitHost.ts';

describe('the end of a supervisor', () => {
  let unit: UnitHost;
  let claim: Claim;
  let supervisor: Supervisor;
  let requests: EndRequests;
  let exits: number[];
  let recorded: string[];

  async function live(change: { readonly endpoint?: string } = {}): Promise<SupervisorLife> {
    unit = unitHost('life');
    const { root, stateDir } = unit.host;
    const environment = { COPPICE_STATE_HOME: join(root, '../home'), TMPDIR: join(root, '..') };
    const resolved = resolveWorkspace(root, { exact: true, environment });
    assert.ok(resolved.ok);
    const claimed = await claimWorkspace({
      workspace: resolved.workspace,
      version: 'test',
      limits: { maxHeapMb: 1 },
      environment,
    });
    assert.ok(claimed.ok, JSON.stringify(claimed));
    claim = claimed.claim;
    if (change.endpoint !== undefined) Object.assign(claim.lock, { endpoint: join(root, change.endpoint) });
    supervisor = new Supervisor(unit.host, configOf(root, { services: { web: { command: 'sleep 1000' } } }), () => {});
    exits = [];
    recorded = [];
    const journal = openJournal(stateDir);
    const append = journal.append.bind(journal);
    journal.append = (event, fields) => {
      recorded.push(event);
      return append(event, fields);
    };
    const endListener = { attach: (given: EndRequests) => (requests = given) } as unknown as EndListener;
    const life = new SupervisorLife({
      supervisor,
      claim,
      claimWatch: new ClaimWatch(claim),
      journal,
      registry: unit.host.registry,
      version: 'test',
      endListener,
      guardian: NO_GUARDIAN,
      exit: (code) => exits.push(code),
    });
    await life.begin(Promise.resolve());
    return life;
  }
  const NO_GUARDIAN = { identity: null, async dismiss() {} } as unknown as SupervisorGuardian;
  const isLocked = () => existsSync(join(unit.host.root, '.coppice/supervisor.lock'));
  const mute = process.stderr.write;
  beforeEach(() => {
    process.stderr.write = () => true;
  });
  afterEach(() => {
    process.stderr.write = mute;
    claim.release();
  });
  after(removeTemporaryFolders);

  it('releases the lock after the drain, and ends with the code of the signal', async () => {
    const life = await live();
    requests.onStop('SIGTERM');
    assert.deepEqual([await life.ended, isLocked()], [ExitCode.terminated, false]);
  });

  it('releases everything when the drain breaks, and says so by its exit code (R17, R27)', async () => {
    const life = await live();
    supervisor.drain = () => Promise.reject(new Error('a bug'));
    requests.onStop('SIGINT');
    assert.deepEqual(
      [await life.ended, isLocked(), exits, recorded.slice(-3)],
      [ExitCode.failed, false, [], ['supervisor_stopping', 'supervisor_fault', 'supervisor_stopped']],
    );
  });

  it('records an unhandled rejection and ends at once, trees and lock left to the successor (R30)', async () => {
    await live();
    supervisor.up([], { kind: 'configuration' });
    const web = supervisor.services.get('web')!;
    await web.until(() => web.state === 'ready');
    requests.onFault('unhandled_rejection', new Error('a bug'));
    const seen = [exits, recorded.at(-1), isLocked(), unit.host.registry.records().length];
    await supervisor.drain();
    assert.deepEqual(seen, [[ExitCode.failed], 'supervisor_fault', true, 1]);
  });

  it('finishes a drain during which something broke, and does not end with 0', async () => {
    const life = await live();
    requests.onStop('SIGTERM');
    requests.onFault('unhandled_rejection', new Error('a bug'));
    assert.deepEqual([await life.ended, exits, isLocked()], [ExitCode.failed, [], false]);
  });

  it('gives the workspace back when its endpoint cannot be bound', async () => {
    const life = await live({ endpoint: 'no/such/folder/s.sock' });
    const code = await life.ended;
    assert.deepEqual([code, isLocked()], [ExitCode.failed, false]);
  });
});
