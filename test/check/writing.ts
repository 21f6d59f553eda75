import { type Finding, lineOf, plainCode, type SourceFile } from './source.ts';

/** The one place that changes durable files; each of its calls has a failure point. */
export const WRITER = 'server/process/disk.ts';

/** Files that write by themselves, with the reason for which a failed or torn write of theirs harms nothing. */
export const OTHER_WRITERS: Readonly<Record<string, string>> = {
  'server/process/failpoint.ts': 'tells tests what it did; not in what is shipped',
  'server/process/launchFailure.ts': "opens a child's log for the child",
  'server/process/keeper.ts': 'copies the keeper program, which is made again where it is missing',
  'server/process/output/rotateOutput.ts': 'moves what children printed, with failure points of its own',
  'server/life/ownLog.ts': "the supervisor's own words, which nothing is decided by",
  'server/doctor/drill/stage.ts': 'makes scratch workspaces, which are removed whatever happens',
  'server/cli/verbs/init.ts': 'writes a configuration for the user, who sees whether it worked',
  'server/config/writeSchema.ts': 'a tool of the build',
};

const CHANGES =
  /\b(?:write|writev|writeFile|appendFile|rename|link|symlink|truncate|ftruncate|fsync|fdatasync|copyFile|cp)(?:Sync)?\b/;
/** What is imported from the file system's modules; types are gone by then. */
const IMPORTS = /\bimport\s*(?<clause>[^;"]*?)\s*from\s*"(?:node:)?fs(?:\/promises)?"/g;
const OPENED_TO_WRITE = /\bopen(?:Sync)?\([^;]*?(?:,\s*"(?:r\+|w|a|wx|ax|as)\+?"|\bO_(?:WRONLY|RDWR|APPEND|CREAT)\b)/;

/** Findings of files that change what is on the disk by themselves, so that no test can make that fail. */
export function checkWriting(sources: readonly SourceFile[]): Finding[] {
  return sources.flatMap((source) => {
    if (source.path === WRITER || source.path in OTHER_WRITERS) return [];
    const code = plainCode(source);
    const message = `writes files by itself; what is durable goes through ${WRITER}, where it has a failure point`;
    for (const { groups } of code.matchAll(IMPORTS)) {
      const clause = groups?.clause ?? '';
      const named = CHANGES.exec(clause)?.[0];
      if (named !== undefined) return [{ path: source.path, line: lineOf(source, named), message }];
      const whole = /^(?:\*\s*as\s+)?(\w+)/.exec(clause)?.[1];
      if (whole === undefined) continue;
      const used = new RegExp(String.raw`\b${whole}\s*\.\s*(?:promises\s*\.\s*)?${CHANGES.source}`).exec(code)?.[0];
      if (used !== undefined) return [{ path: source.path, line: lineOf(source, used), message }];
    }
    const opened = OPENED_TO_WRITE.exec(code)?.[0];
    return opened === undefined ? [] : [{ path: source.path, line: lineOf(source, opened.slice(0, 8)), message }];
  });
}
