import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createHyperswitch, type HyperswitchOptions } from '../../src/providers/hyperswitch/client.js';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
export type Answering = (response: ServerResponse, received: Received) => void;

export const API_KEY = 'snd_CANARY0api0key';
export const NOW = Date.parse('2026-11-21T12:00:00Z');

/** A real server on this machine that remembers what it received and answers as told: one answer a call, the last one again. */
export async function answering(answers: Answering | readonly Answering[], options: Partial<HyperswitchOptions> = {}) {
  const received: Received[] = [];
  const queue = typeof answers === 'function' ? [answers] : Array.from(answers);
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const entry = { method, path, headers, body: Buffer.concat(chunks).toString() };
      received.push(entry);
      const answer = queue.length > 1 ? queue.shift() : queue[0];
      answer?.(response, entry);
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createHyperswitch({ baseUrl, apiKey: API_KEY, clock: { nowMs: () => NOW }, ...options });
  return { client, received, baseUrl };
}

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answering =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

/** Hyperswitch's form of an error. */
export const error = (status: number, code: string, message: string, more: Record<string, unknown> = {}): Answering =>
  json(status, { error: { type: 'invalid_request', code, message, ...more } });

export const raw =
  (status: number, contentType: string, body: string): Answering =>
  (response) =>
    void response.writeHead(status, { 'content-type': contentType }).end(body);
