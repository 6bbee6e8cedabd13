import type express from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { atxpCredential } from '../../../sandbox/payer/atxp.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import type { PaymentCredential } from '../../../sandbox/payer/credential.js';
import { answerOffers } from '../../../sandbox/payer/pay.js';
import { createSettleFirst } from '../../../src/calls/settlements/settle-first.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import type { JsonObject } from '../../../src/domain/json.js';
import { canonicalJson, sha256 } from '../../../src/protocols/wire-json.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import type { PaidSessionOptions, PaidSessions } from '../../../src/sessions/index.js';
import { aSession, atomic, ledgerForTest, type TestLedger } from '../../support/ledger-fixtures.js';
import { IN_USDC } from '../../support/sessions/offers.js';
import { type PaidServer, startPaidServer } from '../../support/sessions/paid-server.js';
import { settleOnce } from '../../support/settlements/settling.js';

/** Whoever repeats a credential that was taken hears of its charge, whatever has come in his way since. */

const LIMIT = 2;
let store: TestLedger;
let sandbox: AuthServerSandbox;
let server: PaidServer;
/** Whether `SINCE` is sold by now. */
let changed: boolean;
let mount: (app: express.Express, sessions: PaidSessions) => void;

const SOLD: PaidSessionOptions = {
  price: '10000',
  ...IN_USDC,
  protocols: ['x402', 'atxp', { protocol: 'mpp', network: 'eip155:42431', asset: IN_USDC.asset }],
};
type ByProtocol = 'x402' | 'atxp' | 'mpp';
const PROTOCOLS = ['x402', 'atxp', 'mpp'] as const;
const FIRST = { ...SOLD, settle: 'before-release' } as const;
const { price: _price, ...METERED } = FIRST;
const SINCE = {
  '/changes': { price: '20000', payTo: `0x${'5e'.repeat(20)}` },
  '/moves': { network: 'eip155:8453', asset: '0x833589fcd6edb6e08f4c7c32d4f71b54bda02913' },
  '/coarser': { decimals: 1 },
} as const;

async function settle(ids?: readonly SettlementId[]): Promise<void> {
  const authServer = createAuthServer({ baseUrl: sandbox.url, clock: store.clock });
  await settleOnce(store.ledger, ids ?? (await rows()).map(({ id }) => id), { authServer });
}

const serve: express.RequestHandler = (req, res) => {
  req.paymentSession?.charge('10000');
  res.status(req.query.missing === undefined ? 200 : 404).json({ ok: true });
};

beforeEach(async () => {
  store = await ledgerForTest();
  sandbox = await startAuthServerSandbox({ clock: store.clock });
  mount = (app, sessions) => {
    for (const [path, options] of [
      ['/first', FIRST],
      ['/first-limited', { ...FIRST, exposure: { perPayer: '15000' } }],
      ['/served-first', SOLD],
    ] as const)
      app.get(path, sessions.paidSession(options), serve);
    app.get('/metered', sessions.paidSession({ ...METERED, cap: '100000' }), serve);
    for (const protocol of PROTOCOLS) {
      const protocols = FIRST.protocols?.filter((one) => one !== protocol && typeof one === 'string');
      const [all, others] = [FIRST, { ...FIRST, protocols }].map((options) => sessions.paidSession(options));
      app.get(`/drops-${protocol}`, (req, res, next) => (changed ? others : all)?.(req, res, next), serve);
    }
    for (const [path, sold] of Object.entries(SINCE)) {
      const [before, since] = [FIRST, { ...FIRST, ...sold }].map((options) => sessions.paidSession(options));
      app.get(path, (req, res, next) => (changed ? since : before)?.(req, res, next), serve);
    }
  };
  changed = false;
  server = await startPaidServer(store, sandbox.url, mount, {
    releasedLimit: LIMIT,
    leaseMs: 86_400_000,
    settleNow: createSettleFirst({ ledger: store.ledger, settle: (id) => settle([id]) }),
  });
});
afterEach(async () => {
  await server.stop();
  await sandbox.close();
});

