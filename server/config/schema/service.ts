import * as z from 'zod';
import { entryFields } from './entry.ts';
import { live, ready } from './probes.ts';
import { restart } from './restart.ts';
import { duration, flag, listOf, oneOf, size, wholeNumber } from './scalars.ts';

const PORT = '`auto`, or a port from 1 to 65535';

export const service = z
  .strictObject(
    {
      ...entryFields,
      kind: oneOf(['service', 'vite', 'preview', 'lsp'])
        .prefault('service')
        .meta({ title: 'Kind', description: 'What it is, for its default readiness and for how it is shown.' }),
      port: z
        .union([z.literal('auto', { error: PORT }), wholeNumber(1, 65_535)], { error: PORT })
        .optional()
        .meta({
          title: 'Port',
          description: '`auto` picks a free one. The command gets it as `PORT` and for `${port}`.',
          examples: ['auto', 3000],
        }),
      ready: ready(),
      live: live(),
      restart: restart(),
      memory: z
        .strictObject(
          {
            warn: size()
              .optional()
              .meta({ title: 'Warn above', description: 'The service is shown as degraded.', examples: ['1GB'] }),
            max: size()
              .optional()
              .meta({ title: 'Restart above', description: 'The service is restarted gracefully.', examples: ['2GB'] }),
          },
          { error: 'a map with `warn` and `max`' },
        )
        .refine(({ warn, max }) => warn === undefined || max === undefined || warn < max, {
          path: ['warn'],
          error: 'a size below `max`',
          params: { guess: false },
        })
        .transform(({ warn, max }) => ({ warnBytes: warn ?? null, maxBytes: max ?? null }))
        .prefault({})
        .meta({
          title: 'Memory',
          description: 'Limits for the memory of the whole process tree. Default: none.',
          examples: [{ warn: '1GB', max: '2GB' }],
        }),
      idleStop: z
        .union([z.literal('off', { error: '`off`' }), duration(1)], { error: 'a duration such as `10m`, or `off`' })
        .prefault('off')
        .meta({
          title: 'Idle stop',
          description: 'Stops the service when nobody has used it for so long.',
          examples: ['10m'],
        }),
      enabled: flag()
        .prefault(true)
        .meta({ title: 'Enabled', description: '`false`: it is started only when it is asked for by name.' }),
      languages: listOf('a language identifier')
        .prefault([])
        .meta({
          title: 'Languages',
          description: 'The language identifiers that the server is for (with `kind: lsp`).',
          examples: [['typescript', 'javascript']],
        }),
      warm: oneOf(['off', 'reload'])
        .optional()
        .meta({
          title: 'Warm',
          description:
            '`reload` keeps the language server through a reload of the editor. Default: `reload` with `kind: lsp`.',
          examples: ['reload'],
        }),
    },
    { error: 'a map that describes a service' },
  )
  .meta({ title: 'Service', description: 'A process that runs until it is stopped.' });
