import { randomBytes } from 'node:crypto';
import { createChannelStore, Fetch, sessionManager, tempo } from 'mppx/client';
import { beforeEach, expect, it } from 'vitest';
import { mountDemoRoutes } from '../../sandbox/demo-routes.js';
import { type TempoSandbox } from '../../sandbox/tempo/start.js';
import { readConfig } from '../../src/config/config.js';
import type { Logger } from '../../src/observability/logger.js';
import { startServer } from '../../src/programs/main-server.js';
import {
  CHAIN_SETTINGS,
  type ChannelShop,
  channelIn,
  openChannelShop,
  PRICE,
  receiptOf,
} from '../support/channels/channel-shop.js';
import { chainClient, newAccount } from '../support/channels/tempo-chain.js';
import { type TestLedger } from '../support/ledger-fixtures.js';
import { until } from '../support/until.js';

const quiet = (): undefined => undefined;
const quietLogger: Logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

let chain: TempoSandbox;
let store: TestLedger;
let shop: ChannelShop;
let url: string;
/** What clients sent: action and cumulative amount. */
let sent: string[];

beforeEach(async () => {
  ({ chain, store, shop } = await openChannelShop());
  url = `${shop.url}/paid`;
  sent = [];
});

const payer = newAccount();

const watched: typeof fetch = (input, init) => {
  const [, raw] = (new Headers(init?.headers).get('authorization') ?? '').split(' ');
  if (raw) {
    const { payload } = JSON.parse(Buffer.from(raw, 'base64url').toString()) as {
      payload: { action: string; cumulativeAmount?: string };
    };
    sent.push(`${payload.action} ${payload.cumulativeAmount ?? ''}`.trim());
  }
  return fetch(input, init);
};

/** The unmodified client of npm mppx. */
const plainClient = () =>
  Fetch.from({
    fetch: watched,
    methods: [
      tempo.session({
        account: payer,
        getClient: () => chainClient(chain.url, payer),
        maxDeposit: '5',
        channelStore: createChannelStore(),
      }),
    ],
  });
const AUTHENTICATED = { headers: { 'x-client': 'alice' } };

it('opens a channel, pays for twenty responses by one voucher each, and every one carries a receipt', async () => {
  const client = plainClient();
  for (let n = 1n; n <= 21n; n += 1n) {
    const response = await client(url);
    expect([response.status, await response.json()]).toEqual([200, { ok: true }]);
    expect(receiptOf(response)).toMatchObject({ acceptedCumulative: `${PRICE * n}`, spent: `${PRICE * n}` });
  }
  expect(sent).toEqual(['open 10000', ...Array.from({ length: 20 }, (_, n) => `voucher ${(n + 2) * 10_000}`)]);
  const [opened] = chain.ledger().channels;
  const channel = await channelIn(store, opened?.channelId ?? '');
  expect(channel).toMatchObject({ earned: PRICE * 21n, spent: PRICE * 21n, accepted: PRICE * 21n });
});

it('a client without a memory resumes the channel of its authenticated identity with one voucher', async () => {
  await plainClient()(url, AUTHENTICATED);
  await plainClient()(url, AUTHENTICATED);
  expect(sent).toEqual(['open 10000', 'voucher 20000']);
  expect(chain.ledger().channels).toHaveLength(1);
});

it('a client whose channel was used by another one is told what is accepted, and pays again', async () => {
  const [first, second] = [plainClient(), plainClient()];
  await first(url, AUTHENTICATED);
  for (let n = 0; n < 2; n += 1) expect((await second(url, AUTHENTICATED)).status).toBe(200);
  sent = [];
  // Its own record is two responses behind; it climbs by one price at a time and arrives.
  expect((await first(url, AUTHENTICATED)).status).toBe(200);
  expect(sent.at(-1)).toBe('voucher 40000');
});

