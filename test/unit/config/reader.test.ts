import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findConfigFile } from '../../../server/config/find.ts';
import { formatDiagnostic, readWorkspaceConfig } from '../../../server/config/reader.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

describe('readWorkspaceConfig', () => {
  after(removeTemporaryFolders);

  const workspace = (files: Readonly<Record<string, string | Uint8Array>>) => {
    const root = temporaryFolder('config');
    for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
    return root;
  };
  const complaints = async (root: string) => {
    const result = await readWorkspaceConfig(root);
    return result.ok ? [] : result.diagnostics.map(({ message }) => message);
  };

  it('gives a folder without a configuration an empty one', async () => {
    const root = workspace({});
    const result = await readWorkspaceConfig(root);
    assert.ok(result.ok);
    assert.equal(result.config.file, null);
    assert.equal(result.config.services.size + result.config.tasks.size, 0);
    assert.deepEqual(findConfigFile(root), { kind: 'none' });
  });

  for (const name of ['coppice.yaml', 'coppice.yml', 'coppice.json', 'coppice.jsonc']) {
    it(`reads ${name}`, async () => {
      const root = workspace({ [name]: '{ "tasks": { "a": { "command": "x" } } }' });
      const result = await readWorkspaceConfig(root);
      assert.ok(result.ok);
      assert.equal(result.config.file, join(root, name));
      assert.equal(result.config.tasks.size, 1);
    });
  }

  it('refuses two configurations and names both, at both', async () => {
    const root = workspace({ 'coppice.yaml': '', 'coppice.json': '' });
    const message = 'expected one configuration, found coppice.yaml and coppice.json';
    assert.deepEqual(await complaints(root), [message, message]);
  });

  it('refuses a file over 5 MB', async () => {
    const root = workspace({ 'coppice.yaml': '#' });
    truncateSync(join(root, 'coppice.yaml'), 5 * 1024 ** 2 + 1);
    assert.deepEqual(await complaints(root), ['expected a file of at most 5 MB, found a larger one']);
  });

  it('refuses bytes that are no text', async () => {
    const root = workspace({ 'coppice.yaml': new Uint8Array([0xff, 0xfe, 0x41, 0x00]) });
    assert.deepEqual(await complaints(root), ['expected text in UTF-8, found bytes that are not']);
  });

  it('refuses a folder of that name', async () => {
    const root = workspace({});
    mkdirSync(join(root, 'coppice.yaml'));
    assert.deepEqual(await complaints(root), ['expected a file, found something else of this name']);
  });

  it('refuses a link that leads nowhere instead of taking it for no configuration', async () => {
    const root = workspace({});
    symlinkSync(join(root, 'gone'), join(root, 'coppice.yaml'));
    assert.match((await complaints(root))[0] ?? '', /link that leads nowhere/);
  });

  it('says file, line and column of what is wrong', async () => {
    const root = workspace({ 'coppice.yaml': 'services:\n  a: { comand: x }\n' });
    const result = await readWorkspaceConfig(root);
    assert.ok(!result.ok);
    const text = result.diagnostics.map(formatDiagnostic).join('\n');
    assert.ok(
      text.includes(`${join(root, 'coppice.yaml')}:2:8: error: unknown key \`comand\` (did you mean \`command\`?)`),
    );
  });
});
