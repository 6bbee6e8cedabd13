import type { WorkflowHandle } from '@temporalio/client';
import { afterEach, beforeEach, it } from 'vitest';
import type { RefundId } from '../../src/domain/ids.js';
import type { MarketplaceKind, Order } from '../../src/domain/marketplace/marketplace.js';
import { resolveSignal, resolveUpdate } from '../../workflows/messages.js';
import { HOUR_MS, MINUTE_MS } from '../support/durations.js';
import { type MarketplaceTest, openMarketplaceTest, reversalOf } from '../support/marketplace/time-skipping.js';
import { recordHistory } from './recording.js';

/** Records the histories of payments, refunds, transfers and reversals; see histories.record.ts for when that is right. */

const SELLER = 'acct_1';
let market: MarketplaceTest;

beforeEach(async () => {
  market = await openMarketplaceTest();
});
afterEach(() => market.dispose());

const sold = () => market.sold({ [SELLER]: 1_000n });
const paid = async () => {
  const order = await market.pay({ [SELLER]: 1_000n });
  return { order, transfer: order.transfers[0]?.id ?? '' };
};
async function refunded(order?: Order) {
  const of = order ?? (await sold());
  const refund = await market.refund(of);
  return { order: of, refund, reversal: reversalOf(refund, of) };
}
const resolution = (action: string, more: object = {}) => ({ action, by: 'ann', note: 'recorded', ...more });
const nudge = (kind: MarketplaceKind, id: string) => market.world.wake([{ kind, id }]);
/** Of a run that ended, or of the first of several. */
async function recordRun(shape: string, kind: MarketplaceKind, id: string): Promise<void> {
  const { runId } = await market.handle(kind, id).describe();
  await recordHistory(shape, market.client.workflow.getHandle(`${kind}/${id}`, runId));
}
const ended = (handle: WorkflowHandle) =>
  market.until('it ends', async () => {
    const described = await handle.describe().catch(() => undefined);
    return described !== undefined && described.status.name !== 'RUNNING';
  });
async function recordEnding(shape: string, kind: MarketplaceKind, id: string): Promise<void> {
  await ended(market.handle(kind, id));
  await recordRun(shape, kind, id);
}
async function recordContinuing(shape: string, kind: MarketplaceKind, id: string): Promise<void> {
  const { runId } = await market.handle(kind, id).describe();
  await market.sleep(25 * HOUR_MS);
  await recordHistory(shape, market.client.workflow.getHandle(`${kind}/${id}`, runId));
}
const poor = () => market.stripe.setBalance({ account: SELLER, currency: 'usd', available: 0 });
const rich = () => market.stripe.setBalance({ account: SELLER, currency: 'usd', available: 5_000 });

it('a transfer is sent at once', async () => {
  await recordEnding('seller-transfer/sent-at-once', 'transfer', (await paid()).transfer);
});

it('a transfer is turned away at first', async () => {
  market.stripe.setFaults([{ kinds: ['rate_limited'], on: ['transfers.create'], times: 2 }]);
  await recordEnding('seller-transfer/turned-away', 'transfer', (await paid()).transfer);
});

it('a transfer is retried by signal', async () => {
  await market.restart({ settings: { TRANSFER_RETRY_MAX: '0' } });
  market.stripe.setFaults([{ kinds: ['refused'], on: ['transfers.create'], times: 1 }]);
  const { transfer } = await paid();
  await market.untilIn('needs_attention', 'transfer', transfer);
  await market.handle('transfer', transfer).signal(resolveSignal, resolution('retry'));
  await recordEnding('seller-transfer/retried-by-signal', 'transfer', transfer);
});

it('a transfer is found by the probe', async () => {
  await market.restart({ settings: { TRANSFER_RETRY_MAX: '1' } });
  market.stripe.setFaults([{ kinds: ['finish_later'], on: ['transfers.create'], times: 1 }]);
  const { transfer } = await paid();
  await market.untilIn('needs_attention', 'transfer', transfer);
  await market.sleep(HOUR_MS);
  await market.stripe.finishLater();
  await market.sleep(HOUR_MS);
  await recordEnding('seller-transfer/found-by-probe', 'transfer', transfer);
});

it('a share is taken back at once', async () => {
  await recordEnding('refund-reversal/reversed-at-once', 'reversal', (await refunded()).reversal);
});

