/**
 * The analyser: from the text of a configuration to the configuration, or to everything that is wrong with it, at
 * once. The command, the supervisor and the editor all use this one. It looks at nothing but the text and, for
 * `cwd`, at the folders of the workspace.
 */
import { checkCommands } from './checks/commands.ts';
import { checkDependencies } from './checks/dependencies.ts';
import { asMap, entriesOf } from './checks/entries.ts';
import { checkFolders, Folders } from './checks/folders.ts';
import { checkNames } from './checks/names.ts';
import { checkServices } from './checks/services.ts';
import type { SourceDocument, SourceProblem } from './document/document.ts';
import { parseJson } from './document/json.ts';
import { parseYaml } from './document/yaml.ts';
import { problemsOf } from './issues.ts';
import type { ConfigResult, WorkspaceConfig } from './model.ts';
import { diagnosticsOf, fileDiagnostic } from './report.ts';
import { resolveSettings } from './resolve.ts';
import { configuration, FREE_KEY } from './schema.ts';

/** Far beyond any real configuration; a larger file is a mistake, such as a data file of the same name. */
export const LARGEST_CONFIG_BYTES = 5 * 1024 ** 2;

/** `file` decides by its ending whether the text is JSON; it need not exist. */
export function analyse(text: string, file: string, root: string): ConfigResult {
  if (Buffer.byteLength(text) > LARGEST_CONFIG_BYTES) return { ok: false, diagnostics: [tooLarge(file)] };
  const document = /\.jsonc?$/i.test(file) ? parseJson(text) : parseYaml(text);
  const problems = [...document.problems];
  const isReadable = !problems.some(({ severity, code }) => severity === 'error' && code === 'syntax');
  const config = isReadable ? check(document, file, root, problems) : null;
  const diagnostics = diagnosticsOf(problems, text, file);
  return config === null ? { ok: false, diagnostics } : { ok: true, config, warnings: diagnostics, text };
}

/** What a folder without a configuration runs: nothing. */
export function emptyConfiguration(root: string): WorkspaceConfig {
  return resolveSettings(configuration.parse({}), null, new Folders(root));
}

export function tooLarge(file: string) {
  return fileDiagnostic(file, `expected a file of at most ${LARGEST_CONFIG_BYTES / 1024 ** 2} MB, found a larger one`);
}

function check(
  document: SourceDocument,
  file: string,
  root: string,
  problems: SourceProblem[],
): WorkspaceConfig | null {
  const folders = new Folders(root);
  const entries = entriesOf(document);
  const settings = configuration.safeParse(withoutFreeKeys(document.root?.value ?? {}), { reportInput: false });
  if (!settings.success) problems.push(...problemsOf(settings.error.issues, document));
  problems.push(
    ...checkNames(entries, document),
    ...checkCommands(entries, document),
    ...checkServices(entries, document),
    ...checkDependencies(entries, document),
    ...checkFolders(entries, document, folders),
  );
  const isWrong = problems.some(({ severity }) => severity === 'error');
  return isWrong || !settings.success ? null : resolveSettings(settings.data, file, folders);
}

function withoutFreeKeys(value: unknown): unknown {
  const map = asMap(value);
  return map === value ? Object.fromEntries(Object.entries(map).filter(([key]) => !FREE_KEY.test(key))) : value;
}
