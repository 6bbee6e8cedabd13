import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TransferId } from '../../../src/domain/ids.js';
import { resolveSignal } from '../../../workflows/messages.js';
import type { TestApi } from '../../support/api.js';
import { TOKENS } from '../../support/api.js';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { serveMarketplace } from '../../support/marketplace/http.js';
import { type MarketplaceTest, openMarketplaceTest } from '../../support/marketplace/time-skipping.js';

/** Whom the money is for cannot receive it yet, or not any more. */

let market: MarketplaceTest;
let api: TestApi;
let sellers = 0;
let seller: string;

beforeAll(async () => {
  // Not one failure is allowed, so that a wait that counted as one would end with a person.
  market = await openMarketplaceTest({ settings: { TRANSFER_RETRY_MAX: '0' } });
  api = await serveMarketplace(market);
});
afterAll(async () => {
  await api.close();
  await market.dispose();
});
beforeEach(() => {
  sellers += 1;
  seller = `acct_1New${sellers}`;
});
afterEach(() => market.stripe.setWebhookFaults([]));

async function pay(amount: bigint): Promise<TransferId> {
  return (await market.pay({ [seller]: amount })).transfers[0]!.id;
}
async function waiting(...amounts: bigint[]): Promise<TransferId[]> {
  const ids: TransferId[] = [];
  for (const amount of amounts) {
    const id = await pay(amount);
    await market.untilTransfer('waiting_seller', id);
    ids.push(id);
  }
  return ids;
}
const posts = () => market.transferPosts(seller).length;
const asked = (id: TransferId, reason: string) =>
  market.until(`a person is asked: ${reason}`, async () => (await market.transfer(id)).attention?.reason === reason);
const sellerNow = async (): Promise<Record<string, unknown>> => {
  const { status, body } = await api.send(`/api/v1/sellers/${seller}`, { token: TOKENS.viewer });
  expect(status).toBe(200);
  return body as Record<string, unknown>;
};

describe('a seller whose capability is not active', () => {
  it('is waited for without a retry; further shares are not even sent; an event ends it for all', async () => {
    await market.stripe.setAccount(seller, { transfers: 'pending' });
    const ids = await waiting(600n, 400n);
    expect(posts()).toBe(1);
    expect(await market.transfer(ids[0]!)).toMatchObject({
      retryCount: 0,
      attention: null,
      waiting: { for: 'seller', missing: null },
    });
    expect(await sellerNow()).toMatchObject({
      state: 'waiting',
      reason: 'transfers_pending',
      transfers: [{ id: ids[1] }, { id: ids[0] }],
      sums: [{ currency: 'USD', waiting: 1_000, with_person: 0 }],
    });
    await market.sleep(5 * HOUR_MS);
    expect(posts()).toBe(1);
    await market.stripe.setAccount(seller, { transfers: 'active' });
    await market.untilTransfer('completed', ...ids);
    expect(posts()).toBe(3);
    expect(await sellerNow()).toMatchObject({ state: 'able', reason: null, transfers: [], sums: [] });
  });

  it('is found able within an hour also when nobody told of it', async () => {
    await market.stripe.setAccount(seller, { transfers: 'inactive' });
    const ids = await waiting(600n, 400n);
    market.stripe.setWebhookFaults([{ kinds: ['lost'] }]);
    await market.stripe.setAccount(seller, { transfers: 'active' });
    await market.sleep(HOUR_MS + MINUTE_MS);
    await market.untilTransfer('completed', ...ids);
    expect(posts()).toBe(3);
  });

  it('is asked for at once when an operator tries it again', async () => {
    await market.stripe.setAccount(seller, { transfers: 'inactive' });
    const [id] = await waiting(600n);
    market.stripe.setWebhookFaults([{ kinds: ['lost'] }]);
    await market.stripe.setAccount(seller, { transfers: 'active' });
    await market
      .handle('transfer', id!)
      .signal(resolveSignal, { action: 'retry', by: 'ann', note: 'he says that he is through' });
    await market.untilTransfer('completed', id!);
    expect(posts()).toBe(2);
  });

  it('who is refunded meanwhile gets nothing', async () => {
    await market.stripe.setAccount(seller, { transfers: 'inactive' });
    const order = await market.pay({ [seller]: 700n });
    const { id } = order.transfers[0]!;
    await market.untilTransfer('waiting_seller', id);
    await market.refund(order);
    await market.untilTransfer('cancelled', id);
    await market.stripe.setAccount(seller, { transfers: 'active' });
    await market.sleep(HOUR_MS);
    expect(posts()).toBe(1);
  });
});

