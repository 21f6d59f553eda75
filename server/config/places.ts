import { readFile } from 'node:fs/promises';
import { type ConfigPath, nodeAt } from './document/document.ts';
import { parseJson } from './document/json.ts';
import { parseYaml } from './document/yaml.ts';

/** The line, from 1, at which a path of the configuration is written; `null` where it is not. */
export type PlaceReader = (path: ConfigPath) => number | null;

/** For pointing at what is to be changed. A file that cannot be read or parsed has no places. */
export async function readPlaces(file: string): Promise<PlaceReader> {
  try {
    return placesIn(await readFile(file, 'utf8'), file);
  } catch {
    return () => null;
  }
}

export function placesIn(text: string, file: string): PlaceReader {
  const document = /\.jsonc?$/i.test(file) ? parseJson(text) : parseYaml(text);
  return (path) => {
    const node = nodeAt(document, path);
    if (node === null) return null;
    return text.slice(0, node.key?.start ?? node.start).split('\n').length;
  };
}
