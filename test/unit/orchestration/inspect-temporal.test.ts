import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { inspectTemporal, TemporalCallFailed } from '../../../src/orchestration/inspect-temporal.js';

const NOT_FOUND = '5';
const INTERNAL = '13';
/** A gRPC message of no bytes. */
const EMPTY = Buffer.alloc(5);

function answer(stream: ServerHttp2Stream, status: string): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
  stream.end(status === '0' ? EMPTY : undefined);
}

/** A Temporal that has no schedules and answers every call with nothing, but one as it is told to. */
async function temporalWith(call: string, asked: (stream: ServerHttp2Stream) => void) {
  const server = createServer().listen(0, '127.0.0.1');
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, { ':path': path = '' }) =>
    path.endsWith(`/${call}`) ? asked(stream) : answer(stream, path.endsWith('/DescribeSchedule') ? NOT_FOUND : '0'),
  );
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const session of sessions) session.destroy();
    server.close();
    await once(server, 'close');
  });
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { address, namespace: 'default', taskQueue: 'makegood', apiKey: undefined, tls: undefined };
}

it('names the call that fails, where Temporal answers', async () => {
  const settings = await temporalWith('ListSearchAttributes', (stream) => answer(stream, INTERNAL));
  const refused = await inspectTemporal(settings, 5_000).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(TemporalCallFailed);
  expect((refused as Error).message).toMatch(/^ListSearchAttributes failed: 13 INTERNAL/);
});

it('names the call that takes too long, and how long that is', async () => {
  const settings = await temporalWith('DescribeTaskQueue', () => undefined);
  await expect(inspectTemporal(settings, 800)).rejects.toThrow(
    new TemporalCallFailed('DescribeTaskQueue of makegood was not answered within 800 ms'),
  );
});

it('does not say that a Temporal answers which fails the first call', async () => {
  const settings = await temporalWith('DescribeNamespace', () => undefined);
  const refused = await inspectTemporal(settings, 300).catch((error: unknown) => error);
  expect(refused).not.toBeInstanceOf(TemporalCallFailed);
});
