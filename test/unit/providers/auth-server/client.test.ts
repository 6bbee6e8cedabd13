import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type AuthServerSettings, createAuthServer } from '../../../../src/providers/auth-server/client.js';

const BODY = '{"options":[],"sourceAccountToken":"CANARY-token-123456"}';
const CALL = { body: BODY, key: 'key-1', timeoutMs: 5_000 };

const opened: (Server | TcpServer)[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(opened.splice(0).map((server) => new Promise((closed) => server.close(closed))));
});

async function listen(server: Server | TcpServer): Promise<string> {
  opened.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
}

interface Received {
  readonly method?: string;
  readonly url?: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
type Answering = (response: ServerResponse, received: Received) => void;

/** A real server on this machine that remembers what it received and answers as told. */
async function serving(answering: Answering, settings: Partial<AuthServerSettings> = {}, path = '') {
  const received: Received[] = [];
  const url = await listen(
    createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const entry = {
          method: request.method,
          url: request.url,
          headers: request.headers,
          body: Buffer.concat(chunks).toString(),
        };
        received.push(entry);
        answering(response, entry);
      });
    }),
  );
  const clock = { nowMs: () => Date.parse('2026-01-06T12:00:00Z') };
  return { received, url, client: createAuthServer({ baseUrl: url + path, clock, ...settings }) };
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answering =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
const settled = json(200, { txHash: '0xabc', settledAmount: '3000' });