it('a session manager whose channel is eight responses behind catches up', async () => {
  const mine = createChannelStore();
  const manager = () =>
    sessionManager({
      account: payer,
      getClient: () => chainClient(chain.url, payer),
      maxDeposit: '5',
      channelStore: mine,
      fetch: watched,
    });
  const behind = manager();
  expect((await behind.fetch(url, AUTHENTICATED)).status).toBe(200);
  const ahead = plainClient();
  for (let n = 0; n < 8; n += 1) await ahead(url, AUTHENTICATED);
  sent = [];
  expect((await behind.fetch(url, AUTHENTICATED)).status).toBe(200);
  expect(receiptOf(await behind.fetch(url, AUTHENTICATED))).toMatchObject({ spent: '110000' });
});

it('tops a channel up on the same URL when its deposit is used up', async () => {
  const client = plainClient();
  for (let n = 1n; n <= 3n; n += 1n) {
    const response = await client(`${shop.url}/small`);
    expect([response.status, receiptOf(response).spent]).toEqual([200, `${n * PRICE}`]);
  }
  expect(sent.filter((one) => one === 'topUp').length).toBeGreaterThan(0);
  const [opened] = chain.ledger().channels;
  const channel = await channelIn(store, opened?.channelId ?? '');
  expect(channel.deposit).toBe(BigInt(opened?.deposit ?? 0));
});

it('closes a channel; what is captured is left to the durable settlement, and the channel pays for nothing more', async () => {
  const manager = sessionManager({
    account: payer,
    getClient: () => chainClient(chain.url, payer),
    maxDeposit: '5',
    fetch: watched,
  });
  await manager.fetch(url);
  await manager.fetch(url);
  const transactions = chain.ledger().transactions.length;
  await manager.close();
  expect(sent.at(-1)).toBe('close 20000');
  expect(chain.ledger().transactions).toHaveLength(transactions);
  const [opened] = chain.ledger().channels;
  expect(shop.closing.map(({ id }) => id)).toEqual([opened?.channelId]);
  const channel = await channelIn(store, opened?.channelId ?? '');
  expect(channel).toMatchObject({ closing: true, earned: 2n * PRICE, finalized: false });
  const [asked] = await store.database.query('SELECT close_cumulative FROM channels WHERE channel_id = $1', [
    channel.id,
  ]);
  expect(asked).toEqual({ close_cumulative: String(2n * PRICE) });
  // What the manager buys next, it buys from another channel.
  sent = [];
  expect((await manager.fetch(url)).status).toBe(200);
  expect(sent).toEqual(['open 10000']);
});

it('pays for /demo/channel of the server as it is started, by every method', async () => {
  const server = await startServer(
    readConfig({
      DATABASE_URL: store.url,
      CREDENTIAL_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      API_TOKENS: 'billing:service:0123456789abcdef',
      PORT: '0',
      // Nothing listens there: a paid response waits for neither.
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      MPP_SECRET_KEY: randomBytes(32).toString('hex'),
      TEMPO_RPC_URL: chain.url,
      TEMPO_CHAIN_ID: String(CHAIN_SETTINGS.chainId),
      TEMPO_CURRENCY: CHAIN_SETTINGS.currency,
      TEMPO_PAYEE_KEY: CHAIN_SETTINGS.payeeKey,
    }),
    { logger: quietLogger, mount: mountDemoRoutes },
  );
  try {
    const manager = sessionManager({
      account: payer,
      getClient: () => chainClient(chain.url, payer),
      maxDeposit: '5',
      fetch: watched,
    });
    for (const verb of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      expect([verb, (await manager.fetch(`${server.url}/demo/channel`, { method: verb })).status]).toEqual([verb, 200]);
    }
    const posted = await manager.fetch(`${server.url}/demo/channel`, { method: 'POST', body: 'hello' });
    expect([posted.status, receiptOf(posted).spent]).toEqual([200, '50000']);
    await manager.close();
    const [opened] = chain.ledger().channels;
    // The capture is opened at once; Temporal starts it when it is there.
    const waiting = await until(
      'the capture',
      async () => {
        const rows = await store.database.query<{ status: string; spent: string }>(
          'SELECT status, spent FROM settlements',
        );
        return rows.length > 0 && rows;
      },
      { limitMs: 10_000 },
    );
    expect(await channelIn(store, opened?.channelId ?? '')).toMatchObject({ closing: true, earned: 5n * PRICE });
    expect(waiting).toEqual([{ status: 'pending', spent: '50000' }]);
  } finally {
    await server.stop();
  }
});
