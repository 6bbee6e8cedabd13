import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createStripe } from '../../../../src/providers/stripe/client.js';
import { type Answering, raw } from '../../../support/answering-server.js';
import { answering, json, LANE, REVERSAL, reversalObject, SECRET_KEY, TRANSFER, transferObject } from './server.js';

const reversed = json(200, reversalObject());
const reset: Answering = (response) => void response.socket?.resetAndDestroy();
const close: Answering = (response) => void response.socket?.destroy();
/** All but one byte of a perfect answer. */
const cutShort: Answering = (response) => {
  const body = JSON.stringify(reversalObject());
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length + 1 });
  response.write(body, () => response.socket?.end());
};
const startThen =
  (end: Answering, body = '{"id":"trr_1","object":"transfer_rev'): Answering =>
  (response, received) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(body, () => {
      end(response, received);
    });
  };

describe('one call is one token and one request', () => {
  it.each<[string, Answering, string]>([
    ['resets the connection', reset, 'reset'],
    ['closes the connection', close, 'reset'],
    ['resets in the middle of its answer', startThen(reset), 'reset'],
    ['ends one byte too early', cutShort, 'reset'],
    ['closes in the middle of its answer', startThen(close), 'reset'],
    ['answers 500', json(500, { error: { type: 'api_error', message: 'oops' } }), 'server_error'],
    [
      'answers 503 and asks for a retry',
      json(503, { error: { type: 'api_error' } }, { 'stripe-should-retry': 'true' }),
      'server_error',
    ],
    ['answers 502 with HTML', raw(502, 'text/html', '<html>Bad Gateway</html>'), 'server_error'],
    ['answers 421', raw(421, 'text/plain', 'misdirected'), 'unreadable'],
    ['answers what is not JSON', raw(200, 'application/json', '{"id":"trr_1"'), 'unreadable'],
    ['answers JSON that is no object', raw(200, 'application/json', 'null'), 'unreadable'],
    ['answers a failure in the form of a success', json(500, reversalObject()), 'server_error'],
    [
      'answers a success in the form of a failure',
      json(200, { error: { type: 'api_error', message: 'oops' } }),
      'unreadable',
    ],
    ['answers a list', json(200, [reversalObject()]), 'unreadable'],
    ['answers without end', startThen(() => undefined, `"${'x'.repeat(5 * 1024 * 1024)}`), 'unreadable'],
  ])('when Stripe %s, and the outcome is unclear', async (_what, answer, why) => {
    const { calls, received, tokens, answered } = await answering([answer, reversed]);
    expect(await calls.reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject({ kind: 'unclear', why });
    expect(received).toHaveLength(1);
    expect(tokens).toHaveLength(1);
    expect(answered, 'the token is given back').toHaveLength(1);
  });

  it('when a kept connection dies under it', async () => {
    const { calls, received } = await answering([reversed, reset, reversed]);
    expect(await calls.reverseTransfer('key-1', 'tr_1', REVERSAL)).toMatchObject({ kind: 'done' });
    expect(await calls.reverseTransfer('key-2', 'tr_1', REVERSAL)).toMatchObject({ kind: 'unclear', why: 'reset' });
    expect(received.map(({ headers }) => headers['idempotency-key'])).toEqual(['key-1', 'key-2']);
    expect(await calls.reverseTransfer('key-3', 'tr_1', REVERSAL)).toMatchObject({ kind: 'done' });
  });

  it('when Stripe is busy or has the key at work', async () => {
    for (const [status, code] of [
      [409, 'idempotency_key_in_use'],
      [429, 'lock_timeout'],
    ] as const) {
      const { calls, received } = await answering([
        json(status, { error: { type: 'invalid_request_error', code } }, { 'stripe-should-retry': 'true' }),
        reversed,
      ]);
      expect(await calls.reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject({ kind: 'busy' });
      expect(received).toHaveLength(1);
    }
  });

  it.each([301, 302, 303, 307, 308])('and a %i leads nowhere', async (status) => {
    const elsewhere = await answering(json(200, transferObject()));
    const { calls, received } = await answering(
      raw(status, 'text/html', '', { location: `${elsewhere.url}/v1/transfers` }),
    );
    expect(await calls.createTransfer('key', TRANSFER)).toMatchObject({ kind: 'unclear', why: 'unreadable' });
    expect(received).toHaveLength(1);
    expect(elsewhere.received).toEqual([]);
  });

  it.each<[string, Answering]>([
    ['nothing at all', () => undefined],
    ['only headers', (response) => response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()],
    ['a byte now and then', trickle],
  ])('that ends at its time limit when Stripe sends %s', async (_what, answer) => {
    const { calls, received } = await answering([answer, reversed], { timeoutMs: 150 });
    const started = performance.now();
    expect(await calls.reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject({ kind: 'unclear', why: 'no_answer' });
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(received).toHaveLength(1);
  });

  it('that says nothing was sent where nobody listens', async () => {
    const gone = createTcpServer();
    await new Promise<void>((ready) => gone.listen(0, '127.0.0.1', ready));
    const { port } = gone.address() as AddressInfo;
    await new Promise((closed) => gone.close(closed));
    const stripe = createStripe({
      secretKey: SECRET_KEY,
      apiBase: `http://127.0.0.1:${port}`,
      takeToken: async () => () => undefined,
    });
    const answer = await stripe.inLane(LANE).reverseTransfer('key', 'tr_1', REVERSAL);
    expect(answer).toMatchObject({
      kind: 'unclear',
      why: 'not_connected',
      detail: 'stripe on the reversal of tr_1: no connection, nothing was sent',
    });
  });

  it('that cannot be read where something else than HTTP answers', async () => {
    let connections = 0;
    const server = createTcpServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined);
      socket.end('SSH-2.0-OpenSSH_9.6\r\n');
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    onTestFinished(() => void server.close());
    const apiBase = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const stripe = createStripe({ secretKey: SECRET_KEY, apiBase, takeToken: async () => () => undefined });
    expect(await stripe.inLane(LANE).reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject({
      kind: 'unclear',
      why: 'unreadable',
    });
    expect(connections).toBe(1);
  });
});

it('keeps to a path prefix of the address', async () => {
  const { url, received } = await answering(json(200, transferObject()));
  const stripe = createStripe({
    secretKey: SECRET_KEY,
    apiBase: `${url}/prefix/`,
    takeToken: async () => () => undefined,
  });
  await stripe.inLane(LANE).createTransfer('key', TRANSFER);
  expect(received[0]?.path).toBe('/prefix/v1/transfers');
});

it('keeps connections open, so that a call costs no handshake', async () => {
  const { calls, server } = await answering(reversed);
  let connections = 0;
  server.on('connection', () => (connections += 1));
  for (const key of ['a', 'b', 'c']) await calls.reverseTransfer(key, 'tr_1', REVERSAL);
  expect(connections).toBe(1);
});

function trickle(...[response]: Parameters<Answering>): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => {
    clearInterval(timer);
  });
}
