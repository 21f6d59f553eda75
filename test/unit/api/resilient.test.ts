import assert from 'node:assert/strict';
import { join } from 'node:path';
import { connect } from '../../../server/api/client.ts';
import { PROTOCOL_VERSION, type StatusResult, type WaitParams } from '../../../server/api/protocol.ts';
import type { Sight } from '../../../server/api/reconnect.ts';
import { type LinkNews, makeResilient, type ResilientClient } from '../../../server/api/resilient.ts';
import { outcome } from '../../../server/service/outcome.ts';
import { type FakeHandlers, FakeSupervisor } from '../../support/fakeSupervisor.ts';
import { serviceStatus, statusResult } from '../../support/serviceStatus.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const HELLO = { kind: 'editor', pid: process.pid, version: '0.0.0', session: 'window-1' } as const;
const LIMITS = { successorMs: 300, guardedMs: 5_000, holderMs: 2_000 };

/** A workspace whose lock is what the test says it is. */
class Stage {
  sight: Sight = { kind: 'nobody' };
  readonly fakes: FakeSupervisor[] = [];
  readonly news: LinkNews[] = [];
  client: ResilientClient | null = null;
  readonly #folder = temporaryFolder('resilient');

  /** The next supervisor takes its place; each has a pid of its own. */
  async begin(handlers: FakeHandlers = {}, stateDir = '/state'): Promise<FakeSupervisor> {
    const pid = this.fakes.length + 1;
    const endpoint = join(this.#folder, String(pid));
    const workspace = { id: 'w', root: '/w', stateDir };
    const hello = { protocol: PROTOCOL_VERSION, version: '0', pid, workspace };
    const fake = await FakeSupervisor.listen(endpoint, { hello: () => hello, ...handlers });
    this.fakes.push(fake);
    this.sight = { kind: 'holder', holder: { pid, endpoint, elsewhere: false } };
    return fake;
  }

  async kill(): Promise<void> {
    this.sight = { kind: 'dead_holder', pid: this.fakes.length, prospect: 'unknown' };
    await this.fakes.at(-1)?.close();
  }

  async attach(): Promise<ResilientClient> {
    const connected = await connect(this.fakes.at(-1)?.endpoint ?? '', HELLO);
    assert.ok(connected.ok);
    const locate = async (): Promise<Sight> => this.sight;
    this.client = makeResilient(connected.client, { hello: HELLO, locate, limits: LIMITS });
    this.client.onLink((one) => this.news.push(one));
    return this.client;
  }

  async close(): Promise<void> {
    this.client?.close();
    for (const fake of this.fakes) await fake.close().catch(() => {});
  }

  names(fake: number): string[] {
    return this.fakes[fake]?.received.map((one) => one.name) ?? [];
  }
}

const never = (): Promise<never> => new Promise(() => {});

describe('a client that outlives its supervisor', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });
  afterEach(() => stage.close());
  after(removeTemporaryFolders);

  it('has a request that was open answered by the successor, and says so', async () => {
    await stage.begin({ stop: never });
    const client = await stage.attach();
    const answer = client.request('stop', { names: ['web'] });
    await until('the request', () => stage.names(0).includes('stop'));
    await stage.kill();
    await stage.begin({ stop: () => ({ outcomes: [outcome('web', 'stopped')] }) });
    const { ok, ...rest } = await answer;
    assert.ok(ok, JSON.stringify(rest));
    assert.equal('repeated' in rest && rest.repeated, true);
    assert.equal(client.hello.pid, 2);
    assert.deepEqual(stage.fakes[1]?.received[0]?.params, stage.fakes[0]?.received[0]?.params);
  });

  it('has a request that comes in the gap answered by the successor', async () => {
    await stage.begin();
    const client = await stage.attach();
    await stage.kill();
    const answer = client.request('status', {});
    await stage.begin({ status: () => statusResult([serviceStatus('web')]) });
    assert.ok((await answer).ok);
  });

  it('subscribes again, and brings the whole status of the successor and every later change', async () => {
    const first = statusResult([serviceStatus('web', { state: 'starting' })]);
    const second = statusResult([serviceStatus('web', { state: 'ready' })]);
    await stage.begin({ subscribe: () => first });
    const client = await stage.attach();
    await client.request('subscribe', {});
    const changes: string[] = [];
    client.onChanged((change) => changes.push(...change.services.map((one) => one.state)));
    await stage.kill();
    await until('the loss', () => stage.news.length === 1);
    const fake = await stage.begin({ subscribe: () => second });
    await until('the return', () => stage.news.some((one) => one.kind === 'back'));
    await fake.changed({ services: [serviceStatus('web', { state: 'degraded' })], removed: [], runs: [] });
    await until('the change', () => changes.includes('degraded'));
    assert.deepEqual(stage.news, [
      { kind: 'lost', pid: 1 },
      { kind: 'back', pid: 2, lost: 1, status: second },
    ]);
  });

  it('hears of a change that comes right behind the answer to its subscription', async () => {
    const ready = serviceStatus('web', { state: 'ready' });
    await stage.begin({
      subscribe: (_params, rpc): StatusResult => {
        setImmediate(() => void rpc.sendNotification('changed', { services: [ready], removed: [], runs: [] }));
        return statusResult([]);
      },
    });
    const client = await stage.attach();
    const changes: string[] = [];
    await client.request('subscribe', {});
    client.onChanged((change) => changes.push(...change.services.map((one) => one.state)));
    await until('the change', () => changes.includes('ready'));
  });

  it('waits only as long as was left of the time that it was given', async () => {
    await stage.begin({ wait: never });
    const client = await stage.attach();
    const answer = client.request('wait', { name: 'web', for: 'ready', timeoutMs: 60_000 }, { timeoutMs: 65_000 });
    await until('the request', () => stage.names(0).includes('wait'));
    await stage.kill();
    await until('some of the time to pass', () => new Promise((done) => setTimeout(() => done(true), 50)));
    const fake = await stage.begin({ wait: () => ({ outcome: 'reached', message: '', service: null }) });
    assert.ok((await answer).ok);
    const params = fake.received.find((one) => one.name === 'wait')?.params as WaitParams;
    assert.ok(
      params.timeoutMs !== null && params.timeoutMs <= 59_950 && params.timeoutMs > 50_000,
      `${params.timeoutMs}`,
    );
  });

  it('asks for a restart once more with a word of what there was before it', async () => {
    const status = (a: number, b: number) => () =>
      statusResult([serviceStatus('a', { incarnation: a }), serviceStatus('b', { incarnation: b })]);
    await stage.begin({ status: status(1, 1), restart: never });
    const client = await stage.attach();
    const answer = client.request('restart', { names: ['a', 'b'] });
    await until('the request', () => stage.names(0).includes('restart'));
    await stage.kill();
    const fake = await stage.begin({
      status: status(2, 1),
      restart: ({ names }) => ({ outcomes: names.map((name) => outcome(name, 'restarted')) }),
    });
    const result = await answer;
    assert.ok(result.ok);
    assert.deepEqual(
      result.value.outcomes.map((one) => [one.name, one.reason]),
      [
        ['a', 'restarted'],
        ['b', 'restarted'],
      ],
    );
    assert.deepEqual(fake.received.find((one) => one.name === 'restart')?.params, {
      names: ['a', 'b'],
      since: { a: 1, b: 1 },
    });
  });

  const exec = { argv: ['x'], cwd: '/', env: {}, session: null } as const;
  const started = { id: 'mine', pid: 7, log: '/log' };

  it('does not start a command a second time that has no name of its own', async () => {
    await stage.begin({ exec: never });
    const client = await stage.attach();
    const answer = client.request('exec', exec);
    await until('the request', () => stage.names(0).includes('exec'));
    await stage.kill();
    await stage.begin({});
    const result = await answer;
    assert.deepEqual(!result.ok && result.failure, { reason: 'not_repeated', request: 'exec', pid: 1, successor: 2 });
    assert.deepEqual(stage.names(1), ['hello']);
  });

  it('names its commands to every successor before it asks for anything else, until they have ended', async () => {
    await stage.begin({ exec: () => started, execWait: never });
    const client = await stage.attach();
    await client.request('exec', { ...exec, id: 'mine' });
    const end = client.request('execWait', { id: 'mine' }, { timeoutMs: null });
    await until('the request', () => stage.names(0).includes('execWait'));
    await stage.kill();
    const proof = { confirmed: [], survivors: [], emptyScans: 2, killed: false, durationMs: 1 };
    await stage.begin({ exec: () => started, execWait: () => ({ code: 3, signal: null, proof }) });
    const result = await end;
    assert.ok(result.ok && result.value.code === 3);
    await stage.kill();
    await stage.begin({ status: () => statusResult([]) });
    await client.request('status', {});
    assert.deepEqual(
      [1, 2].map((fake) => stage.names(fake)),
      [
        ['hello', 'exec', 'execWait'],
        ['hello', 'status'],
      ],
    );
  });

  it('rides over a successor that is lost as well while it is greeted', async () => {
    await stage.begin({ subscribe: () => statusResult([]) });
    const client = await stage.attach();
    await client.request('subscribe', {});
    await stage.kill();
    await stage.begin({ subscribe: never });
    await until('the subscription', () => stage.names(1).includes('subscribe'));
    await stage.kill();
    await stage.begin({ subscribe: () => statusResult([]), status: () => statusResult([]) });
    assert.ok((await client.request('status', {})).ok);
    assert.deepEqual(stage.news.at(-1), { kind: 'back', pid: 3, lost: 1, status: statusResult([]) });
  });

  it('fails what is open with the time that passed when no successor comes, and then everything at once', async () => {
    await stage.begin({ stop: never });
    const client = await stage.attach();
    let closed = false;
    client.onClose(() => {
      closed = true;
    });
    const open = client.request('stop', { names: ['web'] });
    await until('the request', () => stage.names(0).includes('stop'));
    await stage.kill();
    const answers = [await open, await client.request('status', {})];
    for (const answer of answers) assert.equal(!answer.ok && answer.failure.reason, 'no_successor');
    assert.equal(client.end?.kind, 'no_successor');
    assert.ok(closed);
  });

  it('is told at once that its supervisor has ended in good order', async () => {
    await stage.begin({ wait: never });
    const client = await stage.attach();
    const open = client.request('wait', { name: 'web', for: 'ready', timeoutMs: null }, { timeoutMs: null });
    await until('the request', () => stage.names(0).includes('wait'));
    stage.sight = { kind: 'nobody' };
    await stage.fakes[0]?.close();
    const answer = await open;
    assert.deepEqual(!answer.ok && answer.failure, { reason: 'ended', request: 'wait', pid: 1 });
    assert.deepEqual(stage.news, []);
  });

  it('does not take another supervisor that keeps its state elsewhere for a successor', async () => {
    await stage.begin();
    const client = await stage.attach();
    await stage.kill();
    await stage.begin({}, '/other');
    const answer = await client.request('status', {});
    assert.equal(!answer.ok && answer.failure.reason, 'moved');
  });

  it('keeps to the time that a request was given, in the gap as well', async () => {
    await stage.begin();
    const client = await stage.attach();
    await stage.kill();
    stage.sight = { kind: 'dead_holder', pid: 1, prospect: 'coming' };
    const answer = await client.request('status', {}, { timeoutMs: 50 });
    assert.equal(!answer.ok && answer.failure.reason, 'timeout');
  });

  it('looks for nobody any more once it was closed', async () => {
    await stage.begin({ status: never });
    const client = await stage.attach();
    await stage.kill();
    const open = client.request('status', {});
    client.close();
    const answer = await open;
    assert.equal(!answer.ok && answer.failure.reason, 'connection_lost');
    await stage.begin();
    assert.ok(!(await client.request('status', {})).ok);
    assert.deepEqual(stage.names(1), []);
  });
});
