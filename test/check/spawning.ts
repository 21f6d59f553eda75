import { type Finding, lineOf, plainCode, type SourceFile } from './source.ts';

/** The one launch function of the project. */
export const LAUNCHER = 'server/process/launch.ts';
/** Its part that starts the supervisor, which short commands load without the rest. */
export const DETACHED_LAUNCHER = 'server/process/launchDetached.ts';
/** Its parts that start managed trees, and the guardian of the supervisor. */
export const TREE_LAUNCHERS = [
  'server/process/launchDirect.ts',
  'server/process/spawner.ts',
  'server/process/guardian.ts',
] as const;
/** The only place that signals processes other than its own. */
export const SIGNALLER = 'server/process/signal.ts';
/** Where a process may become another program; that starts none. */
export const REPLACER = 'server/process/replace.ts';
/** Restarts the command under a newer Node; runs where nothing else of the project can be parsed. */
export const COMMAND_PROLOGUE = 'server/cli/coppice.cjs';

interface Rule {
  /** Tested on code without comments and types, strings in double quotes. */
  readonly pattern: RegExp;
  readonly message: string;
  readonly except: readonly string[];
}

const STARTERS: ReadonlySet<string> = new Set([LAUNCHER, DETACHED_LAUNCHER, ...TREE_LAUNCHERS, COMMAND_PROLOGUE]);

const LITERAL_ONLY = String.raw`(?!\s*"[^"]*"\s*[),])`;

const RULES: readonly Rule[] = [
  {
    pattern: /["'`](?:node:)?child_process["'`]/,
    message: `starts processes; only ${LAUNCHER} may`,
    except: [LAUNCHER, DETACHED_LAUNCHER, ...TREE_LAUNCHERS, COMMAND_PROLOGUE],
  },
  {
    pattern:
      /(?:\bfrom|\bimport|\brequire\(|\bimport\(|\bgetBuiltinModule\()\s*["'](?:node:cluster|cluster|execa|cross-spawn|node-pty|tinyexec|nano-spawn|zx|shelljs)["']/,
    message: `starts processes; only ${LAUNCHER} may`,
    except: [LAUNCHER],
  },
  {
    pattern: new RegExp(String.raw`\b(?:import|require|getBuiltinModule)\(${LITERAL_ONLY}`),
    message: 'loads a module whose name is not a literal, so what it loads cannot be checked',
    except: [],
  },
  {
    pattern: /\bcreateRequire\b/,
    message: 'makes a require of its own, so what it loads cannot be checked',
    except: [],
  },
  {
    pattern: /\bprocess\s*(?:\?\.|\.)\s*(?:binding|_linkedBinding|execve|dlopen)\b/,
    message: 'reaches past the launcher into the runtime',
    except: [REPLACER],
  },
  {
    pattern: /\bprocess\s*(?:\?\.)?\s*\[/,
    message: 'reads a computed property of process, so what it calls cannot be checked',
    except: [],
  },
  {
    pattern:
      /\bprocess\s*(?:\?\.|\.)\s*_?kill\b|\bkill\b[^{}]*\}\s*=\s*(?:globalThis\.)?process\b|\bkill\b[^{}]*\}\s*from\s*["'](?:node:)?process["']/,
    message: `sends signals; only ${SIGNALLER} may, which verifies the identity just before`,
    except: [SIGNALLER],
  },
];

/** Findings of processes started or signalled anywhere but in the two places made for it, or with no environment. */
export function checkSpawning(sources: readonly SourceFile[]): Finding[] {
  return sources.flatMap((source) => {
    const code = plainCode(source);
    const findings = RULES.flatMap(({ pattern, message, except }) => {
      const match = except.includes(source.path) ? null : pattern.exec(code);
      return match === null ? [] : [{ path: source.path, line: lineOf(source, anchor(match[0])), message }];
    });
    const starts = STARTERS.has(source.path);
    return starts ? [...findings, ...checkEnvironment(source, code)] : findings;
  });
}

/** Every start names the child's whole environment; left out, Node hands the child everything of its parent. */
function checkEnvironment(source: SourceFile, code: string): Finding[] {
  const found: Finding[] = [];
  for (const match of code.matchAll(startCalls(code))) {
    const call = match[0].slice(0, -1);
    const words = balanced(code, match.index + match[0].length - 1);
    const line = lineOf(source, match[0]);
    if (!/[{,]\s*env\s*[,:}]/.test(words)) {
      found.push({ path: source.path, line, message: `${call}() has no env in its options` });
    } else if (/[{,]\s*env:\s*process\.env\b/.test(words)) {
      found.push({
        path: source.path,
        line,
        message: `${call}() hands over this process's own environment, uncleaned`,
      });
    }
  }
  return found;
}

/** Matches the calls of whatever the file imports from the modules that start processes. */
function startCalls(code: string): RegExp {
  const callees = [String.raw`require\("(?:node:)?child_process"\)\.\w+`];
  for (const { groups } of code.matchAll(/import (?<clause>[^;"]+) from "(?:(?:node:)?child_process|execa)"/g)) {
    const [whole = '', named = ''] = (groups?.clause ?? '').split('{');
    for (const name of whole.match(/\w+(?=\s*,?\s*$)/g) ?? []) callees.push(String.raw`${name}(?:\.\w+)?`);
    for (const name of named.match(/\w+(?=\s*[,}])/g) ?? []) callees.push(name);
  }
  for (const { groups } of code.matchAll(
    /\{(?<named>[^{}]*)\} = await import\("(?:(?:node:)?child_process|execa)"\)/g,
  )) {
    for (const name of groups?.named?.match(/\w+(?=\s*(?:,|$))/g) ?? []) callees.push(name);
  }
  return new RegExp(String.raw`(?<![\w$.])(?:${callees.join('|')})\(`, 'g');
}

/** From the opening bracket at `start` to the one that closes it; strings are skipped. */
function balanced(code: string, start: number): string {
  let depth = 0;
  for (let at = start; at < code.length; at += 1) {
    const char = code[at];
    if (char === '"' || char === "'" || char === '`') at = endOfString(code, at);
    else if (char === '(') depth += 1;
    else if (char === ')') {
      depth -= 1;
      if (depth === 0) return code.slice(start, at + 1);
    }
  }
  return code.slice(start);
}

function endOfString(code: string, start: number): number {
  for (let at = start + 1; at < code.length; at += 1) {
    if (code[at] === '\\') at += 1;
    else if (code[at] === code[start]) return at;
  }
  return code.length;
}

/** A piece of the match that the source, with its own quotes and spaces, is likely to hold as it is. */
function anchor(matched: string): string {
  return /[\w.]*\w(?=\W*$)/.exec(matched)?.[0] ?? matched;
}
