import type { Express } from 'express';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { answerOffers, type PayOptions, pay, withCredential } from '../../../sandbox/payer/pay.js';
import { x402Credential } from '../../../sandbox/payer/x402.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import type { PaidSessionOptions, PaidSessions } from '../../../src/sessions/index.js';
import { ledgerForTest, type TestLedger } from '../../support/ledger-fixtures.js';
import { BASE, BASE_EURC, BASE_USDC, IN_THREE_TOKENS, POLYGON, POLYGON_USDC } from '../../support/sessions/offers.js';
import { startPaidServer } from '../../support/sessions/paid-server.js';

/** One route in several tokens on a real ledger, beside an auth server that checks signatures. */

let store: TestLedger;
let sandbox: AuthServerSandbox;
let url: string;

/** Each payer may owe for two answers, in each currency: 0.02 USDC on whichever network, and 0.0184 EURC. */
const LIMITED: PaidSessionOptions = {
  ...IN_THREE_TOKENS,
  exposure: { perPayer: '20000', total: '40000' },
  protocols: IN_THREE_TOKENS.protocols.map((entry) =>
    typeof entry === 'object' && entry.asset === BASE_EURC
      ? { ...entry, exposure: { perPayer: '18400', total: '36800' } }
      : entry,
  ),
};

const mount = (app: Express, sessions: PaidSessions): void => {
  const routes = { '/report': IN_THREE_TOKENS, '/limited': LIMITED, '/first': { ...LIMITED, ...settledFirst } };
  for (const [path, options] of Object.entries(routes)) {
    app.get(path, sessions.paidSession(options), (req, res) => {
      if (req.paymentSession?.charge('10000') !== true) return res.status(402).end();
      return res.json({ spent: req.paymentSession.spent.toString(), asset: req.paymentSession.offer?.asset });
    });
  }
};
const settledFirst = { settle: 'before-release', exposure: undefined, protocols: IN_THREE_TOKENS.protocols } as const;

beforeEach(async () => {
  store = await ledgerForTest();
  sandbox = await startAuthServerSandbox({ checkSignatures: true });
  const server = await startPaidServer(store, sandbox.url, mount);
  url = server.url;
  onTestFinished(async () => {
    await server.stop();
    await sandbox.close();
  });
});

interface Row {
  readonly id: SettlementId;
  readonly asset: string;
  readonly decimals: number;
  readonly cap: string;
  readonly spent: string;
  readonly network: string;
  readonly route: string;
  readonly [column: string]: unknown;
}
const rows = () =>
  store.database.query<Row>(
    `SELECT id, asset, decimals, cap::text, spent::text, lookup->>'network' AS network, route
     FROM settlements WHERE status <> 'released' ORDER BY created_at, id`,
  );

/** Sends the frozen bodies as the settling activity does. */
async function settleAll(): Promise<unknown[]> {
  const auth = createAuthServer({ baseUrl: sandbox.url, clock: store.clock });
  const ids = (await rows()).map((row) => row.id);
  const { claimed } = await store.ledger.claimSettlements(ids, 'test', 30_000);
  const sent: unknown[] = [];
  for (const { id, protocol, body, key } of claimed) {
    const answer = await auth.settle(protocol, { body, key, timeoutMs: 5_000 });
    expect(answer).toMatchObject({ kind: 'done', alreadySettled: false });
    await store.ledger.recordAttempts([
      { id, runner: 'test', answer, decision: { do: 'finish', certainty: 'done' }, patient: true },
    ]);
    sent.push(JSON.parse(body).paymentRequirements);
  }
  return sent;
}

const buy = (path: string, way: Partial<PayOptions>, name = 'alice') =>
  pay(url + path, { protocol: 'x402', account: payerAccount(name), ...way });

const TOKENS = [
  ['USDC on Base', { network: BASE, asset: BASE_USDC }, '10000', 'USD Coin'],
  ['USDC on Polygon', { network: POLYGON, asset: POLYGON_USDC }, '10000', 'USD Coin'],
  ['EURC on Base', { network: BASE, asset: BASE_EURC }, '9200', 'EURC'],
] as const;

test.each(TOKENS)('a payment in %s is verified, booked and settled as that', async (_name, way, amount, name) => {
  const answer = await buy('/report', way);
  expect([answer.status, await answer.json()]).toEqual([200, { spent: amount, asset: way.asset }]);
  await expect.poll(rows).toEqual([expect.objectContaining({ ...way, decimals: 6, cap: amount, spent: amount })]);
  expect(await settleAll()).toEqual([expect.objectContaining({ ...way, amount, extra: { name, version: '2' } })]);
  expect(sandbox.ledger().debits).toEqual([expect.objectContaining({ amount, network: way.network })]);
});

