import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import type { MarketplaceRouteDependencies } from '../../src/http/marketplace/marketplace-dependencies.js';
import { createChangeFeed } from '../../src/http/reading/changes.js';
import { type Answered, type Sent, startApi, TOKENS } from './api.js';
import { consoleRoutes } from './console-routes.js';
import { ledgerForFile } from './ledger-fixtures.js';
import { marketplaceRoutes } from './marketplace/routes.js';

export interface SignedIn {
  readonly cookie: string;
  readonly csrf: string;
  readonly name: string;
  readonly role: string;
}

const QUIET = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The API with a console over the real ledger, for all tests of the file that calls this. */
export async function consoleApiForFile(
  given: { readonly processWebhook?: MarketplaceRouteDependencies['processWebhook'] } = {},
) {
  const test = await ledgerForFile();
  const webRoot = await mkdtemp(join(tmpdir(), 'makegood-web-'));
  afterAll(() => rm(webRoot, { recursive: true }));
  const feed = createChangeFeed({ ledger: test.ledger, logger: QUIET, pollMs: 20, heartbeatMs: 40, mostClients: 3 });
  const api = await startApi({
    ledger: test.ledger,
    console: consoleRoutes({ ledger: test.ledger, webRoot, changes: feed }),
    marketplace: marketplaceRoutes({ ledger: test.ledger, ...given }),
  });
  afterAll(() => api.close());

  async function signIn(token: string, headers: Record<string, string> = {}): Promise<SignedIn> {
    const answer = await api.send('/console/session', { json: { token }, headers });
    expect(answer.status).toBe(200);
    return { ...answer.body, cookie: cookieOf(answer) };
  }

  return {
    ...test,
    api,
    feed,
    webRoot,
    signIn,
    /** As a page of ours sends it. */
    as: (person: SignedIn, path: string, sent: Sent = {}): Promise<Answered> =>
      api.send(path, {
        ...sent,
        headers: { Cookie: person.cookie, 'X-CSRF-Token': person.csrf, Origin: api.url, ...sent.headers },
      }),
    read: (path: string, headers: Record<string, string> = {}): Promise<Answered> =>
      api.send(`/api/v1/${path}`, { token: TOKENS.viewer, headers }),
    act: (path: string, json: unknown, token: string = TOKENS.operator): Promise<Answered> =>
      api.send(`/api/v1/${path}`, { token, json }),
    /** A small build of pages. */
    async build(files: Readonly<Record<string, string>>): Promise<void> {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(join(webRoot, name, '..'), { recursive: true });
        await writeFile(join(webRoot, name), text);
      }
    },
  };
}

export const cookieOf = (answer: Answered): string => (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';

/** The path to the letter, which fetch would tidy up. */
export const rawGet = (
  url: string,
  path: string,
  method = 'GET',
): Promise<{ readonly status: number; readonly text: string; readonly headers: Readonly<Record<string, unknown>> }> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const sent = request({ hostname, port, path, method }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
          headers: answer.headers,
        }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
