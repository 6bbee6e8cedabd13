import express from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { answerOffers } from '../../../sandbox/payer/pay.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createLedger } from '../../../src/ledger/ledger.js';
import { createSealer } from '../../../src/ledger/sealer.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import type { PaidSessionOptions, PaidSessions } from '../../../src/sessions/index.js';
import { openTestLedger, type TestLedger, testKey } from '../../support/ledger-fixtures.js';
import { encodingsOf, searchDatabase } from '../../support/secret-search.js';
import { named } from '../../support/sessions/naming.js';
import { IN_USDC } from '../../support/sessions/offers.js';
import { type PaidServer, startPaidServer } from '../../support/sessions/paid-server.js';
import { credentialFor } from '../../support/sessions/paying.js';
import { settleOnce } from '../../support/settlements/settling.js';

/** What is had again under a name, and what is not, on a real ledger; with the clients of others in test/interop. */

const TERMS: PaidSessionOptions = { ...IN_USDC, price: '10000', protocols: ['x402'] };
const NAME = 'pay_0123456789abcdef';
const SECRET = 'what only its buyer may read';
const account = payerAccount('alice');
/** Any server of a deployment sells the same. */
const SETTINGS = { publicUrl: 'https://shop.test', leaseMs: 86_400_000 };

let store: TestLedger;
let sandbox: AuthServerSandbox;
let shop: PaidServer;
let made: number;
/** The handler of /slow goes on when this is called. */
let finish: () => void;

function mount(app: express.Express, sessions: PaidSessions): void {
  const paid = (more: Partial<PaidSessionOptions> = {}) => sessions.paidSession({ ...TERMS, ...more });
  const serve: express.RequestHandler = (req, res) => {
    made += 1;
    req.paymentSession?.charge(req.paymentSession.cap);
    res.json({ made, secret: SECRET, got: req.body ?? null });
  };
  app.all('/report', paid(), serve);
  app.post('/parsed-before', express.json(), paid(), serve);
  app.post('/parsed-after', paid(), express.json(), serve);
  app.get('/large', paid({ replay: { bytes: 10 } }), serve);
  app.get('/short', paid({ replay: { for: '1m' } }), serve);
  app.get('/never', paid({ replay: false }), serve);
  app.get('/piecewise', paid(), (req, res) => {
    req.paymentSession?.charge('10000');
    res.write('one ');
    setImmediate(() => res.end('and another'));
  });
  app.get('/failed', paid(), (req, res) => {
    made += 1;
    req.paymentSession?.charge('10000', { evenIfFailed: true });
    res.status(422).json({ made });
  });
  app.get('/free', paid(), (_req, res) => {
    made += 1;
    res.json({ made });
  });
  app.get('/slow', paid(), (req, res) => {
    req.paymentSession?.charge('10000');
    finish = () => res.json({ slow: true });
  });
}

beforeEach(async () => {
  made = 0;
  store = await openTestLedger();
  sandbox = await startAuthServerSandbox({ checkSignatures: true, clock: store.clock });
  shop = await startPaidServer(store, sandbox.url, mount, SETTINGS);
});
afterEach(async () => {
  await shop.stop();
  await sandbox.close();
  await store.dispose();
});

const rows = () =>
  store.database.query<{ id: SettlementId; status: string; spent: string }>(
    'SELECT id, status, spent::text FROM settlements ORDER BY id',
  );
const kept = () => store.database.query('SELECT sealed IS NOT NULL AS answer FROM named_answers');
async function settleAll(): Promise<void> {
  const ids = (await rows()).filter(({ status }) => status === 'pending').map(({ id }) => id);
  await settleOnce(store.ledger, ids, { authServer: createAuthServer({ baseUrl: sandbox.url, clock: store.clock }) });
}
const paymentFor = async (path: string, name = NAME) =>
  named(await credentialFor(shop.url + path, account, { protocol: 'x402', nowMs: store.clock.nowMs() }), name);
const ask = (path: string, init: RequestInit) => fetch(shop.url + path, init);
const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;

