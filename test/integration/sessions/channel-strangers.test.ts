import { randomBytes } from 'node:crypto';
import { Credential } from 'mppx';
import { createChannelStore, sessionManager } from 'mppx/client';
import type { Hex } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';
import { type TempoSandbox } from '../../../sandbox/tempo/start.js';
import { captureWorker } from '../../support/channels/captures.js';
import {
  type CredentialParts,
  credentialOf,
  type OpenedPayer,
  openPayer,
  paying,
  sessionChallenge,
} from '../../support/channels/channel-payer.js';
import { type ChannelShop, channelIn, openChannelShop, PRICE, receiptOf } from '../../support/channels/channel-shop.js';
import { chainClient, newAccount } from '../../support/channels/tempo-chain.js';
import { MINUTE_MS } from '../../support/durations.js';
import { type TestLedger } from '../../support/ledger-fixtures.js';

const POLICY = { threshold: 1n, intervalMs: 3_600_000 };

let chain: TempoSandbox;
let store: TestLedger;
let shop: ChannelShop;
let url: string;
let payer: OpenedPayer;

beforeEach(async () => {
  ({ chain, store, shop } = await openChannelShop({ leaseMs: 86_400_000 }));
  url = `${shop.url}/paid`;
  payer = await openPayer(chain.url, url);
});

const channel = () => channelIn(store, payer.channelId);
const naming = (init: RequestInit = {}): RequestInit => ({
  ...init,
  headers: { ...(init.headers as Record<string, string>), 'payment-session': payer.channelId },
});
const as = (name: string, init: RequestInit = {}): RequestInit => naming({ ...init, headers: { 'x-client': name } });

/** Settles on chain what was earned: from then on its voucher can be read by anybody. */
async function capture(): Promise<void> {
  const worker = captureWorker(store, chain.url, POLICY);
  store.clock.advance(MINUTE_MS + 1_000);
  expect(await worker.sweep()).toBe(1);
  expect(await worker.settle()).toEqual(['final']);
}

/** What anybody can make of a voucher that stands in a transaction: a credential that answers a challenge of his own. */
async function strangersCredential(
  cumulative: bigint,
  action: 'voucher' | 'close' | 'open',
  change: Partial<CredentialParts['payload']> = {},
): Promise<string> {
  const parts = await payer.parts(sessionChallenge(await fetch(url, naming())), cumulative);
  return Credential.serialize({ ...parts, payload: { ...parts.payload, action, ...change } });
}

const snapshotIn = (response: Response): unknown =>
  (sessionChallenge(response).request as { methodDetails: Record<string, unknown> }).methodDetails['sessionSnapshot'];
const problemOf = async (response: Response) =>
  ((await response.json()) as { type: string }).type.split('/problems/')[1];