const rows = (): Promise<{ id: SettlementId; status: string; answer: string | null }[]> =>
  store.database.query('SELECT id, status, answer FROM settlements ORDER BY id');

const account = payerAccount('repeats');
async function credential(path: string, protocol: ByProtocol = 'x402'): Promise<PaymentCredential> {
  const offers = await readOffers(await fetch(server.url + path));
  if (protocol === 'atxp')
    return atxpCredential({ account, options: [{ amount: '0.01' }], paymentRequestId: offers.atxp?.paymentRequestId });
  return answerOffers(offers, { protocol, account, nowMs: store.clock.nowMs() });
}
async function send(path: string, { headers }: PaymentCredential) {
  const response = await fetch(server.url + path, { headers });
  const { code } = (await response.json()) as { code?: string };
  return { status: response.status, id: response.headers.get('settlement-id'), code };
}

type Fault = 'server_error' | 'server_error_after_commit';
/** Paid, and nobody knows whether the money is in. */
async function unknown(path: string, protocol?: ByProtocol, fault: Fault = 'server_error') {
  sandbox.setFaults([{ kinds: [fault], on: ['settle'], times: 1 }]);
  const paying = await credential(path, protocol);
  const told = await send(path, paying);
  expect(told).toMatchObject({ status: 503, code: 'payment_unknown', id: expect.any(String) });
  return { paying, id: told.id };
}

const payersOfAll = (): Promise<{ payer: string }[]> =>
  store.database.query('SELECT payer FROM settlements WHERE payer IS NOT NULL');

const WAYS = {
  'another charge of the payer cannot be collected': async () => {
    const lease = await store.ledger.takeLease('elsewhere', 86_400_000);
    for (const { payer } of await payersOfAll()) {
      const other = aSession(lease, { payer });
      // Of before: nobody is sold anything once it is there.
      await store.database.query(
        `INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap, spent,
           payer, lookup, context, certainty, uncollectable, attention_reason, attention_since, attention_detail, closed_at, next_check_at)
         VALUES ($1, $2, $2, 'content', 'session', 'x402', 'auth-server:x402', 'needs_attention', 'USDC', 6, 10000, 10000,
           $3, '{}', '{}', 'absent', true, 'uncollectable', clock_now(), 'no money', clock_now(), clock_now())`,
        [other.id, other.key, payer],
      );
    }
  },
  'the payer has had all the free answers there are': async (protocol: ByProtocol) => {
    const path = '/served-first?missing';
    for (let n = 0; n < LIMIT; n += 1) {
      const { headers } = await credential(path, protocol);
      const { status } = await fetch(server.url + path, { headers });
      if (status !== 404) throw new Error(`a free answer is ${status}`);
    }
  },
} as const;

describe.each(Object.entries(WAYS))('where %s', (_name, comes) => {
  it.each(PROTOCOLS)(
    'a payment by %s that is unknown is 503, and its answer is had once it is in',
    async (protocol) => {
      const { paying, id } = await unknown('/first', protocol);
      await comes(protocol);
      expect(await send('/first', paying)).toMatchObject({ status: 503, code: 'payment_unknown', id });
      await settle([id as SettlementId]);
      expect(await send('/first', paying)).toMatchObject({ status: 200 });
      expect(await send('/first', paying)).toMatchObject({ status: 409, id });
    },
  );

  it('a charge that was served is 409 while it is not settled yet', async () => {
    const paying = await credential('/served-first');
    expect((await send('/served-first', paying)).status).toBe(200);
    const [charge] = await rows();
    await comes('x402');
    expect(await send('/served-first', paying)).toMatchObject({ status: 409, id: charge?.id });
  });
});

