import { Session } from 'mppx/tempo';
import type { Hex } from 'viem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { atxpCredential } from '../../../sandbox/payer/atxp.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { mppCredential } from '../../../sandbox/payer/mpp.js';
import { pay } from '../../../sandbox/payer/pay.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import type { ReleaseCause } from '../../../src/ledger/settlements/settlement-types.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import { aSession, atomic, ledgerForTest, type TestLedger } from '../../support/ledger-fixtures.js';
import { IN_USDC } from '../../support/sessions/offers.js';
import { type PaidServer, startPaidServer } from '../../support/sessions/paid-server.js';
import { settleOnce } from '../../support/settlements/settling.js';

/** On a real ledger, beside an auth server that shares no code with us: who owes what, and what a channel's vouchers cover. */

const STEP = 1_000n;
const CAP = 10_000;
let store: TestLedger;
let sandbox: AuthServerSandbox;
let server: PaidServer;

beforeEach(async () => {
  store = await ledgerForTest();
  sandbox = await startAuthServerSandbox();
  server = await startPaidServer(store, sandbox.url, (app, sessions) => {
    // A channel costs its whole cap, as whoever pays by vouchers of one price means it.
    const byVoucher = {
      ...IN_USDC,
      cap: `${CAP}`,
      protocols: [
        { protocol: 'mpp' as const, network: 'eip155:42431', asset: '0x20c0000000000000000000000000000000000001' },
      ],
    };
    app.get('/by-voucher', sessions.paidSession(byVoucher), (req, res) => {
      const asked = BigInt(Number(req.query.n ?? CAP));
      for (let n = 0n; n < asked; n += STEP) req.paymentSession?.charge(STEP);
      res.json({ ok: true });
    });
  });
});
afterEach(async () => {
  await server.stop();
  await sandbox.close();
});

interface Row {
  readonly id: SettlementId;
  readonly status: string;
  readonly payer: string | null;
  readonly reason: string | null;
  readonly spent: string;
}
const rows = (): Promise<Row[]> =>
  store.database.query(
    'SELECT id, status, payer, attention_reason AS reason, spent::text FROM settlements ORDER BY voucher_place, created_at, id',
  );

async function settle(ids?: readonly SettlementId[]): Promise<void> {
  const authServer = createAuthServer({ baseUrl: sandbox.url, clock: store.clock });
  await settleOnce(store.ledger, ids ?? (await rows()).map((row) => row.id), { authServer });
}

const CHANNEL: Hex = `0x${'c4'.repeat(32)}`;
async function voucher(cumulativeAmount: number, { path = '/by-voucher', channelId = CHANNEL } = {}) {
  const { mpp } = await readOffers(await fetch(server.url + path));
  const challenge = mpp.find(({ intent }) => intent === 'session');
  if (!challenge) throw new Error('the route offers no MPP session');
  const account = payerAccount('channel-owner');
  return mppCredential({ account, challenge, channelId, cumulativeAmount: `${cumulativeAmount}` });
}
const present = async (cumulative: number, path?: string): Promise<number> => {
  const { headers } = await voucher(cumulative, { path });
  return (await fetch(server.url + (path ?? '/by-voucher'), { headers })).status;
};

const ask = (authorization: string) => fetch(`${server.url}/by-voucher`, { headers: { authorization } });

const MISNAMED = {
  'without 0x': (id: string) => id.slice(2),
  'after a space': (id: string) => ` ${id}`,
  'after zeros': (id: string) => `0x00${id.slice(2)}`,
} as const;

/** A voucher beside the descriptor of its channel, from which the id follows. */
async function described() {
  const { mpp } = await readOffers(await fetch(`${server.url}/by-voucher`));
  const challenge = mpp.find(({ intent }) => intent === 'session');
  if (!challenge) throw new Error('the route offers no MPP session');
  const { recipient, currency, methodDetails } = challenge.request as {
    recipient: Hex;
    currency: Hex;
    methodDetails: object;
  };
  const { chainId, escrowContract, operator } = methodDetails as {
    chainId: number;
    escrowContract: Hex;
    operator?: Hex;
  };
  const account = payerAccount('channel-owner');
  const descriptor = {
    payer: account.wallet.address,
    payee: recipient,
    token: currency,
    operator: operator ?? (`0x${'00'.repeat(20)}` as const),
    authorizedSigner: account.wallet.address,
    salt: `0x${'01'.repeat(32)}` as const,
    expiringNonceHash: `0x${'02'.repeat(32)}` as const,
  };
  const channelId = Session.Precompile.Channel.computeId({ ...descriptor, chainId, escrow: escrowContract });
  const { content } = await mppCredential({ account, challenge, channelId, cumulativeAmount: `${CAP}` });
  const header = (whole: object) => `Payment ${Buffer.from(JSON.stringify(whole)).toString('base64url')}`;
  const payload = { ...(content.payload as object), descriptor };
  return { content: { ...content, payload }, channelId, header };
}

