import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { explainNext } from '../../../src/domain/decisions/explain-next.js';
import { newDecisionId, type PaymentId, type TransferId } from '../../../src/domain/ids.js';
import { createMarketplaceStory } from '../../../src/ledger/marketplace/marketplace-story.js';
import { hyperswitchPaymentId } from '../../../src/providers/hyperswitch/ids.js';
import type { TestApi } from '../../support/api.js';
import { HOUR_MS } from '../../support/durations.js';
import { serveMarketplace } from '../../support/marketplace/http.js';
import { type MarketplaceTest, openMarketplaceTest } from '../../support/marketplace/time-skipping.js';

/** Hyperswitch no longer says that the order was paid, and a seller has not been sent his share yet. */

const SELLER = 'acct_1InQuestion';
let market: MarketplaceTest;
let api: TestApi;
let payment: { readonly id: PaymentId; readonly at: string };
let transfer: TransferId;

beforeEach(async () => {
  market = await openMarketplaceTest({ settings: { TRANSFER_RETRY_ENABLED: 'false' } });
  api = await serveMarketplace(market);
  const { id: order, payment: paid, transfers } = await market.pay({ [SELLER]: 1_000n });
  payment = { id: paid!.id, at: hyperswitchPaymentId(order) };
  transfer = transfers[0]!.id;
  await market.hyperswitch.movePayment(payment.at, { to: 'conflicted' });
  await tellOf(payment.at);
  await market.until('a person is asked', async () => (await questioned())?.reason === 'conflict');
  await market.restart({});
  await market.world.sweep();
  await market.untilIn('waiting_to_retry', 'transfer', transfer);
});
afterEach(async () => {
  await api.close();
  await market.dispose();
});

/** Hyperswitch has no webhook of its own for it: that of the cancel tells. */
async function tellOf(objectId: string): Promise<void> {
  const event = { provider: 'hyperswitch', eventId: 'evt_1', type: 'payment_cancelled', bodySha256: 'x' } as const;
  await market.test.ledger.storeWebhook({ ...event, objectId, parentId: null, account: null });
  market.world.wake([{ kind: 'payment', id: payment.id }]);
}
const questioned = async () => (await market.test.ledger.findPayment(payment.id))?.attention;
const sent = () => market.stripe.ledger().transfers.filter(({ destination }) => destination === SELLER).length;

describe('a share that is not sent yet while a person is asked whether its order was paid', () => {
  it('is not sent however long that takes, and says what it waits for', async () => {
    await market.sleep(24 * HOUR_MS);
    await market.world.sweep();
    expect(market.transferPosts(SELLER)).toEqual([]);
    const call = await createMarketplaceStory(market.test.database).callDetails('transfer', transfer);
    const situation = { ...(await market.transfer(transfer)), ...call!, kind: 'transfer' as const };
    expect(explainNext(situation, market.test.clock.nowMs())).toContain(`waits for payment ${payment.id} of its order`);
  });

  it('is sent once when Hyperswitch has the money after all', async () => {
    await market.hyperswitch.movePayment(payment.at, { to: 'succeeded' });
    await market.until('nobody is asked', async () => (await questioned()) === null);
    await market.world.sweep();
    await market.untilTransfer('completed', transfer);
    expect(sent()).toBe(1);
  });

  it('is sent once when two persons let the payment be', async () => {
    const { resolution } = market.world;
    const id = newDecisionId(market.test.clock.nowMs());
    const asked = {
      id,
      kind: 'payment',
      itemId: payment.id,
      action: 'write_off',
      note: 'ours',
      evidence: null,
    } as const;
    expect(await resolution.decide({ ...asked, by: 'olga', authenticated: true })).toMatchObject({
      kind: 'pending_approval',
    });
    expect(await resolution.approve({ decisionId: id, by: 'anna', note: 'yes' })).toMatchObject({ kind: 'applied' });
    await market.world.sweep();
    await market.untilTransfer('completed', transfer);
    expect(sent()).toBe(1);
  });
});