describe('a stranger', () => {
  it.each([
    ['whose voucher is used', 'GET'],
    ['whose voucher was only handed in', 'HEAD'],
  ])('who names a channel %s is shown neither voucher nor descriptor', async (_whose, method) => {
    await paying(url, await payer.voucher(await payer.challenge(url), 2n * PRICE), { method });
    for (const init of [naming(), as('mallory'), naming({ method: 'POST' })]) {
      const answer = await fetch(url, init);
      expect(answer.status).toBe(402);
      expect(snapshotIn(answer)).toBeUndefined();
      expect(answer.headers.get('www-authenticate')).not.toContain(payer.descriptor.salt);
    }
  });

  it('cannot close a channel by the voucher that its capture made public, and learns nothing by trying', async () => {
    await capture();
    for (const method of ['POST', 'GET', 'HEAD']) {
      const answer = await paying(url, await strangersCredential(PRICE, 'close'), as('mallory', { method }));
      expect(answer.status).toBe(402);
      expect(snapshotIn(answer)).toBeUndefined();
      if (method === 'POST') expect(await problemOf(answer)).toBe('session/close-unproven');
    }
    expect(await channel()).toMatchObject({ closing: false });
    // Not by the challenge of a refused close either, however often he answers it.
    const refused = await paying(url, await strangersCredential(PRICE, 'close'), { method: 'POST' });
    const parts = await payer.parts(sessionChallenge(refused), PRICE, 'close');
    expect((await paying(url, Credential.serialize(parts), { method: 'POST' })).status).toBe(402);
    expect(await channel()).toMatchObject({ closing: false, settled: PRICE });
  });

  it('cannot close by a voucher that is on its way to the chain', async () => {
    store.clock.advance(MINUTE_MS + 1_000);
    expect(await captureWorker(store, chain.url, POLICY).sweep()).toBe(1);
    expect((await paying(url, await strangersCredential(PRICE, 'close'), { method: 'POST' })).status).toBe(402);
    expect(await channel()).toMatchObject({ closing: false, settled: 0n, revealed: PRICE });
  });

  it.each(['voucher', 'open'] as const)(
    'gets no receipt for a public voucher that is handed in again as %s, and never becomes the owner',
    async (action) => {
      await payer.pay(url, 2n * PRICE, { headers: { 'x-client': 'alice' } });
      store.clock.advance(MINUTE_MS + 1_000);
      // Sent for capture, and not settled yet: what the payer has signed is still the highest.
      expect(await captureWorker(store, chain.url, POLICY).sweep()).toBe(1);
      const open = Credential.deserialize<Record<string, unknown>>(payer.opening).payload;
      const answer = await paying(
        url,
        await strangersCredential(
          2n * PRICE,
          action,
          action === 'open' ? { transaction: open['transaction'], type: 'transaction' } : {},
        ),
        as('mallory', { method: 'HEAD' }),
      );
      expect([answer.status, answer.headers.get('payment-receipt')]).toEqual([402, null]);
      expect(snapshotIn(answer)).toBeUndefined();
      expect(await channel()).toMatchObject({ identity: 'alice' });
      expect(snapshotIn(await fetch(url, as('mallory')))).toBeUndefined();
      expect(snapshotIn(await fetch(url, as('alice')))).toBeDefined();
    },
  );

  it('who presents a voucher that the payer never signed is told nothing of its channel', async () => {
    const forged = await strangersCredential(2n * PRICE, 'voucher', { signature: `0x${'12'.repeat(64)}1b` });
    const answer = await paying(url, forged);
    expect([answer.status, await problemOf(answer)]).toEqual([402, 'session/invalid-signature']);
    expect(sessionChallenge(answer).request).not.toHaveProperty(['methodDetails', 'channelId']);
  });
});

describe('the payer', () => {
  it('who is behind is shown the highest voucher in answer to one of his own that is not public', async () => {
    for (let n = 2n; n <= 5n; n += 1n) await payer.pay(url, n * PRICE);
    const behind = await payer.pay(url, 3n * PRICE);
    expect(behind.status).toBe(402);
    expect(snapshotIn(behind)).toMatchObject({
      highestVoucher: { cumulativeAmount: `${5n * PRICE}` },
      descriptor: { payer: payer.address.toLowerCase() },
    });
    await capture();
    expect(snapshotIn(await payer.pay(url, 3n * PRICE))).toBeUndefined();
  });

  it('closes with a voucher that was never captured', async () => {
    await capture();
    await payer.pay(url, 2n * PRICE);
    const close = await paying(url, await strangersCredential(2n * PRICE, 'close'), { method: 'POST' });
    expect(close.status).toBe(204);
    expect(await channel()).toMatchObject({ closing: true });
  });

  it('closes with a captured voucher where the application knows him, and nobody else does', async () => {
    await payer.pay(url, 2n * PRICE, as('alice'));
    await capture();
    const credential = await strangersCredential(2n * PRICE, 'close');
    expect((await paying(url, credential, as('mallory', { method: 'POST' }))).status).toBe(402);
    expect((await paying(url, credential, as('alice', { method: 'POST' }))).status).toBe(204);
    expect(await channel()).toMatchObject({ closing: true });
  });

  it('whose close was taken sends it again, because its answer was lost: 204, also when it is on chain', async () => {
    const close = await payer.voucher(await payer.challenge(url), PRICE, 'close');
    expect((await paying(url, close, { method: 'POST' })).status).toBe(204);
    await capture();
    expect((await paying(url, close, { method: 'POST' })).status).toBe(204);
  });
});