describe('vouchers of one channel through the auth server', () => {
  it('of 10000 to 10004 at once pay for one response, and what was served is collected', async () => {
    const credentials = await Promise.all([0, 1, 2, 3, 4].map((more) => voucher(CAP + more)));
    const answers = await Promise.all(credentials.map(({ headers }) => fetch(`${server.url}/by-voucher`, { headers })));
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 402, 402, 402, 402]);
    expect(
      answers.filter((answer) => answer.status === 402).every((answer) => answer.headers.has('www-authenticate')),
    ).toBe(true);
    await settle();
    expect((await rows()).map((row) => row.status)).toEqual(['settled']);
    expect(sandbox.ledger().totals.debited).toBe(`${CAP}`);
  });

  it.each(Object.entries(MISNAMED))('pay for nothing where their channel is named %s', async (_how, rename) => {
    const { content, channelId, header } = await described();
    const { descriptor: _none, ...bare } = content.payload;
    for (const payload of [bare, content.payload]) {
      const renamed = { ...payload, channelId: rename(channelId) };
      expect((await ask(header({ ...content, payload: renamed }))).status).toBe(402);
    }
    expect(await rows()).toEqual([]);
  });

  it('pay for nothing under the name of another channel than their descriptor is of, and once under its own', async () => {
    const { content, channelId, header } = await described();
    const named = (id: string) => header({ ...content, payload: { ...content.payload, channelId: id } });
    expect((await ask(named(`0x${'c5'.repeat(32)}`))).status).toBe(402);
    expect((await ask(named(channelId))).status).toBe(200);
    expect((await ask(named(`0x${channelId.slice(2).toUpperCase()}`))).status).toBe(409);
    expect(await rows()).toHaveLength(1);
  });

  it('in sequence work, each settled for what it added', async () => {
    for (const cumulative of [10_000, 20_000, 30_000]) {
      expect(await present(cumulative)).toBe(200);
      await settle();
    }
    expect((await rows()).map(({ status, spent }) => [status, spent])).toEqual(
      Array.from({ length: 3 }, () => ['settled', '10000']),
    );
    expect(sandbox.ledger().totals).toMatchObject({ debits: 3, debited: '30000' });
  });

  it('count by what was spent, so that the rest of one voucher pays for the next response', async () => {
    expect(await present(10_000, '/by-voucher?n=3000')).toBe(200);
    expect(await present(12_999)).toBe(402);
    expect(await present(13_000)).toBe(200);
    await settle();
    await settle();
    expect(sandbox.ledger().totals.debited).toBe('13000');
  });

  it('are settled in the order in which they were accepted, whatever the order they are sent in', async () => {
    for (const cumulative of [10_000, 20_000, 30_000]) expect(await present(cumulative)).toBe(200);
    const [first, second, third] = (await rows()).map((row) => row.id);
    const collected = () => sandbox.ledger().totals.debited;
    // Each is started by itself, the latest first, as workers do who know nothing of each other: it is not sent.
    for (const early of [third!, second!]) await settle([early]);
    expect([collected(), sandbox.calls().totals.settleCalls]).toEqual(['0', 0]);
    await settle([first!]);
    await settle([third!]);
    expect(collected()).toBe('10000');
    await settle([second!]);
    await settle([third!]);
    expect((await rows()).map(({ status, reason }) => [status, reason])).toEqual(
      Array.from({ length: 3 }, () => ['settled', null]),
    );
    expect(sandbox.ledger().debits.map(({ key }) => key.split(':').at(-1))).toEqual(['10000', '20000', '30000']);
  });

  it('of another channel, and the same voucher again, are told from one that is too low', async () => {
    expect(await present(10_000)).toBe(200);
    expect(await present(10_000)).toBe(409);
    const other = await voucher(10_000, { channelId: `0x${'d5'.repeat(32)}` });
    expect((await fetch(`${server.url}/by-voucher`, { headers: other.headers })).status).toBe(200);
  });

  it('overtaken by a higher one that somebody else collected are uncollectable, not suspected elsewhere, and block their payer', async () => {
    expect(await present(10_000)).toBe(200);
    const elsewhere = await voucher(15_000);
    const settled = await fetch(`${sandbox.url}/settle/mpp`, {
      method: 'POST',
      body: JSON.stringify({ credential: elsewhere.content, settlementOverrides: { amount: '15000' } }),
    });
    expect(settled.status).toBe(200);
    await settle();
    expect((await rows()).map(({ status, reason }) => [status, reason])).toEqual([
      ['needs_attention', 'uncollectable'],
    ]);
    expect(await present(40_000)).toBe(402);
  });
});

