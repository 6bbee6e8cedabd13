import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
export type Answering = (response: ServerResponse, received: Received) => void;

/** A real server on this machine that remembers what it received and answers as told: one answer a request, the last one again. */
export async function startAnswering(answers: Answering | readonly Answering[]) {
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
  return { received, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

export const raw =
  (status: number, contentType: string, body: string, headers: Record<string, string> = {}): Answering =>
  (response) =>
    void response.writeHead(status, { 'content-type': contentType, ...headers }).end(body);

export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Answering =>
  raw(status, 'application/json', JSON.stringify(body), headers);
