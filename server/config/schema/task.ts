import * as z from 'zod';
import { entryFields } from './entry.ts';
import { duration, flag, listOf, textOrList, wholeNumber } from './scalars.ts';

const MOST_EXIT_CODE = 2 ** 32 - 1;

export const task = z
  .strictObject(
    {
      ...entryFields,
      inputs: listOf('a glob')
        .optional()
        .meta({
          title: 'Inputs',
          description:
            'Globs of the files that the result depends on, relative to the folder of the command; `!` excludes.',
          examples: [['src/**', 'package.json', '!**/*.test.ts']],
        }),
      outputs: listOf('a glob')
        .optional()
        .meta({
          title: 'Outputs',
          description: 'Globs of the files that the task makes, relative to the folder of the command; `!` excludes.',
          examples: [['dist/**']],
        }),
      envInputs: listOf('the name of a variable')
        .prefault([])
        .meta({
          title: 'Environment inputs',
          description: 'Names of the variables that the result depends on.',
          examples: [['NODE_ENV']],
        }),
      timeout: duration(1)
        .optional()
        .meta({ title: 'Timeout', description: 'How long the task may run. Default: no limit.', examples: ['10m'] }),
      retries: wholeNumber(0, 100)
        .prefault(0)
        .meta({ title: 'Retries', description: 'How often a failed task is tried again.' }),
      attentionCodes: z
        .array(wholeNumber(1, MOST_EXIT_CODE), { error: 'a list of exit codes' })
        .prefault([75])
        .meta({ title: 'Attention codes', description: 'Exit codes that mean: a person must look.' }),
      cache: flag()
        .optional()
        .meta({
          title: 'Cache',
          description: 'Whether a result is kept and restored. Default: `true` when `inputs` or `outputs` are given.',
          examples: [false],
        }),
      problemMatcher: textOrList('the name of a problem matcher')
        .prefault([])
        .meta({
          title: 'Problem matcher',
          description: 'How the editor finds problems in the output.',
          examples: ['$tsc', ['$eslint-stylish']],
        }),
    },
    { error: 'a map that describes a task' },
  )
  .meta({ title: 'Task', description: 'A command that runs to an end.' });
