import assert from 'node:assert/strict';
import { ChangeFeed } from '../../../server/api/changes.ts';
import type { Notifications, RunStatus, ServiceStatus } from '../../../server/api/protocol.ts';
import { serviceStatus } from '../../support/serviceStatus.ts';
import { until } from '../../support/until.ts';

describe('the feed of changes', () => {
  let services: ServiceStatus[] = [];
  let runs: RunStatus[] = [];
  let wanted = true;
  let reads = 0;
  const sent: Notifications['changed'][] = [];
  const feed = new ChangeFeed({
    wanted: () => wanted,
    read: () => {
      reads += 1;
      return { services, runs };
    },
    send: (changes) => sent.push(changes),
  });
  beforeEach(() => {
    services = [];
    runs = [];
    wanted = true;
    reads = 0;
    sent.length = 0;
  });
  after(() => feed.stop());

  async function next(): Promise<Notifications['changed'] | undefined> {
    const before = sent.length;
    feed.touch();
    await until('a notification', () => sent.length > before);
    return sent.at(-1);
  }

  it('reads nothing while nobody subscribes', async () => {
    wanted = false;
    for (let index = 0; index < 100; index += 1) feed.touch();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(reads, 0);
  });

  it('holds only what differs, and names what is gone', async () => {
    services = [serviceStatus('a'), serviceStatus('b')];
    await next();
    services = [serviceStatus('a', { restarts: 1 })];
    const changes = await next();
    assert.deepEqual([changes?.services.map((one) => one.name), changes?.removed], [['a'], ['b']]);
  });

  it('tells a subscriber of a change back to what others were told before he came', async () => {
    const before = [serviceStatus('a')];
    services = before;
    await next();
    services = [serviceStatus('a', { restarts: 1 })];
    feed.told({ services, runs });
    services = before;
    assert.deepEqual((await next())?.services, before);
  });

  it('tells anew of a run that was forgotten: nothing is kept of those that are gone', async () => {
    const run: RunStatus = { id: 'r', state: 'running', owner: 'configuration', ownerKind: 'configuration', tasks: [] };
    runs = [run];
    services = [serviceStatus('x')];
    await next();
    runs = [];
    services = [serviceStatus('x', { restarts: 1 })];
    await next();
    runs = [run];
    assert.deepEqual((await next())?.runs, [run]);
  });
});
