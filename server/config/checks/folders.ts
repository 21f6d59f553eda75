import { lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { nodeAt, type SourceDocument, type SourceProblem } from '../document/document.ts';
import type { RawEntry } from './entries.ts';

export type FolderVerdict =
  | { readonly kind: 'there' | 'missing'; readonly path: string }
  | { readonly kind: 'refused'; readonly why: string };

/** Folders of the workspace by the text that names them; real paths, so that a link cannot lead outside. */
export class Folders {
  readonly root: string;
  readonly #known = new Map<string, FolderVerdict>();

  constructor(root: string) {
    this.root = realPath(resolve(root)) ?? resolve(root);
  }

  verdict(folder: string): FolderVerdict {
    const known = this.#known.get(folder);
    if (known !== undefined) return known;
    const verdict = this.#look(folder);
    this.#known.set(folder, verdict);
    return verdict;
  }

  isInside(path: string): boolean {
    const way = relative(this.root, path);
    return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  }

  #look(folder: string): FolderVerdict {
    if (folder.includes('\0')) return { kind: 'refused', why: 'found a NUL character' };
    const wanted = resolve(this.root, folder);
    const outside = (place: string): FolderVerdict => ({ kind: 'refused', why: `found one outside of it: ${place}` });
    const real = realPath(wanted);
    if (real !== null) {
      if (!this.isInside(real)) return outside(real);
      if (!isFolder(real)) return { kind: 'refused', why: `found something that is not a folder: ${real}` };
      return { kind: 'there', path: real };
    }
    // Not there yet. What is there of the way to it decides, and may be a link as well.
    if (isThere(wanted)) return { kind: 'refused', why: `found a link that leads nowhere: ${wanted}` };
    let above = dirname(wanted);
    while (realPath(above) === null && dirname(above) !== above) above = dirname(above);
    const path = join(realPath(above) ?? above, relative(above, wanted));
    return this.isInside(path) ? { kind: 'missing', path } : outside(path);
  }
}

/** Folders and globs that stay inside the workspace. */
export function checkFolders(
  entries: readonly RawEntry[],
  document: SourceDocument,
  folders: Folders,
): SourceProblem[] {
  const problems: SourceProblem[] = [];
  for (const { path, raw } of entries) {
    const report = (keys: readonly (string | number)[], severity: SourceProblem['severity'], message: string) => {
      const at = [...path, ...keys];
      const node = nodeAt(document, at);
      if (node !== null) problems.push({ severity, code: 'path', start: node.start, end: node.end, path: at, message });
    };
    const { cwd = '.' } = raw;
    const verdict = typeof cwd === 'string' && cwd !== '' ? folders.verdict(cwd) : null;
    if (verdict?.kind === 'refused') report(['cwd'], 'error', `expected a folder of the workspace, ${verdict.why}`);
    if (verdict?.kind === 'missing') report(['cwd'], 'warning', `there is no such folder (yet): ${verdict.path}`);
    const base = verdict === null || verdict.kind === 'refused' ? folders.root : verdict.path;
    const depth = relative(folders.root, base).split(sep).filter(Boolean).length;
    for (const key of ['inputs', 'outputs']) {
      const globs = raw[key];
      if (!Array.isArray(globs)) continue;
      globs.forEach((glob: unknown, index) => {
        const complaint = typeof glob === 'string' ? complaintAboutGlob(glob, depth) : null;
        if (complaint !== null) report([key, index], 'error', complaint);
      });
      if (globs.length > 0 && globs.every((glob) => typeof glob === 'string' && glob.startsWith('!'))) {
        report([key], 'error', 'expected at least one glob that includes files, found only globs that exclude');
      }
    }
  }
  return problems;
}

/** `depth` is how many folders may be left upwards before the glob is outside of the workspace. */
function complaintAboutGlob(glob: string, depth: number): string | null {
  const pattern = glob.replace(/^!/, '');
  if (pattern === '') return glob === '' ? null : 'expected a glob after `!`, found nothing';
  if (pattern.startsWith('/') || /^[A-Za-z]:/.test(pattern)) {
    return `expected a glob relative to the folder of the command, found ${JSON.stringify(glob)}`;
  }
  if (/\\[\w.]/.test(pattern)) return `expected \`/\` between folders, found ${JSON.stringify(glob)}`;
  let level = depth;
  for (const part of pattern.split('/')) {
    if (part === '..') level -= 1;
    else if (part !== '' && part !== '.' && part !== '**') level += 1;
    if (level < 0) return `expected a glob that stays inside the workspace, found ${JSON.stringify(glob)}`;
  }
  return null;
}

function realPath(path: string): string | null {
  try {
    return realpathSync.native(path);
  } catch {
    return null;
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
