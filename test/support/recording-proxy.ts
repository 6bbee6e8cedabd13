import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

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
  const server = createServer((req, res) => {
    const pieces: Buffer[] = [];
    req.on('data', (piece: Buffer) => pieces.push(piece));
    req.on('end', () => {
      const body = Buffer.concat(pieces);
      const { 'content-type': type = 'application/json', 'idempotency-key': key } = req.headers;
      const atMs = performance.now();
      fetch(`${target}${req.url}`, {
        method: req.method,
        headers: { 'content-type': type, ...(typeof key === 'string' && { 'idempotency-key': key }) },
        ...(body.length > 0 && { body }),
      }).then(
        async (answer) => {
          const text = await answer.text();
          calls.push({
            path: req.url ?? '',
            key: typeof key === 'string' ? key : undefined,
            body: body.length > 0 ? JSON.parse(body.toString()) : {},
            status: answer.status,
            atMs,
          });
          res
            .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
            .end(text);
        },
        () => res.destroy(),
      );
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    settles: () => calls.filter((call) => call.path.startsWith('/settle/')),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
