import assert from 'node:assert/strict';
import { tailLines } from '../../../server/process/output/index.ts';
import type { WorkspaceHost } from '../../../server/service/host.ts';
import { ManagedService } from '../../../server/service/service.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { configOf, type UnitHost, unitHost } from '../../support/unitHost.ts';
import { until } from '../../support/until.ts';

const OWNER = { kind: 'configuration' } as const;

describe('a managed service', () => {
  let unit: UnitHost;
  const services: ManagedService[] = [];
  afterEach(async () => {
    for (const service of services.splice(0)) {
      service.reset();
      await service.stop();
    }
    unit.close();
  });
  after(removeTemporaryFolders);

  function service(entry: object, overrides: Partial<WorkspaceHost> = {}): ManagedService {
    unit = unitHost('service', overrides);
    const config = configOf(unit.host.root, { services: { web: { command: 'sleep 1000', ...entry } } });
    const made = new ManagedService(config.services.get('web')!, unit.host, () => {});
    services.push(made);
    return made;
  }

  it('answers a stop whose service is started again before it was over, with the proof of what it stopped', async () => {
    const web = service({ command: ['sh', '-c', 'trap "sleep 0.2; exit 0" TERM; while :; do sleep 0.05; done'] });
    web.start(OWNER);
    await web.until(() => web.state === 'ready');
    const stopped = web.stop();
    web.start(OWNER);
    const proof = await stopped;
    assert.deepEqual([proof?.survivors, web.state], [[], 'starting']);
  });

  it('answers both of two stops at once with the same proof (R15)', async () => {
    const web = service({});
    web.start(OWNER);
    await web.until(() => web.tree !== null);
    const [first, second] = await Promise.all([web.stop(), web.stop()]);
    assert.ok(first !== null && first === second);
  });

  it('leaves nothing behind when it is stopped while it is being launched', async () => {
    const web = service({});
    web.start(OWNER);
    const proof = await web.stop();
    assert.deepEqual([web.state, web.tree, proof?.survivors, unit.host.registry.records()], ['stopped', null, [], []]);
  });

  it('starts once, and the newest way, when it is restarted while it is being launched', async () => {
    const web = service({});
    web.start(OWNER);
    await web.restart();
    assert.deepEqual([web.status.incarnation, web.status.pid !== null], [2, true]);
  });

  it('answers a restart whose next start fails for good', async () => {
    const web = service({ restart: { policy: 'no' } });
    web.start(OWNER);
    await web.until(() => web.state === 'ready');
    web.retune({ ...web.config, command: { kind: 'argv', argv: ['/nowhere/at-all'] } });
    await web.restart();
    assert.equal(web.state, 'failed');
  });

  it('counts a launch that breaks as one that failed: no file handle must end the supervisor', async () => {
    const web = service(
      { restart: { policy: 'no' } },
      {
        commandOf: () => {
          throw new Error("ENOSPC: no space left on device, mkdir '/x'");
        },
      },
    );
    web.start(OWNER);
    await web.until(() => web.state === 'failed');
    assert.match(web.status.detail ?? '', /cannot start web: ENOSPC/);
  });

  it('shows the last exit by the clock on the wall, whatever its own clock says after a suspend', async () => {
    const behind = 8 * 3_600_000;
    const web = service({ command: 'false', restart: { policy: 'no' } }, { now: () => Date.now() - behind });
    web.start(OWNER);
    await web.until(() => web.state === 'failed');
    const { lastExit } = web.status;
    assert.ok(Math.abs(Date.now() - lastExit!.at) < 60_000, `${lastExit?.at}`);
  });

  it('does not bring back the text of a failure that was reset meanwhile', async () => {
    const web = service({ command: 'false', restart: { policy: 'no' } });
    web.start(OWNER);
    await web.until(() => web.state === 'failed');
    web.reset();
    // The last lines are being read; reads that begin later end later.
    for (let read = 0; read < 3; read += 1) await tailLines(web.log, 10);
    assert.equal(web.status.failure, null);
  });

  it('writes nothing for a liveness probe that succeeds as ever', async () => {
    const web = service({ live: { exec: 'true', interval: '100ms' } });
    let writes = 0;
    const setService = unit.host.registry.setService.bind(unit.host.registry);
    let probed = 0;
    web.start(OWNER);
    await web.until(() => web.state === 'ready');
    unit.host.registry.setService = (name, value) => {
      writes += 1;
      setService(name, value);
    };
    const dispatch = web.dispatch.bind(web);
    web.dispatch = (event) => {
      if (event.type === 'live') probed += 1;
      dispatch(event);
    };
    await until('three probes', () => probed >= 3);
    assert.equal(writes, 0);
  });

  it('gives its port back once it rests, and asks for the same again', async () => {
    const web = service({ port: 'auto', command: ['sleep', '1000'], ready: { exec: 'true' } });
    web.start(OWNER);
    await web.until(() => web.state === 'ready');
    const { port } = web.status;
    const held = unit.host.ports.holder(port!);
    await web.stop();
    const released = unit.host.ports.holder(port!);
    web.start(OWNER);
    await web.until(() => web.state === 'ready');
    assert.deepEqual([held, released, web.status.port], ['web', null, port]);
  });
});
