/** The one place that names what file systems refuse. */

export type IoReason = 'disk_full' | 'no_permission' | 'no_handles' | 'missing_folder' | 'io';

export interface IoFailure {
  readonly reason: IoReason;
  /** The system's own code, such as `ENOSPC`; empty when it gave none. */
  readonly code: string;
  readonly path: string;
  readonly detail: string;
}

export type WriteResult = { readonly ok: true } | { readonly ok: false; readonly failure: IoFailure };

export function classifyIoError(error: unknown, path: string): IoFailure {
  const { code, message } = error as NodeJS.ErrnoException;
  return { reason: reasonOf(code), code: code ?? '', path, detail: message ?? String(error) };
}

function reasonOf(code: string | undefined): IoReason {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'disk_full';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'no_permission';
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOMEM':
      return 'no_handles';
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ESTALE':
      return 'missing_folder';
    default:
      return 'io';
  }
}

export function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

/** Nothing is there: no such file, or no such folder to hold it. */
export function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