describe('where the payment could not be accepted by now', () => {
  it.each(PROTOCOLS)(
    'because %s is offered no more, it is not asked for again, and its answer is had',
    async (protocol) => {
      const { paying, id } = await unknown(`/drops-${protocol}`, protocol);
      changed = true;
      expect(await send(`/drops-${protocol}`, paying)).toMatchObject({ status: 503, code: 'payment_unknown', id });
      await settle();
      expect((await send(`/drops-${protocol}`, paying)).status).toBe(200);
      expect(await send(`/drops-${protocol}`, paying)).toMatchObject({ status: 409, id });
    },
  );

  it.each(['x402', 'mpp'] as const)(
    'because the auth server has not told how metered payments by %s are settled, it is known all the same',
    async (protocol) => {
      const { paying, id } = await unknown('/metered', protocol, 'server_error_after_commit');
      await server.stop();
      server = await startPaidServer(store, 'http://127.0.0.1:9', mount, { releasedLimit: LIMIT, leaseMs: 86_400_000 });
      expect(await send('/metered', paying)).toMatchObject({ status: 503, code: 'payment_unknown', id });
    },
  );

  it('because this server has lost its lease, a charge that was served is told', async () => {
    const paying = await credential('/served-first');
    expect((await send('/served-first', paying)).status).toBe(200);
    await store.database.query('UPDATE server_leases SET ended_at = clock_now()');
    expect(await send('/served-first', paying)).toMatchObject({ status: 409, id: (await rows())[0]?.id });
  });
});

describe('a route with a limit of credit', () => {
  it('says of a payment that it is unknown, and not that the payer owes too much: it is this very one', async () => {
    const { paying, id } = await unknown('/first-limited');
    expect(await send('/first-limited', paying)).toMatchObject({ status: 503, code: 'payment_unknown', id });
    await settle();
    expect((await send('/first-limited', paying)).status).toBe(200);
  });

  it('opens one of many at once with the same credential, and tells the others that it was taken', async () => {
    const lease = await store.ledger.takeLease('two servers', 60_000);
    const exposure = { perPayer: atomic(15_000), total: atomic(15_000) };
    const of = () =>
      aSession(lease, { identity: 'the same', key: 'the same', payer: 'one', route: 'GET /x', exposure });
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => store.ledger.openSession(of())));
    expect(outcomes.filter((outcome) => outcome === 'opened')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'identity_used')).toHaveLength(11);
  });
});

describe('an answer that is due', () => {
  it.each(PROTOCOLS)('by %s is had with the same credential also when that has expired', async (protocol) => {
    const { paying, id } = await unknown('/first', protocol, 'server_error_after_commit');
    store.clock.advance(70 * 60_000);
    expect(await send('/first', paying)).toMatchObject({ status: 503, code: 'payment_unknown', id });
    await settle();
    expect(await send('/first?other', paying)).toMatchObject({ status: 409, id });
    expect((await send('/first', paying)).status).toBe(200);
    expect(await send('/first', paying)).toMatchObject({ status: 409, id });
    expect((await rows()).map(({ status, answer }) => [status, answer])).toEqual([['settled', 'given']]);
  });

  it.each(Object.keys(SINCE).flatMap((path) => PROTOCOLS.map((protocol) => [path, protocol] as const)))(
    'of %s by %s is had also where something else is sold there since',
    async (path, protocol) => {
      const { paying, id } = await unknown(path, protocol);
      changed = true;
      expect(await send(path, paying)).toMatchObject({ status: 503, code: 'payment_unknown', id });
      await settle();
      expect((await send(path, paying)).status).toBe(200);
      expect(await send(path, paying)).toMatchObject({ status: 409, id });
    },
  );

  it.each(PROTOCOLS)('by %s is had where its row tells what was offered, as older ones do', async (protocol) => {
    const { paying } = await unknown('/first', protocol);
    await settle();
    const [row] = await store.database.query<{ context: JsonObject }>('SELECT context FROM settlements');
    const url = `${server.url}/first`;
    const content = paying.content as JsonObject;
    const said = { protocol, content, context: row?.context ?? {}, cap: '10000', method: 'GET', url };
    await store.database.query('UPDATE settlements SET content_sha256 = $1', [sha256(canonicalJson(said))]);
    expect((await send('/first', paying)).status).toBe(200);
  });
});
