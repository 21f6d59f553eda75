/**
 * `configuration.json`: the text of the configuration that is in force. A successor goes on with what its predecessor
 * went by; what stands in the workspace at that moment may be half written, wrong or gone.
 */
import { writeFileAtomicSync } from './atomic.ts';
import type { WriteResult } from './ioFailure.ts';
import { keptConfigurationPath } from './paths.ts';
import { parseObject, readSmallFile } from './smallFile.ts';

export interface KeptConfiguration {
  /** Where it was read from; `null`: the workspace had none. */
  readonly file: string | null;
  readonly text: string;
  /** It is in force, and not everything that it asks for is done (opaque to the store); `null`: all is. */
  readonly unfinished: unknown;
}

/** Twice what a configuration may have: JSON writes a line end as two characters. */
const LARGEST_BYTES = 12 * 1024 * 1024;

/** For the user alone: a configuration may hold secrets. */
export function writeKeptConfiguration(stateDir: string, kept: KeptConfiguration): WriteResult {
  return writeFileAtomicSync(keptConfigurationPath(stateDir), `${JSON.stringify(kept)}\n`);
}

/** `null`: there is none, or nothing that can be understood. Never throws. */
export function readKeptConfiguration(stateDir: string): KeptConfiguration | null {
  const read = readSmallFile(keptConfigurationPath(stateDir), LARGEST_BYTES);
  const value = read.kind === 'text' ? parseObject(read.text) : null;
  if (value === null) return null;
  const { file, text, unfinished = null } = value;
  return (file === null || typeof file === 'string') && typeof text === 'string' ? { file, text, unfinished } : null;
}
