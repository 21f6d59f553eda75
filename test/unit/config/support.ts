import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import type {
  ConfigDiagnostic,
  ConfigResult,
  ServiceConfig,
  TaskConfig,
  WorkspaceConfig,
} from '../../../server/config/model.ts';
import { analyse } from '../../../server/config/reader.ts';

export function read(text: string, file = 'coppice.yaml', root = tmpdir()): ConfigResult {
  return analyse(text, file, root);
}

export function accepted(text: string, file = 'coppice.yaml', root = tmpdir()): WorkspaceConfig {
  const result = read(text, file, root);
  assert.deepEqual(result.ok ? [] : result.diagnostics.map(({ message }) => message), []);
  return (result as Extract<ConfigResult, { ok: true }>).config;
}

export function findings(text: string, file = 'coppice.yaml', root = tmpdir()): readonly ConfigDiagnostic[] {
  const result = read(text, file, root);
  return result.ok ? result.warnings : result.diagnostics;
}

/** The service `a` of a file that holds these lines under it. */
export function serviceWith(lines: string): ServiceConfig {
  const service = accepted(`services:\n  a:\n    command: x\n${indented(lines)}`).services.get('a');
  assert.ok(service);
  return service;
}

export function taskWith(lines: string): TaskConfig {
  const task = accepted(`tasks:\n  a:\n    command: x\n${indented(lines)}`).tasks.get('a');
  assert.ok(task);
  return task;
}

function indented(lines: string): string {
  return lines.replace(/^(?=.)/gm, '    ');
}
