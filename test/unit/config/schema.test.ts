import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { jsonSchema } from '../../../server/config/schema.ts';
import { schemaText } from '../../../server/config/writeSchema.ts';

interface SchemaNode {
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly required?: readonly string[];
}

/** Every node below, with the keys that lead to it. */
function* walk(node: SchemaNode, path: string): Generator<[string, SchemaNode]> {
  yield [path, node];
  for (const [key, child] of Object.entries(node.properties ?? {})) yield* walk(child, `${path}.${key}`);
  if (typeof node.additionalProperties === 'object') yield* walk(node.additionalProperties, `${path}.*`);
  for (const child of node.anyOf ?? []) yield* walk(child, path);
  if (node.items !== undefined) yield* walk(node.items, `${path}[]`);
}

describe('the JSON Schema of the configuration', () => {
  const schema = jsonSchema() as SchemaNode;
  const properties = [...walk(schema, '')].flatMap(([path, node]) =>
    Object.entries(node.properties ?? {}).map(([key, child]) => [`${path}.${key}`, child] as const),
  );
  const entry = (section: string): SchemaNode => {
    const map = [schema.properties?.[section], ...(schema.properties?.[section]?.anyOf ?? [])];
    const found = map.find((node) => typeof node?.additionalProperties === 'object')?.additionalProperties;
    return found as SchemaNode;
  };

  it('is checked in as it is generated (node server/config/writeSchema.ts media/coppice.schema.json)', () => {
    assert.equal(readFileSync(new URL('../../../media/coppice.schema.json', import.meta.url), 'utf8'), schemaText());
  });

  it('has a title and a description for every key, to show on hovering', () => {
    const without = properties.filter(([, { title, description }]) => !title || !description).map(([path]) => path);
    assert.deepEqual(without, []);
  });

  it('has a default or an example for every key', () => {
    const without = properties.filter(([, node]) => {
      const nested = Object.keys(node.properties ?? {}).length > 0;
      return node.default === undefined && node.examples === undefined && !nested;
    });
    assert.deepEqual(
      without.map(([path]) => path),
      [],
    );
  });

  it('allows no unknown key in any map of fixed keys', () => {
    const open = [...walk(schema, '')].filter(([, node]) => node.properties && node.additionalProperties !== false);
    assert.deepEqual(
      open.map(([path]) => path),
      [],
    );
  });

  it('has every key of a service', () => {
    assert.deepEqual(Object.keys(entry('services').properties ?? {}).sort(), [
      ...['command', 'cwd', 'dependsOn', 'enabled', 'env', 'envFile', 'idleStop', 'kind', 'languages', 'live'],
      ...[
        'memory',
        'onOwnerLoss',
        'onSupervisorLoss',
        'port',
        'ready',
        'restart',
        'shell',
        'stdin',
        'stopSignal',
        'stopTimeout',
        'warm',
      ],
    ]);
    assert.deepEqual(entry('services').required, ['command']);
  });

  it('has every key of a task', () => {
    assert.deepEqual(Object.keys(entry('tasks').properties ?? {}).sort(), [
      ...['attentionCodes', 'cache', 'command', 'cwd', 'dependsOn', 'env', 'envFile', 'envInputs', 'inputs'],
      ...[
        'onOwnerLoss',
        'onSupervisorLoss',
        'outputs',
        'problemMatcher',
        'retries',
        'shell',
        'stdin',
        'stopSignal',
        'stopTimeout',
        'timeout',
      ],
    ]);
  });

  it('offers the words of a key that takes one of several', () => {
    assert.deepEqual(entry('services').properties?.kind?.enum, ['service', 'vite', 'preview', 'lsp']);
    assert.equal(entry('services').properties?.stopTimeout?.default, '5s');
  });
});