it('a share is taken back after retries', async () => {
  const order = await sold();
  market.stripe.setFaults([{ kinds: ['unavailable'], on: ['reversals.create'], times: 3 }]);
  await recordEnding('refund-reversal/retried', 'reversal', (await refunded(order)).reversal);
});

it('the ledger is away for all attempts', async () => {
  let away = true;
  await market.restart({
    settings: { REVERSAL_MAX_RETRIES: '0' },
    decorate: (parts) => ({
      ...parts,
      ledger: {
        ...parts.ledger,
        claimReversal: (...given) =>
          away ? Promise.reject(new Error('the ledger is away')) : parts.ledger.claimReversal(...given),
      },
    }),
  });
  const { reversal } = await refunded();
  await market.untilIn('waiting_to_retry', 'reversal', reversal);
  away = false;
  await recordEnding('refund-reversal/ledger-away', 'reversal', reversal);
});

it('a share waits for its turn', async () => {
  const order = await sold();
  for (let nth = 0; nth < 40; nth += 1) await market.test.ledger.takeTurn(SELLER, 5);
  await recordEnding('refund-reversal/waited-for-its-turn', 'reversal', (await refunded(order)).reversal);
});

it('a share waits for a balance that the probe finds', async () => {
  const order = await sold();
  await poor();
  const { reversal } = await refunded(order);
  await market.untilIn('waiting', 'reversal', reversal);
  await rich();
  await recordEnding('refund-reversal/waited-for-balance', 'reversal', reversal);
});

it('a share waits for a balance that Stripe tells of', async () => {
  const order = await sold();
  await poor();
  const { reversal } = await refunded(order);
  await market.untilIn('waiting', 'reversal', reversal);
  await rich();
  for (const item of await market.test.ledger.balanceRose(SELLER)) market.world.wake([item]);
  await recordEnding('refund-reversal/woken-by-balance', 'reversal', reversal);
});

it('Stripe is parked for a while', async () => {
  const order = await sold();
  market.stripe.setApiKeys({ revoked: ['sk_test_sandbox'] });
  const { reversal } = await refunded(order);
  await market.untilIn('waiting', 'reversal', reversal);
  await market.sleep(15 * MINUTE_MS);
  market.stripe.setApiKeys({ revoked: [] });
  await market.sleep(15 * MINUTE_MS);
  await recordEnding('refund-reversal/parked', 'reversal', reversal);
});

/** Somebody else has taken the share back. */
async function foreign() {
  const order = await sold();
  const there = await market.stripe.reverse(order.transfers[0]?.stripeTransferId ?? '');
  const { reversal } = await refunded(order);
  await market.untilIn('needs_attention', 'reversal', reversal);
  return { reversal, there };
}

it('a reversal is adopted by update', async () => {
  const { reversal, there } = await foreign();
  const evidence = { stripe_reversal_id: there.id };
  const handle = market.handle('reversal', reversal);
  await handle.executeUpdate(resolveUpdate, {
    args: [resolution('adopt', { evidence: { ...evidence, stripe_reversal_id: 'trr_no' } })],
  });
  await handle.executeUpdate(resolveUpdate, { args: [resolution('adopt', { evidence })] });
  await recordEnding('refund-reversal/adopted-by-update', 'reversal', reversal);
});

it('a reversal is given up by two persons', async () => {
  const { reversal } = await foreign();
  const handle = market.handle('reversal', reversal);
  await handle.signal(resolveSignal, resolution('write_off'));
  await handle.signal(resolveSignal, resolution('retry'));
  await market.until('it asks for the second', async () => {
    const rows = await market.test.database.query('SELECT 1 FROM decisions WHERE item_id = $1', [reversal]);
    return rows.length > 0;
  });
  const [asked] = await market.test.database.query<{ id: string }>(
    `SELECT id FROM decisions WHERE item_id = $1 AND state = 'pending_approval'`,
    [reversal],
  );
  for (const by of ['anna', 'berta'])
    if (asked) await market.world.resolution.approve({ decisionId: asked.id as never, by, note: 'recorded' });
  nudge('reversal', reversal);
  await recordEnding('refund-reversal/given-up-by-two', 'reversal', reversal);
});