describe('settle', () => {
  it('posts the frozen bytes once, with the key and the app name', async () => {
    const { client, received } = await serving(settled, { appName: 'my-api' }, '/prefix/');
    expect(await client.settle('x402', CALL)).toEqual({
      kind: 'done',
      alreadySettled: false,
      txHash: '0xabc',
      settledAmount: '3000',
    });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      method: 'POST',
      url: '/prefix/settle/x402',
      body: BODY,
      headers: { 'content-type': 'application/json', 'idempotency-key': 'key-1', 'x-atxp-app-name': 'my-api' },
    });
    expect(received[0]?.headers.authorization).toBeUndefined();
  });

  it('sends nothing without a key', async () => {
    const { client, received } = await serving(settled);
    await expect(client.settle('atxp', { ...CALL, key: '' })).rejects.toThrow('idempotency key');
    expect(received).toHaveLength(0);
  });

  it('sends the same digest for a key that cannot stand in a header', async () => {
    const { client, received } = await serving(settled);
    for (const key of ['schlüssel\n1', 'schlüssel\n1', 'k'.repeat(5_000)])
      await client.settle('atxp', { ...CALL, key });
    const keys = received.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^sha256-[0-9a-f]{64}$/);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
  });

  it.each([301, 302, 303, 307, 308])('never follows a %i: the credential stays where it was sent', async (status) => {
    const elsewhere = await serving(settled);
    const { client } = await serving(json(status, {}, { location: `${elsewhere.url}/settle/atxp` }));
    expect(await client.settle('atxp', CALL)).toMatchObject({ kind: 'misdirected' });
    expect(elsewhere.received).toHaveLength(0);
  });

  it.each<[string, Answering]>([
    ['nothing at all', () => undefined],
    ['only headers', (response) => response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()],
    [
      'a body without end',
      (response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{"txHash":'),
    ],
  ])('that is answered with %s ends at its time limit, unclear', async (_what, answering) => {
    const { client } = await serving(answering);
    const started = performance.now();
    expect(await client.settle('atxp', { ...CALL, timeoutMs: 150 })).toMatchObject({
      kind: 'unclear',
      why: 'no_answer',
    });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('given up by the caller is unclear', async () => {
    const giveUp = new AbortController();
    const { client } = await serving(() => giveUp.abort());
    expect(await client.settle('atxp', { ...CALL, signal: giveUp.signal })).toMatchObject({
      kind: 'unclear',
      why: 'no_answer',
    });
  });

  it('reads no more than 64 KiB of an answer', async () => {
    const { client } = await serving(json(200, { txHash: '0xabc', padding: 'x'.repeat(70_000) }));
    expect(await client.settle('atxp', CALL)).toMatchObject({ kind: 'unclear', why: 'unreadable' });
    const fits = await serving(json(200, { txHash: '0xabc', padding: 'x'.repeat(60_000) }));
    expect(await fits.client.settle('atxp', CALL)).toMatchObject({ kind: 'done' });
  });

  it('is never repeated by itself when a kept-alive connection breaks under it', async () => {
    const reply = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';
    const posts: { readonly key?: string; readonly nthOnConnection: number }[] = [];
    const url = await listen(
      createTcpServer((socket) => {
        let nthOnConnection = 0;
        socket.on('error', () => undefined);
        socket.on('data', (data) => {
          nthOnConnection += 1;
          const key = /idempotency-key: ([a-z]+)/i.exec(data.toString())?.[1];
          posts.push({ key, nthOnConnection });
          if (key === 'broken') socket.resetAndDestroy();
          else socket.write(reply);
        });
      }),
    );
    const client = createAuthServer({ baseUrl: url, clock: { nowMs: () => 0 } });
    for (const key of ['warm', 'warm', 'warm'])
      expect(await client.settle('atxp', { ...CALL, key })).toMatchObject({ kind: 'done' });
    expect(await client.settle('atxp', { ...CALL, key: 'broken' })).toMatchObject({ kind: 'unclear', why: 'reset' });
    expect(await client.settle('atxp', { ...CALL, key: 'after' })).toMatchObject({ kind: 'done' });
    const broken = posts.filter(({ key }) => key === 'broken');
    expect(broken).toHaveLength(1);
    expect(broken[0]?.nthOnConnection).toBeGreaterThan(1);
  });

  it('tells an answer cut off in the middle from a finished one', async () => {
    const { client } = await serving((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"txHash":"0xabc"}', () => response.destroy());
    });
    expect(await client.settle('atxp', CALL)).toMatchObject({ kind: 'unclear', why: 'reset' });
  });

  it('knows that nothing was sent where nobody listens', async () => {
    const { client, url } = await serving(settled);
    await new Promise((closed) => opened.splice(0)[0]?.close(closed));
    expect(await client.settle('atxp', CALL)).toMatchObject({ kind: 'unclear', why: 'not_connected' });
    const named = createAuthServer({ baseUrl: url.replace('127.0.0.1', 'localhost'), clock: { nowMs: () => 0 } });
    expect(await named.settle('atxp', CALL)).toMatchObject({ kind: 'unclear', why: 'not_connected' });
  });

  it.each([
    ['not_connected', { code: 'ENOTFOUND' }],
    ['not_connected', { code: 'EAI_AGAIN' }],
    ['not_connected', { code: 'ETIMEDOUT', syscall: 'connect' }],
    ['not_connected', { code: 'UND_ERR_CONNECT_TIMEOUT' }],
    ['not_connected', { code: 'CERT_HAS_EXPIRED' }],
    ['reset', { code: 'ETIMEDOUT', syscall: 'read' }],
    ['reset', { code: 'ECONNRESET' }],
    ['reset', { code: 'EPIPE' }],
    ['reset', { code: 'UND_ERR_SOCKET' }],
    ['reset', {}],
    ['no_answer', { code: 'UND_ERR_HEADERS_TIMEOUT' }],
    ['unreadable', { code: 'HPE_INVALID_CONSTANT' }],
  ])('is %s after %j', async (why, cause) => {
    const broken = () => Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error('x'), cause) }));
    const client = createAuthServer({ baseUrl: 'http://auth.example', clock: { nowMs: () => 0 }, fetch: broken });
    expect(await client.settle('atxp', CALL)).toMatchObject({ kind: 'unclear', why });
  });

  it('is unreadable when what answers does not speak HTTP', async () => {
    const url = await listen(
      createTcpServer((socket) => void socket.on('error', () => undefined).end('SSH-2.0-OpenSSH_9.6\r\n')),
    );
    const client = createAuthServer({ baseUrl: url, clock: { nowMs: () => 0 } });
    expect(await client.settle('atxp', CALL)).toMatchObject({
      kind: 'unclear',
      why: expect.stringMatching(/unreadable|reset/),
    });
  });

  it('keeps 300 calls in flight at once, and uses their connections again', async () => {
    const waiting: ServerResponse[] = [];
    const { client, received } = await serving((response, entry) => {
      waiting.push(response);
      // A round is answered only when all of it has arrived: any limit below 300 would stop here.
      if (waiting.length === 300) for (const held of waiting.splice(0)) settled(held, entry);
    });
    for (const round of [1, 2, 3]) {
      const calls = Array.from({ length: 300 }, (_, n) =>
        client.settle('atxp', { ...CALL, key: `${round}-${n}`, timeoutMs: 20_000 }),
      );
      for (const answer of await Promise.all(calls)) expect(answer.kind).toBe('done');
    }
    expect(received).toHaveLength(900);
    expect(sockets.size).toBeLessThanOrEqual(600);
  });

  it('never lets the token it sent come back in a detail', async () => {
    const { client } = await serving((response, { body }) =>
      json(400, { error: { code: 'bad_request', message: `cannot read ${body}` } })(response, { headers: {}, body }),
    );
    const answer = await client.settle('atxp', CALL);
    expect(answer).toMatchObject({ kind: 'refused', detail: expect.stringContaining('400 bad_request') });
    expect(JSON.stringify(answer)).not.toMatch(/CANARY|token-1/);
  });
});

