import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { decodePaymentRequiredHeader } from '@x402/core/http';
import type { Express } from 'express';
import { createChannelStore, Fetch, tempo } from 'mppx/client';
import { describe, expect, it } from 'vitest';
import { mountDemoRoutes } from '../../sandbox/demo-routes.js';
import { payerAccount } from '../../sandbox/payer/account.js';
import { readOffers } from '../../sandbox/payer/challenge.js';
import { answerOffers } from '../../sandbox/payer/pay.js';
import type { PaidSessionOptions } from '../../src/sessions/frameworks/express.js';
import type { PaidSession } from '../../src/sessions/index.js';
import { chainClient, newAccount } from '../support/channels/tempo-chain.js';
import { readDocument, rowsIn } from '../support/documents.js';
import { openDemoServer } from '../support/sessions/demo-server.js';
import { IN_USDC } from '../support/sessions/offers.js';

const PRICE = 10_000n;

/** Sold in every way there is, by a service that has something to say of it. */
const EVERY_WAY = {
  ...IN_USDC,
  price: PRICE,
  protocols: [
    'atxp',
    'x402',
    { protocol: 'mpp', network: 'eip155:42431', asset: '0x20c0000000000000000000000000000000000001' },
    'tempo',
  ],
  description: 'The weather of the next ten days at one place, hour by hour, with wind, rain and what it feels like',
  mimeType: 'application/json',
} as const satisfies PaidSessionOptions;
function mount(app: Express, paidSession: PaidSession) {
  const routes = mountDemoRoutes(app, paidSession);
  const sells = (path: string, options: Partial<PaidSessionOptions>) =>
    app.all(path, paidSession({ ...EVERY_WAY, ...options }), (req, res) => {
      req.paymentSession?.charge(PRICE);
      res.json({ hours: [] });
    });
  sells('/weather', { identify: (req) => req.get('x-client') });
  sells('/listed', { discoverable: { input: { place: 'Vienna', days: 3 }, output: { hours: [12.5, 13] } } });
  return routes;
}

const open = () => openDemoServer({ publicUrl: 'https://api.example.com', mount });

/** The head of the answer to a GET, as it is on the wire. */
async function headOf(url: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = Object.entries({ Host: `${hostname}:${port}`, Connection: 'close', ...headers });
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  const answer = await text(socket);
  return answer.slice(0, answer.indexOf('\r\n\r\n') + 4);
}

const queryOf = (bytes: number): string => `?place=${'x'.repeat(bytes - '?place='.length)}`;

interface Row {
  readonly route: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}
const ANN = { 'X-Client': 'ann' };
const ROWS: readonly Row[] = [
  { route: '`/demo/fixed`', path: '/demo/fixed' },
  { route: '`/demo/metered`', path: '/demo/metered' },
  { route: '`/demo/channel`', path: '/demo/channel' },
  { route: 'every protocol, with a description', path: '/weather' },
  { route: 'the same, asked with a query of 500 bytes', path: `/weather${queryOf(500)}` },
  { route: 'the same, `discoverable` with an example', path: '/listed' },
  { route: 'every protocol, for a client whose channel is known', path: '/weather', headers: ANN },
];

const PAGE = 'docs/paid-routes.md';
/** What a proxy with nginx' own settings takes, where a page of memory is that large. */
const NGINX_BUFFER = 4_096;
/** What Node takes as a head, of a request and of an answer. */
const NODE_HEAD = 16_384;

describe('the head of a 402', () => {
  it('is as large as the page says', async () => {
    const { url, chain } = await open();
    const account = newAccount();
    const getClient = () => chainClient(chain.url, account);
    const channelStore = createChannelStore();
    const buying = Fetch.from({ methods: [tempo.session({ account, getClient, maxDeposit: '5', channelStore })] });
    expect((await buying(`${url}/weather`, { headers: ANN })).status).toBe(200);
    const table: string[][] = [];
    const over: string[] = [];
    for (const { route, path, headers } of ROWS) {
      const head = await headOf(url, path, headers);
      expect(head).toMatch(/^HTTP\/1.1 402 /);
      table.push([route, `${Math.ceil(head.length / 100) / 10} kB`]);
      if (head.length > NGINX_BUFFER) over.push(route);
    }
    const stated = rowsIn(readDocument(PAGE)).filter(([route]) => ROWS.some((row) => row.route === route));
    expect(stated).toEqual(table);
    expect(over).toEqual(['every protocol, for a client whose channel is known']);
  });

  it('is read by clients on Node for URLs of up to nine thousand bytes', async () => {
    const { url } = await open();
    const answer = await fetch(`${url}/weather${queryOf(9_000)}`);
    expect(answer.status).toBe(402);
    expect(decodePaymentRequiredHeader(answer.headers.get('payment-required') ?? '').resource?.url).toHaveLength(
      `https://api.example.com/weather${queryOf(9_000)}`.length,
    );
    expect((await headOf(url, `/weather${queryOf(11_000)}`)).length).toBeGreaterThan(NODE_HEAD);
    await expect(fetch(`${url}/weather${queryOf(11_000)}`)).rejects.toMatchObject({
      cause: { code: 'UND_ERR_HEADERS_OVERFLOW' },
    });
  });
});

describe('a request with more than 16 kB of headers', () => {
  it('is 431 and costs nothing: the same credential pays the next time', async () => {
    const { url, authServer, store } = await open();
    const charges = async () => (await store.database.query('SELECT id FROM settlements')).length;
    for (const [nth, protocol] of (['x402', 'mpp', 'atxp'] as const).entries()) {
      const offers = await readOffers(await fetch(`${url}/demo/fixed`));
      const { headers } = await answerOffers(offers, { protocol, account: payerAccount('alice') });
      const swollen = await headOf(url, '/demo/fixed', { ...headers, Cookie: 'x'.repeat(NODE_HEAD) });
      expect([protocol, swollen.split('\r\n')[0]]).toEqual([protocol, 'HTTP/1.1 431 Request Header Fields Too Large']);
      expect([await charges(), authServer.ledger().totals.debits]).toEqual([nth, 0]);
      expect([protocol, (await headOf(url, '/demo/fixed', headers)).split('\r\n')[0]]).toEqual([
        protocol,
        'HTTP/1.1 200 OK',
      ]);
    }
  });
});