describe('the same payment for the same request', () => {
  it('has the answer again, from any server, and nothing is made or charged anew', async () => {
    const payment = await paymentFor('/report');
    const had = await ask('/report', payment);
    const other = await startPaidServer(store, sandbox.url, mount, SETTINGS);
    const same = await fetch(`${other.url}/report`, payment);
    expect(await same.json()).toEqual(await had.json());
    await other.stop();
    expect(same.headers.get('settlement-id')).toBe(had.headers.get('settlement-id'));
    expect(made).toBe(1);
    expect(await rows()).toMatchObject([{ status: 'pending', spent: '10000' }]);
  });

  it('has what failed and was charged all the same, with its status', async () => {
    const payment = await paymentFor('/failed');
    await ask('/failed', payment);
    const again = await ask('/failed', payment);
    expect([again.status, await again.json()]).toEqual([422, { made: 1 }]);
  });

  it('is told to come back while the answer is being made', async () => {
    const payment = await paymentFor('/slow');
    const first = ask('/slow', payment);
    await expect.poll(() => finish !== undefined).toBe(true);
    const early = await ask('/slow', payment);
    expect([early.status, await codeOf(early)]).toEqual([503, 'answer_under_way']);
    expect(early.headers.get('retry-after')).toBe('1');
    expect(early.headers.get('settlement-id')).toBe((await rows())[0]?.id);
    finish();
    expect(await (await first).json()).toEqual(await (await ask('/slow', payment)).json());
  });

  it('hears of its settlement once that is final, and not before', async () => {
    const payment = await paymentFor('/report');
    expect((await ask('/report', payment)).headers.get('payment-response')).toBeNull();
    expect((await ask('/report', payment)).headers.get('payment-response')).toBeNull();
    await settleAll();
    const receipt = (await ask('/report', payment)).headers.get('payment-response');
    expect(JSON.parse(atob(receipt ?? ''))).toEqual({
      success: true,
      transaction: sandbox.ledger().debits[0]?.txHash,
      network: 'eip155:84532',
      payer: account.wallet.address.toLowerCase(),
    });
  });

  it('is served anew where the first answer cost nothing', async () => {
    const payment = await paymentFor('/free');
    expect(await (await ask('/free', payment)).json()).toEqual({ made: 1 });
    expect(await (await ask('/free', payment)).json()).toEqual({ made: 2 });
    expect((await rows()).map(({ status }) => status)).toEqual(['released', 'released']);
  });
});

describe('what is not kept', () => {
  it.each(['/large', '/piecewise', '/never'])('%s: 409 says that it was paid for, and for what', async (path) => {
    const payment =
      path === '/never' ? await credentialFor(shop.url + path, account, { protocol: 'x402' }) : await paymentFor(path);
    expect((await ask(path, payment)).status).toBe(200);
    await settleAll();
    const again = await ask(path, payment);
    expect([again.status, await codeOf(again)]).toEqual([409, 'credential_already_used']);
    expect(again.headers.get('settlement-id')).toBe((await rows())[0]?.id);
    const receipt = again.headers.get('payment-response');
    expect(receipt === null ? null : JSON.parse(atob(receipt))).toEqual(
      path === '/never' ? null : expect.objectContaining({ success: true }),
    );
    expect(sandbox.ledger().totals).toMatchObject({ debits: 1 });
  });

  it('is what passed its time: it is erased, and the payment is still known', async () => {
    const payment = await paymentFor('/short');
    await ask('/short', payment);
    store.clock.advance(61_000);
    expect((await ask('/short', payment)).status).toBe(409);
    expect(await kept()).toEqual([{ answer: true }]);
    expect(await store.ledger.eraseNamedAnswers(10)).toBe(1);
    expect(await kept()).toEqual([]);
    expect((await ask('/short', payment)).status).toBe(409);
    expect(made).toBe(1);
  });

  it('is erased by its time alone, not earlier', async () => {
    await ask('/short', await paymentFor('/short'));
    store.clock.advance(59_000);
    expect(await store.ledger.eraseNamedAnswers(10)).toBe(0);
  });
});

