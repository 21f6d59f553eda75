/**
 * The one description of the configuration: what is allowed, what is the default, and what a hover shows. The types
 * of the settings and the published JSON Schema are both made from it.
 */
import * as z from 'zod';
import { duration, NAME_PATTERN } from './schema/scalars.ts';
import { service } from './schema/service.ts';
import { task } from './schema/task.ts';

const names = () => z.string().meta({ pattern: NAME_PATTERN.source });

/** Top-level keys with this prefix are free for everybody, above all to hang YAML anchors on. */
export const FREE_KEY = /^x-/;

export const configuration = z
  .strictObject(
    {
      $schema: z
        .string({ error: 'the address of a JSON Schema' })
        .optional()
        .meta({
          title: 'Schema',
          description: 'Where an editor finds the JSON Schema of this file.',
          examples: ['./node_modules/coppice/dist/coppice.schema.json'],
        }),
      idle: z
        .strictObject(
          {
            grace: duration().prefault('5m').meta({
              title: 'Grace',
              description:
                'How long the supervisor stays after its last client left and nothing is left running, and how long what a window, terminal or named session started waits for it to come back.',
            }),
          },
          { error: 'a map with `grace`' },
        )
        .prefault({})
        .meta({ title: 'Idle', description: 'When the supervisor ends by itself.' }),
      services: z
        .record(names(), service, { error: 'a map of services by name' })
        .nullable()
        .prefault({})
        .meta({ title: 'Services', description: 'What runs until it is stopped, by name.' }),
      tasks: z
        .record(names(), task, { error: 'a map of tasks by name' })
        .nullable()
        .prefault({})
        .meta({ title: 'Tasks', description: 'What runs to an end, by name.' }),
    },
    { error: 'a map with `services` and `tasks`' },
  )
  .meta({ title: 'Coppice', description: 'What a workspace runs: services and tasks.' });

/** The settings of a file: validated and with defaults, but with paths, words and dependencies as they are written. */
export type Settings = z.output<typeof configuration>;
export type ServiceSettings = z.output<typeof service>;
export type TaskSettings = z.output<typeof task>;

export { service, task };

/** JSON Schema (draft 7, which the JSON and YAML support of editors reads best) of what people write. */
export function jsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configuration, {
    io: 'input',
    target: 'draft-7',
    // zod leaves the examples of converted values out, because they could be of the output; ours are what is written.
    override: ({ zodSchema, jsonSchema: made }) => {
      const examples = z.globalRegistry.get(zodSchema)?.examples;
      if (Array.isArray(examples)) made.examples = examples;
    },
  });
  return { ...schema, patternProperties: { [FREE_KEY.source]: {} } };
}
