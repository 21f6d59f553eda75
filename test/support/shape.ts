/**
 * Holds a JSON value against a shape, field by field: a missing field, a wrong type and a field that the shape does
 * not know are each told with their path.
 */
export type Shape =
  | 'string'
  | 'number'
  | 'boolean'
  | { readonly nullable: Shape }
  | { readonly listOf: Shape }
  | { readonly oneOf: readonly string[] }
  | { readonly mapOf: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> };

export function misfits(value: unknown, shape: Shape, path = '$'): string[] {
  if (typeof shape === 'string') {
    const fits = typeof value === shape && (shape !== 'number' || Number.isFinite(value));
    return fits ? [] : [`${path}: expected ${shape}, got ${JSON.stringify(value)}`];
  }
  if ('nullable' in shape) return value === null ? [] : misfits(value, shape.nullable, path);
  if ('oneOf' in shape) {
    return shape.oneOf.includes(value as string) ? [] : [`${path}: ${JSON.stringify(value)} is none of ${shape.oneOf}`];
  }
  if ('listOf' in shape) {
    if (!Array.isArray(value)) return [`${path}: expected a list, got ${JSON.stringify(value)}`];
    return value.flatMap((one, index) => misfits(one, shape.listOf, `${path}[${index}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`${path}: expected an object, got ${JSON.stringify(value)}`];
  if ('mapOf' in shape) {
    return Object.entries(value).flatMap(([key, one]) => misfits(one, shape.mapOf, `${path}.${key}`));
  }
  const missing = Object.keys(shape.fields).filter((key) => !Object.hasOwn(value, key));
  const unknown = Object.keys(value).filter((key) => !Object.hasOwn(shape.fields, key));
  return [
    ...missing.map((key) => `${path}.${key}: missing`),
    ...unknown.map((key) => `${path}.${key}: not of the contract`),
    ...Object.entries(shape.fields).flatMap(([key, inner]) =>
      Object.hasOwn(value, key) ? misfits((value as Record<string, unknown>)[key], inner, `${path}.${key}`) : [],
    ),
  ];
}

const memory: Shape = { fields: { heapUsedMb: 'number', rssMb: 'number' } };
const limits: Shape = { fields: { maxHeapMb: 'number' } };
const nullableNumber: Shape = { nullable: 'number' };
const nullableString: Shape = { nullable: 'string' };

const CAUSES = [
  'clean_exit',
  'runtime_error',
  'requested_stop',
  'oom_or_external_kill',
  'memory_drain',
  'wedged',
  'spawn_failure',
  'readiness_timeout',
  'unknown',
];

const holder: Shape = { oneOf: ['window', 'terminal', 'named'] };
const ownerKind: Shape = { oneOf: ['configuration', 'window', 'terminal', 'named'] };

/** `ps --json`: the fields of the contract, then what this version adds to them. */
export const STATUS_SHAPE: Shape = {
  fields: {
    workspace: { fields: { id: 'string', root: 'string', stateDir: 'string' } },
    supervisor: {
      nullable: {
        fields: {
          pid: 'number',
          startedAt: 'number',
          version: 'string',
          endpoint: 'string',
          limits,
          guardian: { nullable: { fields: { pid: 'number' } } },
          heartbeat: { fields: { ageMs: 'number', memory } },
        },
      },
    },
    services: {
      listOf: {
        fields: {
          name: 'string',
          kind: { oneOf: ['service', 'vite', 'preview', 'lsp'] },
          state: {
            oneOf: ['stopped', 'starting', 'ready', 'degraded', 'backoff', 'stopping', 'failed', 'completed'],
          },
          pid: nullableNumber,
          incarnation: 'number',
          restarts: 'number',
          crashes: 'number',
          lastExit: {
            nullable: {
              fields: { code: nullableNumber, signal: nullableString, at: 'number', cause: { oneOf: CAUSES } },
            },
          },
          memoryMb: nullableNumber,
          port: nullableNumber,
          url: nullableString,
          owner: 'string',
          ownerKind,
          readyAt: nullableNumber,
          log: 'string',
          detail: nullableString,
          startedAt: nullableNumber,
          respawnAt: nullableNumber,
          blockedBy: nullableString,
          failure: nullableString,
          enabled: 'boolean',
          outputOffset: 'number',
        },
      },
    },
    runs: {
      listOf: {
        fields: {
          id: 'string',
          state: { oneOf: ['running', 'succeeded', 'failed', 'canceled'] },
          owner: 'string',
          ownerKind,
          tasks: {
            listOf: {
              fields: {
                name: 'string',
                state: {
                  oneOf: [
                    'waiting',
                    'blocked',
                    'running',
                    'succeeded',
                    'cached',
                    'failed',
                    'timed_out',
                    'canceled',
                    'skipped',
                    'needs_attention',
                  ],
                },
                exitCode: nullableNumber,
                startedAt: nullableNumber,
                finishedAt: nullableNumber,
                log: 'string',
                detail: nullableString,
              },
            },
          },
        },
      },
    },
    sessions: {
      listOf: {
        fields: {
          session: 'string',
          holder,
          state: { oneOf: ['held', 'lingering', 'leaving', 'ending'] },
          leftMs: nullableNumber,
          owns: { listOf: 'string' },
        },
      },
    },
  },
};

export const HEARTBEAT_SHAPE: Shape = {
  fields: {
    pid: 'number',
    startTime: 'string',
    at: 'number',
    clock: { fields: { bootId: 'string', steady: 'number', now: 'number' } },
    uptimeMs: 'number',
    eventLoopDelayMs: 'number',
    memory,
    services: { mapOf: 'number' },
    runs: { listOf: 'string' },
  },
};

export const LOCK_SHAPE: Shape = {
  fields: {
    pid: 'number',
    startTime: 'string',
    bootId: 'string',
    hostname: 'string',
    pidNamespace: nullableString,
    endpoint: 'string',
    stateDir: 'string',
    version: 'string',
    startedAt: 'number',
    limits,
    folder: 'string',
    nonce: 'string',
  },
};

const stray: Shape = {
  fields: { pid: 'number', name: 'string', command: 'string', marker: 'string', parent: 'number' },
};

/** `doctor --json`: the fields of the contract, then what this version adds to them. */
export const DOCTOR_SHAPE: Shape = {
  fields: {
    ok: 'boolean',
    workspace: { fields: { id: nullableString, root: 'string', stateDir: nullableString } },
    supervisors: {
      fields: {
        count: 'number',
        holder: {
          nullable: {
            fields: {
              pid: 'number',
              host: 'string',
              since: 'number',
              version: 'string',
              endpoint: 'string',
              state: { oneOf: ['alive', 'wedged', 'stopped', 'dead', 'elsewhere', 'unknown'] },
            },
          },
        },
        limits: { nullable: limits },
        others: { listOf: 'number' },
      },
    },
    heartbeat: {
      fields: {
        ageMs: nullableNumber,
        verdict: {
          oneOf: ['fresh', 'late', 'suspect', 'missing', 'foreign', 'future', 'corrupt', 'dead', 'none'],
        },
      },
    },
    guardian: {
      fields: {
        pid: nullableNumber,
        status: { oneOf: ['watching', 'stopped', 'gone', 'gave_up', 'unknown', 'none'] },
      },
    },
    processes: {
      listOf: {
        fields: {
          name: 'string',
          pid: 'number',
          status: { oneOf: ['running', 'leader_gone', 'ended', 'recycled', 'unknown'] },
          incarnation: 'number',
          members: 'number',
        },
      },
    },
    deadProcesses: { listOf: 'number' },
    orphans: { listOf: stray },
    escaped: { listOf: stray },
    ports: {
      listOf: {
        fields: {
          port: 'number',
          name: 'string',
          status: { oneOf: ['held', 'free', 'taken'] },
          holder: nullableString,
        },
      },
    },
    environment: { fields: { clean: 'boolean', stripped: { listOf: 'string' }, preserved: { listOf: 'string' } } },
    budgets: {
      listOf: {
        fields: {
          name: 'string',
          budget: { oneOf: ['crashes', 'slow', 'clean', 'drains', 'wedges'] },
          used: 'number',
          limit: 'number',
          windowMs: 'number',
        },
      },
    },
    findings: {
      listOf: {
        fields: {
          check: 'string',
          level: { oneOf: ['info', 'warn', 'error'] },
          message: 'string',
          fix: nullableString,
        },
      },
    },
  },
};
