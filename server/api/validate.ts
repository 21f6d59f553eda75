/** Parameters of requests, checked once at the border; inside, nothing is checked again. */
import * as z from 'zod';
import type { RequestName, Requests } from './protocol.ts';

const nothing = z.unknown().transform((): Record<string, never> => ({}));
const names = z.object({ names: z.array(z.string().max(256)).max(10_000) });
const id = z.object({ id: z.string().max(128) });
const session = z.string().min(1).max(128);

const schemas: { readonly [Name in RequestName]: z.ZodType<Requests[Name][0]> } = {
  hello: z.object({
    protocol: z.number(),
    client: z.object({
      kind: z.enum(['cli', 'editor', 'agent', 'other']),
      pid: z.int().positive(),
      version: z.string().max(64),
      session: session.nullable(),
    }),
  }),
  status: nothing,
  up: names,
  start: names,
  stop: names,
  restart: names,
  reset: names,
  reload: nothing,
  wait: z.object({
    name: z.string(),
    for: z.enum(['ready', 'exit']),
    timeoutMs: z.number().nonnegative().nullable(),
  }),
  exec: z.object({
    argv: z.tuple([z.string().min(1)], z.string()),
    cwd: z.string().min(1),
    env: z.record(z.string(), z.string()),
    session: session.nullable(),
  }),
  execWait: id,
  execStop: id,
  reap: z.object({ session }),
  subscribe: nothing,
  down: nothing,
};

export type Validated<Name extends RequestName> =
  | { readonly ok: true; readonly params: Requests[Name][0] }
  | { readonly ok: false; readonly message: string };

/** On failure the message names each field: `expected X at params.names[0], got Y`. */
export function validateParams<Name extends RequestName>(name: Name, params: unknown): Validated<Name> {
  const result = schemas[name].safeParse(params ?? {});
  if (result.success) return { ok: true, params: result.data };
  const issues = result.error.issues.map((issue) => {
    const path = ['params', ...issue.path].map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`));
    return `${issue.message} at ${path.join('').slice(1)}`;
  });
  return { ok: false, message: issues.join('; ') };
}

/** Whether a method of this name exists. */
export function isRequestName(name: string): name is RequestName {
  return Object.hasOwn(schemas, name);
}