describe('a payer who could not pay', () => {
  it('is refused by the token of his ATXP credential where no account is named', async () => {
    const token = 'a token that says nothing of its owner';
    const content = { sourceAccountToken: token };
    const buy = async () => {
      const offers = await readOffers(await fetch(`${server.url}/demo/fixed`));
      const { headers } = atxpCredential({
        account: payerAccount('x'),
        paymentRequestId: offers.atxp?.paymentRequestId,
      });
      return fetch(`${server.url}/demo/fixed`, { headers: { ...headers, 'X-ATXP-PAYMENT': JSON.stringify(content) } });
    };
    expect((await buy()).status).toBe(200);
    const [debtor] = await rows();
    await sandbox.setBalance(`${debtor?.payer}`, 0n);
    await settle();
    expect((await rows())[0]).toMatchObject({ status: 'needs_attention', reason: 'uncollectable' });
    await sandbox.setBalance(`${debtor?.payer}`, 1_000_000n);
    const refused = await buy();
    expect([refused.status, await refused.text()]).toEqual([402, expect.stringContaining('payer_uncollectable')]);
  });

  it('is refused by the wallet that signed an MPP charge where no source is stated', async () => {
    const account = payerAccount('nameless');
    const buy = async () => {
      const { mpp } = await readOffers(await fetch(`${server.url}/demo/fixed`));
      const { source: _source, ...content } = (await mppCredential({ account, challenge: mpp[0]! })).content;
      const value = Buffer.from(JSON.stringify(content)).toString('base64url');
      return fetch(`${server.url}/demo/fixed`, { headers: { Authorization: `Payment ${value}` } });
    };
    expect((await buy()).status).toBe(200);
    const wallet = account.wallet.address.toLowerCase();
    expect((await rows())[0]?.payer).toBe(wallet);
    await sandbox.setBalance(wallet, 0n);
    await settle();
    await sandbox.setBalance(wallet, 1_000_000n);
    expect((await buy()).status).toBe(402);
  });

  it('never blocks whom he names as the source of his own token', async () => {
    const victim = payerAccount('victim');
    const offers = await readOffers(await fetch(`${server.url}/demo/fixed`));
    const forged = atxpCredential({
      account: victim,
      token: 'opaque-token-of-mallory',
      paymentRequestId: offers.atxp?.paymentRequestId,
    });
    expect((await fetch(`${server.url}/demo/fixed`, { headers: { ...forged.headers } })).status).toBe(200);
    await sandbox.setBalance(victim.accountId, 0n);
    await settle();
    expect((await rows())[0]?.reason).toBe('uncollectable');
    await sandbox.setBalance(victim.accountId, 1_000_000n);
    expect((await pay(`${server.url}/demo/fixed`, { protocol: 'atxp', account: victim })).status).toBe(200);
  });

  it('stays refused while a write-off of what he owes waits for an approver', async () => {
    const account = payerAccount('waiting');
    const wallet = account.wallet.address.toLowerCase();
    const buy = () => pay(`${server.url}/demo/fixed`, { protocol: 'x402', account });
    expect((await buy()).status).toBe(200);
    await sandbox.setBalance(wallet, 0n);
    await settle();
    await sandbox.setBalance(wallet, 1_000_000n);
    // As a request for a second person leaves the row, whichever way it was made.
    await store.database.query(
      `UPDATE settlements SET attention_reason = 'approval_pending', attention_detail = 'carol asks to write off'`,
    );
    expect((await buy()).status).toBe(402);
  });
});

describe('answers that cost nothing', () => {
  const account = payerAccount('prober');
  const buy = (by = account) => pay(`${server.url}/demo/fixed`, { protocol: 'x402', account: by });
  async function answeredForNothing(releasedBy: ReleaseCause | undefined): Promise<void> {
    const lease = await store.ledger.takeLease('a server', 3_600_000);
    const payer = account.wallet.address.toLowerCase();
    const session = aSession(lease, { payer });
    expect(await store.ledger.openSession(session)).toBe('opened');
    const { id, closeToken } = session;
    const nothing = { spent: atomic(0), body: null, delivery: null };
    const close = { kind: 'close', id, lease, closeToken, by: 'end', ...nothing, releasedBy } as const;
    expect(await store.ledger.commitSessions([close])).toEqual(['committed']);
  }

  it.each(['failed_answer', 'not_modified'] as const)(
    'because of %s are limited per payer and hour, and then there is room again',
    async (cause) => {
      for (let n = 0; n < 59; n += 1) await answeredForNothing(cause);
      expect((await buy()).status).toBe(200);
      await answeredForNothing(cause);
      const refused = await buy();
      expect(refused.status).toBe(429);
      const seconds = Number(refused.headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(3_500);
      expect(seconds).toBeLessThanOrEqual(3_600);
      expect((await buy(payerAccount('somebody else'))).status).toBe(200);
      store.clock.advance(seconds * 1_000);
      await answeredForNothing(cause);
    },
  );

  it('because the server itself failed are not counted', async () => {
    for (let n = 0; n < 61; n += 1) await answeredForNothing(undefined);
    expect((await buy()).status).toBe(200);
  });
});
