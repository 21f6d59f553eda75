/** Fetches a page from each address of a service, the way a browser's first request would. */
import { get, type IncomingMessage } from 'node:http';
import type { ServiceStatus } from '../../api/protocol.ts';

export interface PageResult {
  readonly name: string;
  readonly url: string;
  readonly ok: boolean;
  readonly status: number | null;
  readonly bytes: number;
  readonly detail: string | null;
}

const PAGE_TIMEOUT_MS = 10_000;
const MOST_REDIRECTS = 3;

export async function fetchPages(services: readonly ServiceStatus[]): Promise<PageResult[]> {
  const addressed = services.flatMap(({ name, url }) => (url === null ? [] : [{ name, url }]));
  return Promise.all(
    addressed.map(async ({ name, url }) => ({ name, url, ...(await fetchPage(url, MOST_REDIRECTS)) })),
  );
}

type Fetched = Omit<PageResult, 'name' | 'url'>;

async function fetchPage(url: string, redirects: number): Promise<Fetched> {
  const fetched = await request(url);
  const location = fetched.location;
  if (location === null || redirects === 0) return fetched.result;
  const next = new URL(location, url);
  // Following a service to another machine would test that machine.
  if (next.protocol !== 'http:' || next.hostname !== new URL(url).hostname) return fetched.result;
  return fetchPage(next.href, redirects - 1);
}

function request(url: string): Promise<{ result: Fetched; location: string | null }> {
  return new Promise((resolve) => {
    const failed = (detail: string): void =>
      resolve({ result: { ok: false, status: null, bytes: 0, detail }, location: null });
    const answered = (response: IncomingMessage): void => {
      const status = response.statusCode ?? 0;
      const location = status >= 300 && status < 400 ? (response.headers.location ?? null) : null;
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('error', (error) => failed(error.message));
      response.on('end', () => {
        const ok = status === 200;
        resolve({ result: { ok, status, bytes, detail: ok ? null : `status ${status}, not 200` }, location });
      });
    };
    const outgoing = get(url, { agent: false, headers: { accept: 'text/html,*/*', connection: 'close' } }, answered);
    outgoing.setTimeout(PAGE_TIMEOUT_MS, () => outgoing.destroy(new Error(`no answer within ${PAGE_TIMEOUT_MS} ms`)));
    outgoing.on('error', (error) => failed(error.message));
  });
}
