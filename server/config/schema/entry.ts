import * as z from 'zod';
import { CONDITIONS, commandText, duration, flag, oneOf, SIGNALS, text, textOrList } from './scalars.ts';

/** Programs are given names and values; `=` ends a name, and NUL ends everything. */
export const ENVIRONMENT_NAME = /^[^=\s]+$/;

const environmentValue = () =>
  z
    .union([text('a text'), z.number(), z.boolean()], { error: 'a text (or a number, `true`, `false`)' })
    .transform(String);

/** What services and tasks have in common. */
export const entryFields = {
  command: commandText().meta({
    title: 'Command',
    description:
      'What to run: a list of words, or one text that is split into words as a shell would, but run without one. `${port}` stands for the port of the service.',
    examples: ['vite --port ${port}', ['node', 'server.js']],
  }),
  shell: flag().prefault(false).meta({
    title: 'Shell',
    description: '`true` gives the text of `command` to the shell, for pipes, variables and patterns.',
  }),
  cwd: text('a folder', 1)
    .prefault('.')
    .meta({
      title: 'Folder',
      description: 'Where the command runs, relative to the workspace and inside of it.',
      examples: ['packages/web'],
    }),
  env: z
    .record(z.string().meta({ pattern: ENVIRONMENT_NAME.source }), environmentValue(), {
      error: 'a map of names and values',
    })
    .prefault({})
    .meta({
      title: 'Environment',
      description: 'Variables for the command; they count before `envFile` and before what is inherited.',
      examples: [{ NODE_ENV: 'development', API_URL: 'http://127.0.0.1:3000' }],
    }),
  envFile: textOrList('a file')
    .prefault([])
    .meta({
      title: 'Environment files',
      description:
        'One or more `.env` files, relative to the folder of the command; later ones count before earlier ones.',
      examples: ['.env', ['.env', '.env.local']],
    }),
  dependsOn: z
    .union([z.array(text('a name', 1)), z.record(z.string(), oneOf(CONDITIONS))], {
      error: 'a list of names, or a map of names and conditions',
    })
    .transform((value) =>
      Array.isArray(value)
        ? value.map((name) => ({ name, condition: null }))
        : Object.entries(value).map(([name, condition]) => ({ name, condition })),
    )
    .prefault([])
    .meta({
      title: 'Depends on',
      description:
        'What must be there first: names, or names with a condition. Conditions of services are `ready` (default), `started`, `completed`; of tasks `succeeded`.',
      examples: [['build'], { database: 'ready', build: 'succeeded' }],
    }),
  stopSignal: oneOf(SIGNALS)
    .prefault('SIGTERM')
    .meta({ title: 'Stop signal', description: 'The signal that asks the whole process tree to end.' }),
  stopTimeout: duration()
    .prefault('5s')
    .meta({ title: 'Stop timeout', description: 'How long the tree may take to end before it is killed.' }),
  stdin: oneOf(['ignore', 'hold']).prefault('ignore').meta({
    title: 'Standard input',
    description: '`hold` gives an open pipe that is never written to, for tools that end when their input ends.',
  }),
  onSupervisorLoss: oneOf(['adopt', 'stop']).prefault('adopt').meta({
    title: 'On supervisor loss',
    description: '`adopt`: it keeps running and the next supervisor takes it over. `stop`: the next one stops it.',
  }),
  onOwnerLoss: oneOf(['stop', 'adopt']).prefault('stop').meta({
    title: 'On owner loss',
    description:
      'What happens when the window, terminal or named session that started it has been gone for the whole of `idle.grace` and nobody else needs it. `stop`: it is stopped. `adopt`: it keeps running and belongs to the workspace. What was started without a session (`up --detach`, `start`) is never concerned.',
  }),
};