it('a reversal is found by the probe', async () => {
  await market.restart({ settings: { REVERSAL_MAX_RETRIES: '1' } });
  const order = await sold();
  market.stripe.setFaults([{ kinds: ['finish_later'], on: ['reversals.create'], times: 1 }]);
  const { reversal } = await refunded(order);
  await market.untilIn('needs_attention', 'reversal', reversal);
  await market.sleep(HOUR_MS);
  await market.stripe.finishLater();
  await market.sleep(HOUR_MS);
  await recordEnding('refund-reversal/found-by-probe', 'reversal', reversal);
});

it('a reversal waits for a person for more than a day', async () => {
  await recordContinuing('refund-reversal/continued-after-a-day', 'reversal', (await foreign()).reversal);
});

it('a reversal continues as new with a message that nobody needed', async () => {
  const order = await sold();
  await poor();
  const { reversal } = await refunded(order);
  await market.untilIn('waiting', 'reversal', reversal);
  await market.handle('reversal', reversal).signal(resolveSignal, resolution('retry'));
  await market.handle('reversal', reversal).signal(resolveSignal, resolution('compensate'));
  await recordContinuing('refund-reversal/continued-with-a-message', 'reversal', reversal);
});

it('a payment is paid at once', async () => {
  const { order } = await paid();
  await recordEnding('payment/paid-at-once', 'payment', order.payment?.id ?? '');
});

async function openPayment(): Promise<{ id: string; at: string }> {
  market.hyperswitch.setAuto({});
  const { order } = await paid();
  const { id = '', hyperswitchPaymentId } = order.payment ?? {};
  await market.untilIn('waiting', 'payment', id);
  return { id, at: hyperswitchPaymentId ?? '' };
}

it('a payment is read until it is paid', async () => {
  const { id, at } = await openPayment();
  await market.handle('payment', id).signal(resolveSignal, resolution('retry'));
  await market.sleep(10 * MINUTE_MS);
  market.hyperswitch.setFaults([{ kinds: ['http_503'], on: ['payments.read'], times: 2 }]);
  await market.sleep(10 * MINUTE_MS);
  await market.hyperswitch.movePayment(at, { to: 'succeeded' });
  nudge('payment', id);
  await recordEnding('payment/read-until-paid', 'payment', id);
});

it('a refund is done at once', async () => {
  await recordEnding('refund/done-at-once', 'refund', (await refunded()).refund);
});

async function openRefund(): Promise<{ id: RefundId; at: string }> {
  const order = await sold();
  market.hyperswitch.setAuto({});
  const id = await market.refund(order);
  await market.untilIn('waiting', 'refund', id);
  return { id, at: (await market.test.ledger.findRefund(id))?.hyperswitchRefundId ?? '' };
}

it('a refund is read until it is done', async () => {
  const { id, at } = await openRefund();
  await market.sleep(10 * MINUTE_MS);
  await market.hyperswitch.moveRefund(at, { to: 'succeeded' });
  await recordEnding('refund/read-until-done', 'refund', id);
});

/** It failed after its share had been taken back; a person is asked. */
async function failedLate(): Promise<RefundId> {
  const { id, at } = await openRefund();
  await market.hyperswitch.moveRefund(at, { to: 'succeeded' });
  await ended(market.handle('refund', id));
  const [reversal] = await market.test.ledger.reversalsOfRefund(id);
  if (reversal) await market.untilReversal('reversed', reversal.id);
  await market.hyperswitch.moveRefund(at, { to: 'failed' });
  const event = { provider: 'hyperswitch', eventId: 'evt_1', type: 'refund_failed', objectId: at } as const;
  await market.test.ledger.storeWebhook({ ...event, parentId: null, account: null, bodySha256: 'recorded' });
  nudge('refund', id);
  await market.untilIn('needs_attention', 'refund', id);
  return id;
}

it('a refund that failed after its reversal is compensated by two persons', async () => {
  const id = await failedLate();
  const handle = market.handle('refund', id);
  const asked = await handle.executeUpdate(resolveUpdate, { args: [resolution('compensate')] });
  for (const by of ['anna', 'berta'])
    await market.world.resolution.approve({ decisionId: asked.decision_id as never, by, note: 'recorded' });
  nudge('refund', id);
  await recordEnding('refund/compensated-by-two', 'refund', id);
});

it('a refund waits for a person for more than a day', async () => {
  await recordContinuing('refund/continued-after-a-day', 'refund', await failedLate());
});
