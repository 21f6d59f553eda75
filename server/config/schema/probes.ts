import * as z from 'zod';
import { commandText, duration, text, wholeNumber } from './scalars.ts';

/** A probe as written: exactly one of the kinds. Commands are split later, where positions are known. */
export type ProbeSetting =
  | { readonly kind: 'http'; readonly target: string }
  | { readonly kind: 'tcp'; readonly port: string }
  | { readonly kind: 'log'; readonly pattern: string }
  | { readonly kind: 'exec'; readonly command: string | string[] }
  | { readonly kind: 'lsp' };

export const PROBE_KINDS = ['http', 'tcp', 'log', 'exec', 'lsp'] as const;

const HTTP = 'a path such as `/`, or a URL that begins with `http://` or `https://`';
const TCP = 'a port from 1 to 65535, or `${port}`';

const kinds = {
  http: text(HTTP, 1)
    .refine(isPathOrUrl, { error: HTTP })
    .optional()
    .meta({
      title: 'HTTP',
      description: 'A path on the port of the service, or a whole URL. Answers from 200 to 399 count.',
      examples: ['/', '/health', 'http://127.0.0.1:${port}/health'],
    }),
  tcp: z
    .union([wholeNumber(1, 65_535), z.literal('${port}', { error: TCP })], { error: TCP })
    .transform(String)
    .optional()
    .meta({ title: 'TCP', description: 'A port that must accept a connection.', examples: [5432, '${port}'] }),
  log: text('a regular expression', 1)
    .superRefine((pattern, context) => {
      const complaint = complaintAboutPattern(pattern);
      if (complaint !== null) context.addIssue({ code: 'custom', message: `a regular expression (${complaint})` });
    })
    .optional()
    .meta({
      title: 'Log pattern',
      description: 'A regular expression that a line of the output of this very start must match.',
      examples: ['listening on', 'ready in \\d+ ms'],
    }),
  exec: commandText()
    .optional()
    .meta({
      title: 'Command',
      description:
        'A command that must exit with 0. It runs without a shell, in the folder and environment of the service.',
      examples: ['pg_isready -p ${port}', ['curl', '-fsS', 'http://127.0.0.1:${port}']],
    }),
  lsp: z
    .literal(true, { error: '`true`' })
    .optional()
    .meta({ title: 'LSP', description: 'The language server must answer (only with `kind: lsp`).', examples: [true] }),
};

export const ready = () =>
  z
    .union(
      [
        z.literal('none', { error: '`none`' }),
        exactlyOneKind(
          z.strictObject({
            ...kinds,
            interval: interval('500ms'),
            timeout: duration(1).prefault('30s').meta({
              title: 'Limit',
              description: 'The whole wait from start to ready; when it is over the start counts as a crash.',
            }),
          }),
        ).transform((settings) => ({
          probe: probeOf(settings),
          intervalMs: settings.interval,
          timeoutMs: settings.timeout,
        })),
      ],
      { error: `a map with one of ${KINDS_IN_WORDS}, or \`none\`` },
    )
    .optional()
    .meta({
      title: 'Readiness',
      description:
        'When the service counts as ready. Default: `http: /` for `vite` and `preview` with a `port`, `lsp` for `lsp`, otherwise `none`: it stays up for one second.',
      examples: [{ http: '/' }, { tcp: '${port}' }, { log: 'listening on' }, { exec: 'pg_isready' }, 'none'],
    });

export const live = () =>
  exactlyOneKind(
    z.strictObject(
      {
        ...kinds,
        interval: interval('10s'),
        timeout: duration(1).prefault('5s').meta({ title: 'Limit', description: 'How long one probe may take.' }),
        failures: wholeNumber(1, 1000)
          .prefault(3)
          .meta({ title: 'Failures', description: 'So many in a row, and the service is restarted as wedged.' }),
      },
      { error: `a map with one of ${KINDS_IN_WORDS}` },
    ),
  )
    .transform((settings) => ({
      probe: probeOf(settings),
      intervalMs: settings.interval,
      timeoutMs: settings.timeout,
      failures: settings.failures,
    }))
    .optional()
    .meta({
      title: 'Liveness',
      description: 'How a running service is asked whether it still works. Default: it is not asked.',
      examples: [{ http: '/health', interval: '10s', failures: 3 }],
    });

interface KindSettings {
  readonly http?: string | undefined;
  readonly tcp?: string | undefined;
  readonly log?: string | undefined;
  readonly exec?: string | string[] | undefined;
  readonly lsp?: true | undefined;
}

const KINDS_IN_WORDS = PROBE_KINDS.map((kind) => `\`${kind}\``).join(', ');

/** Below that a probe would be the load that it measures. */
const SHORTEST_INTERVAL_MS = 10;

function interval(usual: string) {
  return duration(SHORTEST_INTERVAL_MS)
    .prefault(usual)
    .meta({ title: 'Interval', description: 'The time between two probes.' });
}

function exactlyOneKind<T extends z.ZodType<KindSettings>>(schema: T): T {
  return schema.superRefine((settings, context) => {
    const given = PROBE_KINDS.filter((kind) => settings[kind] !== undefined);
    if (given.length === 1) return;
    const message = `exactly one of ${KINDS_IN_WORDS}`;
    const [, second] = given;
    const params = { found: given.length === 0 ? 'none of them' : given.map((kind) => `\`${kind}\``).join(' and ') };
    context.addIssue({ code: 'custom', message, path: second === undefined ? [] : [second], params });
  });
}

function probeOf({ http, tcp, log, exec, lsp }: KindSettings): ProbeSetting {
  if (http !== undefined) return { kind: 'http', target: http };
  if (tcp !== undefined) return { kind: 'tcp', port: tcp };
  if (log !== undefined) return { kind: 'log', pattern: log };
  if (exec !== undefined) return { kind: 'exec', command: exec };
  if (lsp !== undefined) return { kind: 'lsp' };
  throw new Error('a probe of no kind has passed the check');
}

function isPathOrUrl(target: string): boolean {
  if (target.startsWith('/')) return !/\s/.test(target);
  return /^https?:\/\/[^/\s]/i.test(target) && URL.canParse(target.replaceAll('${port}', '1'));
}

function complaintAboutPattern(pattern: string): string | null {
  try {
    new RegExp(pattern);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