test.each([
  ['base', BASE_USDC, BASE, '10000'],
  ['polygon', POLYGON_USDC, POLYGON, '10000'],
  ['base', BASE_EURC, BASE, '9200'],
])('a payment of x402 v1 on %s in %s, which it does not name, too', async (named, asset, network, amount) => {
  expect((await buy('/report', { version: 1, network: named, asset })).status).toBe(200);
  await expect.poll(rows).toEqual([expect.objectContaining({ asset, network, cap: amount, spent: amount })]);
  expect(await settleAll()).toEqual([expect.objectContaining({ asset, network, amount })]);
});

test('a signature for one token buys nothing as a payment in another', async () => {
  const account = payerAccount('mallory');
  const { x402 } = await readOffers(await fetch(`${url}/report`));
  const [usdc, polygon, euro] = x402[2]?.accepts ?? [];
  if (!usdc || !polygon || !euro) throw new Error('not all of the offers are there');
  for (const [signed, stated] of [
    [usdc, polygon],
    [polygon, usdc],
    [{ ...euro, amount: usdc.amount }, usdc],
    [{ ...usdc, amount: euro.amount }, euro],
  ] as const) {
    const { content } = await x402Credential({ account, accept: signed, resource: x402[2]?.resource });
    const claimed = Buffer.from(JSON.stringify({ ...content, accepted: stated })).toString('base64');
    const answer = await fetch(`${url}/report`, { headers: { 'PAYMENT-SIGNATURE': claimed } });
    expect(answer.status).toBe(402);
  }
  expect(await rows()).toEqual([]);
});

test('credit is summed by currency: on both networks together, and in each currency by itself', async () => {
  const [base, polygon, euro] = TOKENS.map(([, way]) => way);
  const statuses = async (...ways: (typeof base)[]) => {
    const all: number[] = [];
    for (const way of ways) all.push((await buy('/limited', way ?? {})).status);
    return all;
  };
  expect(await statuses(base, polygon, base, polygon)).toEqual([200, 200, 429, 429]);
  // Another currency has a limit of its own, which 20000 owed in dollars neither fill nor raise.
  expect(await statuses(euro, euro, euro, base)).toEqual([200, 200, 429, 429]);
  expect((await buy('/limited', euro ?? {}, 'bob')).status).toBe(200);
  const owed = (await rows()).map(({ route, cap }) => [route, cap]);
  const [dollars, euros] = [
    ['/limited', '10000'],
    ['/limited in EURC of 6 decimals', '9200'],
  ];
  expect(owed).toEqual([dollars, dollars, euros, euros, euros]);
  await expect.poll(async () => (await rows()).every(({ spent }) => spent !== '0')).toBe(true);
  await settleAll();
  expect(await statuses(polygon, euro)).toEqual([200, 200]);
});

test('of forty payments at once in two currencies credit is given for two of each', async () => {
  const account = payerAccount('mallory');
  const offers = await readOffers(await fetch(`${url}/limited`));
  const credentials = await Promise.all(
    Array.from({ length: 40 }, (_, nth) =>
      answerOffers(offers, { protocol: 'x402', account, ...TOKENS[nth % 3]?.[1] }),
    ),
  );
  const answers = await Promise.all(credentials.map((one) => fetch(`${url}/limited`, withCredential(one))));
  const count = (status: number) => answers.filter((answer) => answer.status === status).length;
  expect([count(200), count(429)]).toEqual([4, 36]);
  const owed = await store.database.query<{ asset: string; sum: string }>(
    `SELECT CASE lower(asset) WHEN lower($1) THEN 'EURC' ELSE 'USDC' END AS asset, sum(cap)::text FROM settlements GROUP BY 1 ORDER BY 1`,
    [BASE_EURC],
  );
  expect(owed).toEqual([
    { asset: 'EURC', sum: '18400' },
    { asset: 'USDC', sum: '20000' },
  ]);
});

test('an answer that is due is had by a handler that knows what it was paid in', async () => {
  const account = payerAccount('carol');
  const offers = await readOffers(await fetch(`${url}/first`));
  const credential = await answerOffers(offers, { protocol: 'x402', account, asset: BASE_EURC });
  const ask = () => fetch(`${url}/first`, withCredential(credential));
  expect((await ask()).status).toBe(503);
  await settleAll();
  const answer = await ask();
  expect([answer.status, await answer.json()]).toEqual([200, { spent: '9200', asset: BASE_EURC }]);
});
