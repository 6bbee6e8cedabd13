import type { Express } from 'express';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { atxpCredential } from '../../../sandbox/payer/atxp.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { type PayOptions, pay } from '../../../sandbox/payer/pay.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import type { PaidSessions } from '../../../src/sessions/index.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { IN_USDC } from '../../support/sessions/offers.js';
import { mountLimitedRoute, type PaidServer, startPaidServer } from '../../support/sessions/paid-server.js';

/** The paid routes of the demo on a real ledger, beside an auth server that shares no code with us. */

let store: TestLedger;
let sandbox: AuthServerSandbox;
const open: PaidServer[] = [];

beforeEach(async () => {
  store = await openTestLedger();
  sandbox = await startAuthServerSandbox({ checkSignatures: true });
});
afterEach(async () => {
  for (const server of open.splice(0)) await server.stop();
  await sandbox.close();
  await store.dispose();
});

async function serve(mount?: (app: Express, sessions: PaidSessions) => void): Promise<string> {
  const server = await startPaidServer(store, sandbox.url, mount);
  open.push(server);
  return server.url;
}

const rows = () =>
  store.database.query<{ id: SettlementId; status: string; spent: string; delivery: string | null; route: string }>(
    'SELECT id, status, spent::text, delivery, route FROM settlements ORDER BY id',
  );

/** Sends the frozen bodies as the settling activity does, and returns what the auth server booked. */
async function settleAll(): Promise<string[]> {
  const auth = createAuthServer({ baseUrl: sandbox.url, clock: store.clock });
  const ids = (await rows()).map((row) => row.id);
  const { claimed } = await store.ledger.claimSettlements(ids, 'test', 30_000);
  for (const { protocol, body, key } of claimed) {
    expect(await auth.settle(protocol, { body, key, timeoutMs: 5_000 })).toMatchObject({
      kind: 'done',
      alreadySettled: false,
    });
  }
  return sandbox.ledger().debits.map((debit) => debit.amount);
}

const WAYS: [string, Omit<PayOptions, 'account'>, string, string][] = [
  ['x402 v2', { protocol: 'x402' }, '/demo/fixed', '10000'],
  ['x402 v1', { protocol: 'x402', version: 1 }, '/demo/fixed', '10000'],
  ['mpp charge', { protocol: 'mpp' }, '/demo/fixed', '10000'],
  ['atxp', { protocol: 'atxp' }, '/demo/fixed', '10000'],
  ['x402 upto', { protocol: 'x402' }, '/demo/metered?n=3', '3000'],
  ['mpp session', { protocol: 'mpp' }, '/demo/metered?n=3', '3000'],
  ['atxp', { protocol: 'atxp' }, '/demo/metered?n=3', '3000'],
  ['x402 upto', { protocol: 'x402' }, '/demo/stream?n=3', '3000'],
  ['mpp session', { protocol: 'mpp' }, '/demo/stream?n=3', '3000'],
];

test.each(WAYS)(
  '%s is verified, served and settles for exactly what was spent: %j at %s',
  async (_name, way, path, amount) => {
    const url = await serve();
    const answer = await pay(url + path, { ...way, account: payerAccount('alice') });
    expect(answer.status).toBe(200);
    await answer.text();
    await expect
      .poll(rows)
      .toEqual([expect.objectContaining({ status: 'pending', spent: amount, delivery: 'delivered' })]);
    expect(await settleAll()).toEqual([amount]);
  },
);

test('two servers on one database know each other’s challenges, and serve one credential once', async () => {
  const [one, other] = [await serve(), await serve()];
  for (const protocol of ['atxp', 'x402', 'mpp'] as const) {
    const account = payerAccount(protocol);
    let paid: RequestInit | undefined;
    const elsewhere: typeof fetch = (input, init) => {
      paid = init;
      return fetch(input, init);
    };
    expect((await pay(`${one}/demo/fixed`, { protocol, account, fetch: elsewhere })).status).toBe(200);
    // Also where the resource that it states is the other server's address: it has paid, so nothing is asked anew.
    expect((await fetch(`${other}/demo/fixed`, paid)).status).toBe(409);
  }
  const offers = await readOffers(await fetch(`${one}/demo/fixed`));
  const account = payerAccount('carol');
  const paymentRequestId = offers.atxp?.paymentRequestId;
  const { headers } = atxpCredential({ account, paymentRequestId });
  expect((await fetch(`${other}/demo/fixed`, { headers })).status).toBe(200);
  const stored = await store.database.query<{ id: string }>(
    `SELECT context->>'paymentRequestId' AS id FROM settlements WHERE payer = $1`,
    [account.accountId],
  );
  expect(stored).toEqual([{ id: paymentRequestId?.split('.')[0] }]);
});

test('exposure: of 40 requests at once by one payer, credit is given for three', async () => {
  const url = await serve(mountLimitedRoute);
  const account = payerAccount('mallory');
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => pay(`${url}/limited`, { protocol: 'x402', account })),
  );
  const count = (status: number) => answers.filter((answer) => answer.status === status).length;
  expect([count(200), count(429)]).toEqual([3, 37]);
});

test('a stream whose process lost its lease is closed by the sweep at its last durable amount, and is cut', async () => {
  let more: (() => void) | undefined;
  const url = await serve((app, sessions) =>
    app.get(
      '/held',
      sessions.paidSession({
        cap: '100000',
        ...IN_USDC,
        protocols: ['x402'],
      }),
      (req, res) => {
        req.paymentSession?.charge(5_000n);
        res.write('durable');
        more = () => {
          req.paymentSession?.charge(1n);
          res.write('too late');
        };
      },
    ),
  );
  const answer = await pay(`${url}/held`, { protocol: 'x402', account: payerAccount('alice') });
  await expect.poll(async () => (await rows())[0]?.spent).toBe('5000');
  store.clock.advance(31_000);
  const [abandoned] = await store.ledger.abandonedSessions(10);
  expect(abandoned && (await store.ledger.closeAbandoned(abandoned, '{}'))).toBe(true);
  more?.();
  await expect(answer.text()).rejects.toThrow('terminated');
  expect(await rows()).toEqual([expect.objectContaining({ status: 'pending', spent: '5000' })]);
});