describe('the unmodified client of npm mppx', () => {
  const manager = () => {
    const account = newAccount();
    return sessionManager({
      account,
      getClient: () => chainClient(chain.url, account),
      maxDeposit: '5',
      channelStore: createChannelStore(),
    });
  };
  const closing = async () =>
    (await Promise.all(chain.ledger().channels.map(({ channelId }) => channelIn(store, channelId)))).filter(
      (one) => one.closing,
    );

  it('closes a channel of which everything is captured: it answers the challenge that only it was given', async () => {
    const mine = manager();
    for (let n = 0; n < 3; n += 1) expect((await mine.fetch(url)).status).toBe(200);
    store.clock.advance(MINUTE_MS + 1_000);
    const worker = captureWorker(store, chain.url, POLICY);
    expect(await worker.sweep()).toBe(2);
    await worker.settle();
    await mine.close();
    expect((await closing()).map(({ id, settled }) => [id, settled])).toEqual([
      [mine.channelId?.toLowerCase(), 3n * PRICE],
    ]);
  });

  it('closes it too when that challenge has expired, by the next one', async () => {
    const mine = manager();
    await mine.fetch(url);
    store.clock.advance(MINUTE_MS + 1_000);
    const worker = captureWorker(store, chain.url, POLICY);
    await worker.sweep();
    await worker.settle();
    store.clock.advance(2 * 3_600_000);
    await mine.close();
    expect(await closing()).toHaveLength(1);
  });

  it('whose channel another of its processes used catches up without a name, by its own next voucher', async () => {
    const account = newAccount();
    const of = () =>
      sessionManager({
        account,
        getClient: () => chainClient(chain.url, account),
        maxDeposit: '5',
        channelStore: shared,
      });
    const shared = createChannelStore();
    const behind = of();
    await behind.fetch(url);
    const entry = chain.ledger().channels.at(-1)?.channelId as Hex;
    const ahead = await payerOf(account, entry);
    for (let n = 2n; n <= 9n; n += 1n) expect((await ahead(n * PRICE)).status).toBe(200);
    const paid = await behind.fetch(url);
    expect([paid.status, receiptOf(paid).acceptedCumulative]).toEqual([200, `${10n * PRICE}`]);
  });
});

/** Signs vouchers of an account's channel beside the client that keeps it. */
async function payerOf(account: ReturnType<typeof newAccount>, channelId: Hex) {
  const { Voucher, Constants } = (await import('mppx/tempo')).Session.Precompile;
  const { descriptor } = await channelIn(store, channelId);
  const client = chainClient(chain.url, account);
  return async (cumulative: bigint): Promise<Response> => {
    const voucher = { channelId, cumulativeAmount: cumulative };
    const signature = await Voucher.signVoucher(
      client,
      account,
      voucher,
      Constants.tip20ChannelEscrow,
      client.chain.id,
    );
    const payload = { action: 'voucher', channelId, descriptor, cumulativeAmount: String(cumulative), signature };
    const source = `did:pkh:eip155:${client.chain.id}:${account.address}`;
    return paying(url, Credential.serialize({ challenge: sessionChallenge(await fetch(url)), payload, source }));
  };
}

describe('garbage that names a channel', () => {
  const garbage = () => `0x${randomBytes(64).toString('hex')}1b`;

  it('is refused while somebody holds the channel: it waits neither for its queue nor for its row', async () => {
    const voucher = await payer.voucher(await payer.challenge(url), 2n * PRICE);
    const [waiting] = await store.database.transaction(async (query) => {
      await query('SELECT 1 FROM channels WHERE channel_id = $1 FOR UPDATE', [payer.channelId.toLowerCase()]);
      const owner = paying(url, voucher);
      const answers = await Promise.all(
        (['voucher', 'close', 'open'] as const).map(async (action) => {
          const open = Credential.deserialize<Record<string, unknown>>(payer.opening).payload;
          const change = { ...(action === 'open' && { transaction: open['transaction'] }), signature: garbage() };
          return paying(url, await strangersCredential(3n * PRICE, action, change), { method: 'POST' });
        }),
      );
      expect(answers.map(({ status }) => status)).toEqual([402, 402, 402]);
      // Nor does a voucher that is public, or one that has paid already.
      const used = await paying(url, await strangersCredential(PRICE, 'voucher'));
      expect([used.status, await problemOf(used)]).toEqual([402, 'session/voucher-used']);
      return [owner];
    });
    expect((await waiting)?.status).toBe(200);
  });

  it('that would top it up asks the chain nothing, and a top-up that the chain holds up holds up no voucher', async () => {
    const topUp = await credentialOf(chain.url, `${shop.url}/small`, 'topUp');
    const { challenge, payload, source } = Credential.deserialize<Record<string, unknown>>(topUp);
    const calls = chain.ledger().transactions.length;
    const forged = Credential.serialize({
      challenge,
      payload: { ...payload, channelId: payer.channelId, descriptor: payer.descriptor },
      source: `did:pkh:eip155:42431:${payer.address}`,
    });
    expect(source).toBeDefined();
    chain.setDown(true);
    const answer = await paying(`${shop.url}/small`, forged, { method: 'POST' });
    expect([answer.status, await problemOf(answer)]).toEqual([402, 'verification-failed']);
    expect((await payer.pay(url, 2n * PRICE)).status).toBe(200);
    chain.setDown(false);
    expect(chain.ledger().transactions).toHaveLength(calls);
  });
});
