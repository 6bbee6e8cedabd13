import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { projectRoot } from '../../../sandbox/stack/project-root.js';
import { type StripeMock, startStripeMock, stripeMockProgram } from './stripe-mock.js';

/** Everything of a request that Stripe's meaning depends on. */
export interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
export interface Exchange {
  readonly request: SentRequest;
  readonly answer: { readonly status: number; readonly body: unknown };
}
type Recording = Readonly<Record<string, readonly Exchange[]>>;

export interface RecordedStripeMock {
  /** The origin to send requests to. */
  readonly url: string;
  /** Who answers: the program, or its recording. */
  readonly witness: 'stripe-mock' | 'recording';
  /** Runs `work`, and returns what was exchanged meanwhile beside what was when it was recorded. */
  during<Result>(
    name: string,
    work: () => Promise<Result>,
    alter?: (body: Record<string, unknown>, request: SentRequest) => unknown,
  ): Promise<{
    readonly result: Result;
    readonly exchanges: readonly Exchange[];
    readonly recorded: readonly Exchange[];
  }>;
  /** Writes the recording anew, if this run is to record. */
  close(): Promise<void>;
}

const HEADERS = ['content-type', 'idempotency-key', 'stripe-account', 'stripe-version'];

/**
 * Stands between our client and `stripe-mock`, and keeps what passes. Where there is no Go, and so no `stripe-mock`, it
 * answers what the program answered to exactly this request when it was recorded, and 500 to any other.
 * MAKEGOOD_RECORD=1 records anew.
 * @param fixture one file for each test file, because a new recording replaces it whole
 */
export async function startRecordedStripeMock(fixture = 'stripe-mock.json'): Promise<RecordedStripeMock> {
  const file = join(projectRoot(), 'test', 'fixtures', fixture);
  const recording = process.env.MAKEGOOD_RECORD === '1';
  const program = stripeMockProgram();
  if (recording && program === undefined) throw new Error('there is no stripe-mock to record: it is built with Go');
  const mock = program === undefined ? undefined : await startStripeMock(program);
  const recorded = (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) as Recording;
  const fresh: Record<string, readonly Exchange[]> = {};
  let exchanges: Exchange[] = [];
  let expected: readonly Exchange[] = [];
  let alter: Parameters<RecordedStripeMock['during']>[2];

  async function pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await sentRequest(incoming);
    const answer = mock === undefined ? recordedAnswer(expected, request) : await ask(mock, request);
    exchanges.push({ request, answer });
    const body = alter ? alter(structuredClone(answer.body) as Record<string, unknown>, request) : answer.body;
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  const server = createServer((incoming, response) => {
    pass(incoming, response).catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    witness: mock === undefined ? 'recording' : 'stripe-mock',
    async during(name, work, altering) {
      exchanges = [];
      alter = altering;
      expected = recorded[name] ?? [];
      const result = await work();
      fresh[name] = exchanges;
      return { result, exchanges, recorded: recording ? exchanges : expected };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await mock?.stop();
      if (recording) writeFileSync(file, `${JSON.stringify(fresh, null, 2)}\n`);
    },
  };
}

async function sentRequest(incoming: IncomingMessage): Promise<SentRequest> {
  const headers = Object.fromEntries(
    HEADERS.flatMap((name): [string, string][] => {
      const value = incoming.headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
  const body = (await buffer(incoming)).toString();
  return { method: incoming.method ?? '', path: incoming.url ?? '', headers, body };
}

function recordedAnswer(expected: readonly Exchange[], request: SentRequest): Exchange['answer'] {
  const known = expected.find((one) => JSON.stringify(one.request) === JSON.stringify(request));
  return known?.answer ?? { status: 500, body: { error: { type: 'api_error', message: 'never recorded' } } };
}

async function ask(mock: StripeMock, { method, path, headers, body }: SentRequest): Promise<Exchange['answer']> {
  const answer = await fetch(mock.url + path, {
    method,
    headers: { ...headers, authorization: 'Bearer sk_test_123' },
    ...(method === 'POST' && { body }),
  });
  return { status: answer.status, body: await answer.json() };
}

/**
 * The members and types of a JSON value, without its contents; of a list the shape of its first item. Two values of one
 * shape can be read by the same code.
 */
export function shapeOf(value: unknown): unknown {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object') return typeof value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, shapeOf(inner)]));
}