describe('a seller who is gone', () => {
  it.each([
    ['rejected', { disabledReason: 'rejected.fraud' }, { disabledReason: null }, 'rejected.fraud'],
    ['deauthorised', { access: 'revoked' }, { access: 'granted' }, 'deauthorised'],
  ] as const)('%s: a person is asked about each share, and nothing when he is back', async (_, gone, back, reason) => {
    await market.stripe.setAccount(seller, { transfers: 'inactive' });
    const [first] = await waiting(600n);
    await market.stripe.setAccount(seller, gone);
    await asked(first!, 'seller_gone');
    const second = await pay(400n);
    await asked(second, 'seller_gone');
    expect(await sellerNow()).toMatchObject({
      state: 'gone',
      reason,
      sums: [{ currency: 'USD', waiting: 0, with_person: 1_000 }],
    });
    expect(posts()).toBe(1);
    await market.stripe.setAccount(seller, { ...back, transfers: 'active' });
    await market.untilTransfer('completed', first!, second);
    expect((await market.transfer(first!)).attention).toBeNull();
  });

  it('is known for it also when all of his shares were sent, and for being back', async () => {
    const id = await pay(600n);
    await market.untilTransfer('completed', id);
    expect(await sellerNow()).toMatchObject({ state: 'able', reason: null });
    await market.stripe.setAccount(seller, { access: 'revoked' });
    await market.until('he is known to be gone', async () => (await sellerNow())['state'] === 'gone');
    expect(await sellerNow()).toMatchObject({ reason: 'deauthorised', transfers: [], sums: [] });
    await market.stripe.setAccount(seller, { access: 'granted' });
    await market.until('he is known to be back', async () => (await sellerNow())['state'] === 'able');
  });

  it('can be given up, and is found gone by the refusal itself where no event came', async () => {
    market.stripe.setWebhookFaults([{ kinds: ['lost'] }]);
    await market.stripe.setAccount(seller, { disabledReason: 'rejected.terms_of_service' });
    const id = await pay(500n);
    await asked(id, 'seller_gone');
    await market.untilIn('needs_attention', 'transfer', id);
    await market
      .handle('transfer', id)
      .signal(resolveSignal, { action: 'write_off', by: 'ann', note: 'agreed with finance' });
    await market.until('it waits for an approver or is given up', async () => {
      const { attention } = await market.transfer(id);
      return attention === null || attention.reason === 'approval_pending';
    });
    expect(posts()).toBe(1);
  });
});

describe('a seller who has left and of whom no event told', () => {
  it('is parked at first, becomes a question after a day, and is found back by a look', async () => {
    market.stripe.setWebhookFaults([{ kinds: ['lost'] }]);
    await market.stripe.setAccount(seller, { access: 'revoked' });
    const id = await pay(500n);
    const parked = () =>
      market.test.database.query(`SELECT 1 FROM provider_breakers WHERE provider = $1 AND state <> 'closed'`, [
        `stripe:${seller}`,
      ]);
    await market.until('he is parked', async () => (await parked()).length === 1);
    expect(await sellerNow()).toMatchObject({
      state: 'waiting',
      reason: 'parked',
      since: expect.any(String) as string,
    });
    await market.sleep(20 * HOUR_MS);
    expect((await market.transfer(id)).attention).toBeNull();
    await market.sleep(5 * HOUR_MS);
    await asked(id, 'seller_gone');
    expect(await sellerNow()).toMatchObject({ state: 'gone', reason: 'deauthorised' });
    await market.stripe.setAccount(seller, { access: 'granted' });
    await market.sleep(25 * HOUR_MS);
    await market.untilTransfer('completed', id);
  });
});
