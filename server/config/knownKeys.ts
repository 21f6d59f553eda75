/** Which keys may stand where, read from the JSON Schema; only needed when there is an error to explain. */
import type { ConfigPath } from './document/document.ts';
import { jsonSchema } from './schema.ts';

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

let cached: SchemaNode | null = null;

export function knownKeys(path: ConfigPath): string[] {
  cached ??= jsonSchema() as SchemaNode;
  let nodes = alternatives(cached);
  for (const step of path) nodes = nodes.flatMap((node) => child(node, String(step))).flatMap(alternatives);
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

/** Where a key that is unknown here would be right, in words; `null` where it is right nowhere near. */
export function otherHomeOf(key: string, parent: ConfigPath, value: unknown): string | null {
  const [section, name] = parent;
  if (parent.length === 0 && typeof value === 'object' && value !== null && 'command' in value) {
    return 'an entry belongs under `services` or `tasks`';
  }
  if (parent.length !== 2 || name === undefined) return null;
  if (section === 'services' && knownKeys(['tasks', name]).includes(key))
    return 'it belongs to a task, and this is a service';
  if (section === 'tasks' && knownKeys(['services', name]).includes(key))
    return 'it belongs to a service, and this is a task';
  return null;
}

function child(node: SchemaNode, step: string): SchemaNode[] {
  const property = node.properties?.[step];
  if (property !== undefined) return [property];
  if (typeof node.additionalProperties === 'object') return [node.additionalProperties];
  return node.items === undefined ? [] : [node.items];
}

function alternatives(node: SchemaNode): SchemaNode[] {
  return [node, ...(node.anyOf ?? []).flatMap(alternatives)];
}
