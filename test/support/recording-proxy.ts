import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface RecordedCall {
  readonly path: string;
  readonly key: string | undefined;
  readonly body: Record<string, unknown>;
  readonly status: number;
  readonly atMs: number;
}

/** Stands before an auth server and keeps what passed; adds nothing and takes nothing away. */
export async function startRecordingProxy(target: string) {
  const calls: RecordedCall[] = [];
  async function pass(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await buffer(req);
    const { 'content-type': type = 'application/json', 'idempotency-key': given } = req.headers;
    const key = typeof given === 'string' ? given : undefined;
    const path = req.url ?? '';
    const atMs = performance.now();
    const answer = await fetch(`${target}${path}`, {
      method: req.method,
      headers: { 'content-type': type, ...(key !== undefined && { 'idempotency-key': key }) },
      ...(body.length > 0 && { body }),
    });
    const text = await answer.text();
    const sent = body.length > 0 ? (JSON.parse(body.toString()) as Record<string, unknown>) : {};
    calls.push({ path, key, body: sent, status: answer.status, atMs });
    res.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' }).end(text);
  }
  const server = createServer((req, res) => {
    pass(req, res).catch(() => res.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    settles: () => calls.filter((call) => call.path.startsWith('/settle/')),
    forget: () => void calls.splice(0),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
