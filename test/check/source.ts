/** What the checks look at: the text of a source file, the modules it names, its code without comments and types. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';

export interface SourceFile {
  /** Relative to the project, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Finding {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface ModuleReference {
  readonly specifier: string;
  readonly line: number;
}

const SOURCE_ENDINGS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];
const IGNORED = /(^|\/)(node_modules|dist|workspaces)\//;

/** Every source file below the named folders of `root`; a folder that is not there has none. */
export function readSources(root: string, folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    entriesBelow(join(root, folder))
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
      .filter((path) => SOURCE_ENDINGS.some((ending) => path.endsWith(ending)) && !IGNORED.test(path))
      .sort()
      .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })),
  );
}

/** Every module that the file imports, re-exports or requires by a literal name, types included. */
export function moduleReferences({ text }: SourceFile): ModuleReference[] {
  const forms = [
    // A statement begins its line; in a comment something else stands before the word.
    /^(?:import|export)\b[^;'"]*?\bfrom\s*(['"])(?<specifier>[^'"\n]+)\1/gm,
    /^import\s*(['"])(?<specifier>[^'"\n]+)\1/gm,
    /\b(?:import|require)\s*\(\s*(['"])(?<specifier>[^'"\n]+)\1/g,
  ];
  return forms.flatMap((form) =>
    [...text.matchAll(form)].map((match) => ({
      specifier: match.groups?.specifier ?? '',
      line: lineAt(text, match.index + match[0].length),
    })),
  );
}

/** The code alone: no comments, no types, strings in double quotes, one way of spacing. */
export function plainCode({ path, text }: SourceFile): string {
  return transformSync(text, {
    loader: /ts$/.test(path) ? 'ts' : 'js',
    legalComments: 'none',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  }).code;
}

/** The line of the first place where `words` stands in the text; 1 when it is written in another way there. */
export function lineOf({ text }: SourceFile, words: string): number {
  const at = text.indexOf(words);
  return at < 0 ? 1 : lineAt(text, at);
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function entriesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true }).map(String);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
