import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';
import { accepted, findings } from './support.ts';

describe('cwd', () => {
  let outside: string;
  let root: string;
  before(() => {
    outside = temporaryFolder('outside');
    root = temporaryFolder('workspace');
    mkdirSync(join(root, 'packages', 'web'), { recursive: true });
    mkdirSync(join(root, '..name'));
    writeFileSync(join(root, 'file'), '');
    symlinkSync(outside, join(root, 'escape'));
    symlinkSync(join(root, 'packages', 'web'), join(root, 'inside'));
    symlinkSync(join(root, 'gone'), join(root, 'dangling'));
    symlinkSync(root, join(outside, 'link-to-root'));
  });
  after(removeTemporaryFolders);

  const withFolder = (cwd: string) => `services:\n  a: { command: x, cwd: ${JSON.stringify(cwd)} }\n`;
  const folderOf = (cwd: string, workspace = root) =>
    accepted(withFolder(cwd), 'coppice.yaml', workspace).services.get('a')?.cwd;
  const messages = (cwd: string) =>
    findings(withFolder(cwd), 'coppice.yaml', root).map(({ severity, message }) => `${severity}: ${message}`);

  it('is made an absolute real path', () => {
    assert.equal(folderOf('packages/web'), join(root, 'packages', 'web'));
    assert.equal(folderOf('./packages/../packages/web/'), join(root, 'packages', 'web'));
    assert.equal(folderOf(join(root, 'packages')), join(root, 'packages'));
    assert.equal(folderOf('.'), root);
  });

  it('may be a link to a folder of the workspace', () => {
    assert.equal(folderOf('inside'), join(root, 'packages', 'web'));
  });

  it('may have a name that begins with two dots', () => {
    assert.equal(folderOf('..name'), join(root, '..name'));
  });

  it('is judged by the real path of a workspace that is reached through a link', () => {
    assert.equal(folderOf('packages', join(outside, 'link-to-root')), join(root, 'packages'));
  });

  for (const [title, cwd] of [
    ['above the workspace', '..'],
    ['beside the workspace', '../other'],
    ['absolute and elsewhere', '/etc'],
    ['behind a link that leads outside', 'escape'],
    ['not there yet, behind a link that leads outside', 'escape/later'],
  ] as const) {
    it(`is refused when it is ${title}`, () => {
      const [first] = messages(cwd);
      assert.match(first ?? '', /^error: expected a folder of the workspace, found one outside of it/);
    });
  }

  it('is refused when it is a file', () => {
    assert.match(messages('file')[0] ?? '', /^error: .*not a folder/);
  });

  it('is refused when it is a link that leads nowhere', () => {
    assert.match(messages('dangling')[0] ?? '', /^error: .*leads nowhere/);
  });

  it('is warned about when it is missing, because a task may yet make it', () => {
    assert.deepEqual(messages('later/on'), [`warning: there is no such folder (yet): ${join(root, 'later', 'on')}`]);
    assert.equal(folderOf('later/on'), join(root, 'later', 'on'));
  });

  it('is what globs and files of variables are relative to', () => {
    const text = `tasks:
  a: { command: x, cwd: packages/web, envFile: .env, inputs: [../../shared/**] }
  b: { command: x, cwd: packages/web, inputs: [../../../shared/**] }
`;
    const found = findings(text, 'coppice.yaml', root);
    assert.deepEqual(
      found.map(({ path }) => path),
      ['tasks.b.inputs.0'],
    );
    const config = accepted(text.split('\n').slice(0, 2).join('\n'), 'coppice.yaml', root);
    assert.deepEqual(config.tasks.get('a')?.envFiles, [join(root, 'packages', 'web', '.env')]);
  });
});
