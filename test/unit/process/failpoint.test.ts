import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failpoint, failpointAsync, failpointWrite, parseFailpoints } from '../../../server/process/failpoint.ts';
import { AppendFile } from '../../../server/store/appendFile.ts';
import { writeFileAtomic, writeFileAtomicSync } from '../../../server/store/atomic.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

describe('failure points', () => {
  afterEach(() => {
    delete process.env.COPPICE_FAILPOINTS;
    removeTemporaryFolders();
  });

  for (const text of [
    'registry.json',
    'a:write',
    'a:write=boom',
    'a:wirte=die',
    'a:open=fail:full',
    'a:open=delay:x',
  ]) {
    it(`refuse the rule ${text}`, () => assert.throws(() => parseFailpoints(text), /not a failure point/));
  }

  it('fail a step of a file by the end of its path, and no other', () => {
    process.env.COPPICE_FAILPOINTS = '.coppice/supervisor.lock:rename=fail:EIO';
    assert.throws(() => failpoint('rename', '/w/.coppice/supervisor.lock'), { code: 'EIO' });
    failpoint('rename', '/state/supervisor.lock');
    failpoint('rename', '/w/x.coppice/supervisor.lock');
    failpoint('open', '/w/.coppice/supervisor.lock');
  });

  it('count how often they are met', () => {
    process.env.COPPICE_FAILPOINTS = 'a*.json:*=fail:EIO@2;b.json:open=fail:ENOSPC@2+';
    const outcome = (file: string): string => {
      try {
        failpoint('open', `/x/${file}`);
        return 'ok';
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? '';
      }
    };
    assert.deepEqual(['ab.json', 'a.json', 'a.json', 'b.json', 'b.json', 'b.json'].map(outcome), [
      'ok',
      'EIO',
      'ok',
      'ok',
      'ENOSPC',
      'ENOSPC',
    ]);
  });

  it('wait without holding up what else there is to do', async () => {
    process.env.COPPICE_FAILPOINTS = 'a:fsync=delay:30';
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 1);
    await failpointAsync('fsync', '/a');
    clearInterval(ticking);
    assert.ok(turns > 3);
  });

  it('refuse the rest of a write of which half was taken', () => {
    process.env.COPPICE_FAILPOINTS = 'a:write=part:ENOSPC@1';
    assert.deepEqual(failpointWrite('/a', 10, 0), { take: 5, dies: false });
    assert.throws(() => failpointWrite('/a', 10, 5), { code: 'ENOSPC' });
    assert.deepEqual(failpointWrite('/a', 10, 0), { take: 10, dies: false });
  });

  it('read a file of rules anew each time and tell in another what they did', () => {
    const rules = join(temporaryFolder('failpoints'), 'rules');
    process.env.COPPICE_FAILPOINTS = `@${rules}`;
    failpoint('open', '/a');
    writeFileSync(rules, 'a:open=fail:EMFILE');
    assert.throws(() => failpoint('open', '/a'), { code: 'EMFILE' });
    writeFileSync(rules, '');
    failpoint('open', '/a');
    assert.deepEqual(JSON.parse(readFileSync(`${rules}.hits`, 'utf8')), {
      pid: process.pid,
      rule: 'a:open=fail:EMFILE',
      step: 'open',
      path: '/a',
    });
  });

  for (const step of ['open', 'write', 'fsync', 'rename']) {
    it(`leave the old content whole and no other file when ${step} fails`, async () => {
      const file = join(temporaryFolder('failpoints'), 'state.json');
      writeFileAtomicSync(file, 'old');
      process.env.COPPICE_FAILPOINTS = `state.json:${step}=part:ENOSPC`;
      const results = [writeFileAtomicSync(file, 'new content'), await writeFileAtomic(file, 'new content')];
      assert.deepEqual(
        results.map((one) => !one.ok && [one.failure.reason, one.failure.code, one.failure.path]),
        [1, 2].map(() => ['disk_full', 'ENOSPC', file]),
      );
      assert.equal(readFileSync(file, 'utf8'), 'old');
    });
  }

  it('tear a line of a file that is appended to, which then swallows no other', () => {
    const path = join(temporaryFolder('failpoints'), 'lines');
    const file = new AppendFile(path);
    process.env.COPPICE_FAILPOINTS = 'lines:write=part:ENOSPC@2';
    assert.deepEqual(
      ['one', 'second', 'three'].map((line) => file.append(line).ok),
      [true, false, true],
    );
    assert.equal(existsSync(path) && readFileSync(path, 'utf8'), 'one\nsec\nthree\n');
  });
});