describe('another request under the same name', () => {
  it.each([
    ['another payment', async () => paymentFor('/report'), '/report', {}],
    ['another query', undefined, '/report?x=1', {}],
    ['another method', undefined, '/report', { method: 'DELETE' }],
    ['another body', undefined, '/report', { method: 'POST', body: 'other' }],
  ] as const)('%s is 409, and nothing is charged for it', async (_what, other, path, init) => {
    const payment = await paymentFor('/report');
    await ask('/report', { ...payment, ...('body' in init && { method: 'POST', body: 'one' }) });
    const answer = await ask(path, { ...(other ? await other() : payment), ...init });
    expect([answer.status, await codeOf(answer)]).toEqual([409, 'payment_identifier_used']);
    expect(made).toBe(1);
    expect(await rows()).toHaveLength(1);
  });

  it('of somebody else is their own: nobody takes a name away', async () => {
    await ask('/report', await paymentFor('/report'));
    const bob = named(await credentialFor(`${shop.url}/report`, payerAccount('bob'), { protocol: 'x402' }), NAME);
    expect(await (await ask('/report', bob)).json()).toMatchObject({ made: 2 });
  });

  it('two at once: one is served, the other is told', async () => {
    const payments = await Promise.all([paymentFor('/report'), paymentFor('/report')]);
    const answers = await Promise.all(payments.map((payment) => ask('/report', payment)));
    expect(answers.map(({ status }) => status).sort((left, right) => left - right)).toEqual([200, 409]);
    expect((await rows()).filter(({ status }) => status !== 'released')).toHaveLength(1);
  });

  it('is free again when what it stood for cost nothing, and when that is forgotten', async () => {
    await ask('/free', await paymentFor('/free'));
    expect((await ask('/short', await paymentFor('/short'))).status).toBe(200);
    store.clock.advance(61_000);
    expect((await ask('/short', await paymentFor('/short'))).status).toBe(200);
    expect(made).toBe(3);
  });

  it('a name that is none is refused before anything is charged', async () => {
    const answer = await ask('/report', await paymentFor('/report', 'short'));
    expect(answer.status).toBe(402);
    expect(await rows()).toEqual([]);
  });
});

describe('a request with a body', () => {
  const body = JSON.stringify({ question: 'what is it worth?' });
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } };

  it.each(['/parsed-before', '/parsed-after'])(
    '%s reaches its handler whole, and is bound to the payment',
    async (path) => {
      const offers = await readOffers(await ask(path, init));
      const { headers } = named(await answerOffers(offers, { protocol: 'x402', account }), NAME);
      const paying = { ...init, headers: { ...init.headers, ...headers } };
      expect(await (await ask(path, paying)).json()).toMatchObject({ made: 1, got: JSON.parse(body) });
      expect(await (await ask(path, paying)).json()).toMatchObject({ made: 1, got: JSON.parse(body) });
      const other = await ask(path, { ...paying, body: JSON.stringify({ question: 'another' }) });
      expect(other.status).toBe(409);
      expect(made).toBe(1);
    },
  );
});

describe('at rest', () => {
  it('an answer is encrypted, bound to its row, and encrypted anew by a new key', async () => {
    await ask('/report', await paymentFor('/report'));
    const { findings, rows: searched } = await searchDatabase(store.url, encodingsOf([SECRET, NAME]));
    expect(findings).toEqual([]);
    expect(searched).toBeGreaterThan(3);
    const { database, clock } = store;
    const rotated = createLedger({
      database,
      sealer: createSealer([testKey('2', 9), testKey()]),
      clock,
      approvalThreshold: 10_000n,
    });
    await rotated.reseal(100);
    expect(await database.query('SELECT DISTINCT sealed_key_id FROM named_answers')).toEqual([{ sealed_key_id: '2' }]);
    const onlyNew = createLedger({
      database,
      sealer: createSealer([testKey('2', 9)]),
      clock,
      approvalThreshold: 10_000n,
    });
    const [{ name_sha256: name } = { name_sha256: '' }] = await database.query<{ name_sha256: string }>(
      'SELECT name_sha256 FROM named_answers',
    );
    expect((await onlyNew.findNamedAnswer(name))?.kept).toContain('"status":200');
  });
});
