import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { type PayerAccount, payerAccount, payerOnLedger } from '../../../sandbox/payer/account.js';
import { atxpCredential } from '../../../sandbox/payer/atxp.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { pay } from '../../../sandbox/payer/pay.js';
import { type X402CredentialOptions, x402Credential } from '../../../sandbox/payer/x402.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { mountLimitedRoute, type PaidServer, startPaidServer } from '../../support/sessions/paid-server.js';
import { settleOnce } from '../../support/settlements/settling.js';

/** On a real ledger, beside an auth server that shares no code with us: what a hostile client gains, and who pays. */

let store: TestLedger;
let sandbox: AuthServerSandbox;
let server: PaidServer;

beforeEach(async () => {
  store = await openTestLedger();
  sandbox = await startAuthServerSandbox({ checkSignatures: true });
  server = await startPaidServer(store, sandbox.url, mountLimitedRoute);
});
afterEach(async () => {
  await server.stop();
  await sandbox.close();
  await store.dispose();
});

const sessions = async (): Promise<{ id: SettlementId; status: string }[]> =>
  store.database.query('SELECT id, status FROM settlements ORDER BY id');

async function authorization(
  account: PayerAccount,
  changes: Partial<X402CredentialOptions> = {},
  path = '/demo/fixed',
): Promise<Record<string, string>> {
  const offers = await readOffers(await fetch(server.url + path));
  const offered = offers.x402[2];
  const accept = offered?.accepts.find((entry) => entry.scheme === 'exact');
  if (!accept) throw new Error('the route offers no x402 exact');
  return { ...(await x402Credential({ account, accept, resource: offered?.resource, ...changes })).headers };
}
const present = async (headers: Record<string, string>, path = '/demo/fixed') =>
  (await fetch(server.url + path, { headers })).status;

describe('one authorization', () => {
  it('is served once, however its JSON is written, whichever header carries it and whatever request id goes with it', async () => {
    const account = payerAccount('mallory');
    const nonce = `0x${'5a'.repeat(32)}` as const;
    const times = { nonce, validAfter: 1, validBefore: Math.floor(Date.now() / 1000) + 3_500 };
    const write = (changes: Partial<X402CredentialOptions>) => authorization(account, { ...times, ...changes });
    expect(await present(await write({}))).toBe(200);
    const again = [
      await write({}),
      await write({ layout: 'reversed' }),
      await write({ layout: 'spaced' }),
      await write({ version: 1 }),
      await write({ version: 1, layout: 'reversed' }),
      { ...(await write({})), 'X-ATXP-Payment-Request-Id': 'another' },
    ];
    for (const headers of again) expect(await present(headers)).toBe(409);
    expect(await sessions()).toHaveLength(1);
  });

  it('made for another route is refused, and opens no session', async () => {
    const headers = await authorization(payerAccount('mallory'), {}, '/limited');
    expect(await present(headers, '/demo/fixed')).toBe(402);
    expect(await sessions()).toEqual([]);
  });

  it('that is expired, or expires before it could be collected, gets a fresh challenge and opens no session', async () => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    for (const left of [-10, 1, 60, 6 * 60]) {
      expect(await present(await authorization(payerAccount('late'), { validBefore: nowSeconds + left }))).toBe(402);
    }
    expect(await sessions()).toEqual([]);
    expect(await present(await authorization(payerAccount('late'), { validBefore: nowSeconds + 8 * 60 }))).toBe(200);
  });

  it('to the payer’s own wallet, or with a cap that cannot be read, is never served', async () => {
    const account = payerAccount('mallory');
    const offers = await readOffers(await fetch(`${server.url}/demo/fixed`));
    const accept = offers.x402[2]?.accepts.find((entry) => entry.scheme === 'exact');
    for (const change of [
      { payTo: account.wallet.address },
      { amount: '1' },
      { amount: '0x2710' },
      { amount: '1e4' },
    ]) {
      const bent = { ...accept, ...change } as X402CredentialOptions['accept'];
      const value = /^\d+$/.test(bent.amount ?? '') ? undefined : '10000';
      const { headers } = await x402Credential({ account, accept: bent, resource: offers.x402[2]?.resource, value });
      expect(await present({ ...headers })).toBe(402);
    }
    expect(await sessions()).toEqual([]);
  });
});

describe('somebody else’s payment request id', () => {
  it('does not lock its owner out, and does not make the owner pay', async () => {
    const victim = payerAccount('victim');
    const offers = await readOffers(await fetch(`${server.url}/demo/fixed`));
    const id = offers.atxp?.paymentRequestId;
    const invented = atxpCredential({ account: payerAccount('mallory'), paymentRequestId: 'pr_of_the_victim' });
    // An id that we did not issue counts for nothing: the attacker pays with an own token, and takes no name away.
    expect(await present({ ...invented.headers })).toBe(200);
    const squatted = `SELECT 1 FROM settlements WHERE key LIKE '%pr_of_the_victim%' OR context::text LIKE '%pr_of_the_victim%'`;
    expect(await store.database.query(squatted)).toEqual([]);
    const own = atxpCredential({ account: victim, paymentRequestId: id });
    expect(await present({ ...own.headers })).toBe(200);
    const rows = await store.database.query(`SELECT payer FROM settlements WHERE context ->> 'paymentRequestId' = $1`, [
      id?.split('.')[0],
    ]);
    expect(rows).toEqual([{ payer: victim.accountId }]);
  });

  it('serves many tokens under one id once', async () => {
    const offers = await readOffers(await fetch(`${server.url}/demo/fixed`));
    const paymentRequestId = offers.atxp?.paymentRequestId;
    const tokens = Array.from({ length: 5 }, (_, nth) =>
      atxpCredential({ account: payerAccount('mallory'), token: `token-${nth}`, paymentRequestId }),
    );
    const statuses = await Promise.all(tokens.map(({ headers }) => present({ ...headers })));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(4);
  });
});

describe('five hundred valid credentials of a payer who has money for one', () => {
  it('are credit up to the limit and no further; what cannot be collected is one question, and the payer is refused', async () => {
    const account = payerAccount('mallory');
    const payer = payerOnLedger(account, 'x402');
    await sandbox.setBalance(payer, 10_000n);
    const headers = await Promise.all(Array.from({ length: 500 }, () => authorization(account, {}, '/limited')));
    const statuses = await Promise.all(headers.map((one) => present(one, '/limited')));
    expect(statuses.filter((status) => status === 200)).toHaveLength(3);

    const ids = (await sessions()).map((row) => row.id);
    await settleOnce(store.ledger, ids, {
      authServer: createAuthServer({ baseUrl: sandbox.url, clock: store.clock }),
    });
    const count = async (status: string) => (await sessions()).filter((row) => row.status === status).length;
    expect([await count('settled'), await count('needs_attention'), await count('pending')]).toEqual([1, 1, 1]);
    expect(sandbox.ledger().totals).toMatchObject({ debits: 1, debited: '10000' });
    const [item] = await store.ledger.listSettlements({ needsAttention: true, limit: 10 });
    expect(item?.attention?.reason).toBe('uncollectable');

    expect((await pay(`${server.url}/limited`, { protocol: 'x402', account })).status).toBe(402);
    expect((await pay(`${server.url}/limited`, { protocol: 'x402', account: payerAccount('honest') })).status).toBe(
      200,
    );
  });
});