describe('verify', () => {
  it('posts the body without a key and maps yes, no and undecided', async () => {
    const answers = [
      json(200, { valid: true }),
      json(200, { valid: false }),
      json(402, { error: 'insufficient_funds' }),
      json(503, {}),
    ];
    const { client, received } = await serving((response, entry) => answers[received.length - 1]?.(response, entry));
    const kinds = [];
    for (const _ of answers) kinds.push((await client.verify('mpp', { body: BODY, timeoutMs: 5_000 })).kind);
    expect(kinds).toEqual(['valid', 'invalid', 'invalid', 'unreachable']);
    expect(received[0]).toMatchObject({ method: 'POST', url: '/verify/mpp', body: BODY });
    expect(received[0]?.headers['idempotency-key']).toBeUndefined();
  });

  it('is undecided when nothing answers in time', async () => {
    const { client } = await serving(() => undefined);
    expect(await client.verify('mpp', { body: BODY, timeoutMs: 100 })).toMatchObject({ kind: 'unreachable' });
  });
});

describe('createPaymentRequest', () => {
  const input = {
    options: [{ network: 'base', currency: 'USDC', address: '0xpayee', amount: '0.01' }],
    destinationAccountId: 'atxp:seller',
    timeoutMs: 5_000,
  };

  it('registers the offer and returns its id', async () => {
    const { client, received } = await serving(json(200, { id: 'req_1' }));
    expect(await client.createPaymentRequest(input)).toEqual({ kind: 'created', id: 'req_1' });
    expect(received[0]).toMatchObject({ method: 'POST', url: '/payment-request' });
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      options: input.options,
      destinationAccountId: 'atxp:seller',
    });
  });

  it.each<[string, Answering]>([
    ['no id', json(200, {})],
    ['an id that no header could carry', json(200, { id: 'a b\n' })],
    ['an error', json(500, { id: 'req_1' })],
    ['a page', (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
  ])('is unavailable after %s', async (_what, answering) => {
    const { client } = await serving(answering);
    expect(await client.createPaymentRequest(input)).toMatchObject({ kind: 'unavailable' });
  });
});

describe('supported', () => {
  it('is asked once in ten minutes, by however many', async () => {
    let nowMs = 0;
    const { client, received } = await serving(
      (response, entry) =>
        json(
          200,
          entry.url === '/x402/supported'
            ? { 'eip155:8453': '0xfac', broken: 7 }
            : { tempo: { chainId: 4217 }, solana: null },
        )(response, entry),
      { clock: { nowMs: () => nowMs } },
    );
    const [first] = await Promise.all([client.supported(), client.supported()]);
    expect(first).toEqual({ x402: { 'eip155:8453': '0xfac' }, mpp: { tempo: { chainId: 4217 } } });
    nowMs = 599_999;
    expect(await client.supported()).toEqual(first);
    expect(received).toHaveLength(2);
    nowMs = 600_000;
    await client.supported();
    expect(received).toHaveLength(4);
  });

  it('never remembers a failure or an empty answer', async () => {
    const answers: Answering[] = [json(500, {}), json(200, {}), json(200, { 'eip155:8453': '0xfac' })];
    let round = 0;
    const { client, received } = await serving((response, entry) => answers[round]?.(response, entry));
    expect((await client.supported()).x402).toEqual({});
    round = 1;
    expect((await client.supported()).x402).toEqual({});
    round = 2;
    expect((await client.supported()).x402).toEqual({ 'eip155:8453': '0xfac' });
    expect(received).toHaveLength(6);
  });
});

describe('createAuthServer', () => {
  it.each(['', 'has space', 'x'.repeat(65), 'ünïcode'])(
    'refuses the app name %j, which the auth server would silently drop',
    (appName) => {
      expect(() => createAuthServer({ baseUrl: 'http://auth.example', appName, clock: { nowMs: () => 0 } })).toThrow(
        'AUTH_APP_NAME',
      );
    },
  );
});
