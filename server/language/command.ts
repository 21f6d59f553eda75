import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandSpec, ServiceConfig } from '../config/model.ts';
import { shortHash } from '../store/names.ts';

/** Bytes of a socket's path that every system takes (macOS has 104 with the final NUL). */
const LONGEST_SOCKET_PATH = 103;

/** What is really run for a service: its own command, or the host process of a language server. */
export function commandOf(config: ServiceConfig, stateDir: string): CommandSpec {
  const socket = hostSocketOf(config, stateDir);
  if (socket === null) return config.command;
  if (process.platform !== 'win32') mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
  const server = config.command.kind === 'argv' ? config.command.argv : ['/bin/sh', '-c', config.command.script];
  return { kind: 'argv', argv: [process.execPath, hostProgram(), '--socket', socket, '--', ...server] };
}

/**
 * Where the host of a language server answers; `null` for any other kind. It depends on the workspace and the name
 * alone, so that a successor finds a host that it did not start.
 */
export function hostSocketOf(config: ServiceConfig, stateDir: string): string | null {
  if (config.kind !== 'lsp') return null;
  const name = shortHash(`${stateDir}\0${config.name}`);
  if (process.platform === 'win32') return `\\\\.\\pipe\\coppice-lsp-${name}`;
  const near = join(stateDir, 'sockets', `${name}.sock`);
  if (Buffer.byteLength(near) <= LONGEST_SOCKET_PATH) return near;
  return join(tmpdir(), `coppice-${process.getuid?.() ?? 0}`, `lsp-${name}.sock`);
}

/** The bundle beside the supervisor's own, or the source when it runs from that. */
function hostProgram(): string {
  const folder = dirname(fileURLToPath(import.meta.url));
  const bundle = join(folder, 'languageHost.cjs');
  return existsSync(bundle) ? bundle : join(folder, 'host.ts');
}
