import { type HyperswitchSandbox, startHyperswitchSandbox } from '../../../sandbox/hyperswitch/start.js';
import { startStripeSandbox } from '../../../sandbox/stripe/start.js';
import { createResolution } from '../../../src/calls/decisions/decide.js';
import { createExternalPayments } from '../../../src/calls/marketplace/external-payments.js';
import { createHyperswitchCalls } from '../../../src/calls/marketplace/hyperswitch-calls.js';
import { atItsProvider } from '../../../src/calls/marketplace/payment-calls.js';
import { createPinnedReads } from '../../../src/calls/marketplace/pinned-reads.js';
import { createWebhookProcessor } from '../../../src/calls/marketplace/process-webhook.js';
import { reversalCall } from '../../../src/calls/marketplace/reversal-call.js';
import { createStripeAccountCheck } from '../../../src/calls/marketplace/stripe-account.js';
import { createStripeCall } from '../../../src/calls/marketplace/stripe-call.js';
import { createStripePayments } from '../../../src/calls/marketplace/stripe-payments.js';
import { transferCall } from '../../../src/calls/marketplace/transfer-call.js';
import { paymentKey, refundKey } from '../../../src/domain/calls/idempotency-keys.js';
import type { PaymentFacts } from '../../../src/domain/calls/provider-answers.js';
import type { DecidableKind } from '../../../src/domain/decisions/decisions.js';
import {
  type DisputeId,
  newDecisionId,
  newOrderId,
  newPaymentId,
  newRefundId,
  type OrderId,
  type PaymentId,
  type RefundId,
  type ReversalId,
  type TransferId,
} from '../../../src/domain/ids.js';
import type { DisputeRules } from '../../../src/domain/marketplace/disputes.js';
import type { MarketplaceKind, Order } from '../../../src/domain/marketplace/marketplace.js';
import type { MarketplaceItem, NewWebhookEvent } from '../../../src/ledger/marketplace/marketplace-types.js';
import { createHyperswitch } from '../../../src/providers/hyperswitch/client.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import { createStripe, type StripeEndpoint } from '../../../src/providers/stripe/client.js';
import { openTestLedger } from '../ledger-fixtures.js';
import { beginRequest, unique } from './fixtures.js';

export type DisputeWorld = Awaited<ReturnType<typeof openDisputeWorld>>;

const TIMINGS = { backoffBaseMs: 1_000, backoffMaxMs: 60_000, maxRetries: 5 };
const HOLD_MS = 60_000;
const KINDS: readonly MarketplaceKind[] = ['payment', 'refund', 'dispute', 'transfer', 'reversal'];

type Opening = Parameters<HyperswitchSandbox['openDispute']>[0];
type Change = Parameters<HyperswitchSandbox['changeDispute']>[1];

/**
 * The real ledger, clients and calls, one process and no Temporal, between the stand-ins of Hyperswitch and of the Stripe behind it,
 * and a clock that passes only when told.
 */
export interface DisputeWorldOptions extends Partial<DisputeRules> {
  /** Hyperswitch's processor is another account, of which our key at Stripe sees nothing. */
  readonly elsewhere?: boolean;
  /** What happens while a call to Stripe waits for its token. */
  readonly whileWaiting?: (endpoint: StripeEndpoint) => Promise<void>;
}

export async function openDisputeWorld({
  elsewhere = false,
  whileWaiting = () => Promise.resolve(),
  ...rules
}: DisputeWorldOptions = {}) {
  const disputeRules = { policy: 'reverse', fees: new Map(), ...rules } as const;
  const test = await openTestLedger({ disputeRules });
  const { ledger, clock } = test;
  const atStripe = await startStripeSandbox({ clock });
  const atHyperswitch = await startHyperswitchSandbox({
    clock,
    ...(elsewhere ? {} : { stripe: { url: atStripe.url } }),
  });
  // What is asked here is who has the money, and not on which day.
  atStripe.setSettlementDays(0);
  await atStripe.setBalance({ account: atStripe.platformAccount, currency: 'usd', available: 100_000_000 });
  const hyperswitch = createHyperswitch({
    baseUrl: atHyperswitch.url,
    apiKey: atHyperswitch.apiKey,
    timeoutMs: 2_000,
    clock,
  });
  const stripe = createStripe({
    secretKey: 'sk_test_sandbox',
    apiBase: atStripe.url,
    takeToken: (endpoint) => whileWaiting(endpoint).then(() => () => undefined),
    timeoutMs: 2_000,
  });
  const wake = () => undefined;
  const pinned = createPinnedReads(ledger, { stripe, hyperswitch });
  const common = { ledger, clock, processName: 'p1', monotonicMs: () => clock.nowMs(), holdMs: HOLD_MS, wake };
  const atPinned = pinned.stripe;
  if (!atPinned) throw new Error('Stripe is configured in this world');
  const calls = atItsProvider(ledger, {
    hyperswitch: createHyperswitchCalls({ ...common, hyperswitch, stripe: pinned.stripe }),
    stripe: createStripePayments({ ...common, stripe: atPinned }),
  });
  const external = createExternalPayments({ ledger, stripe: atPinned, wake });
  const processWebhook = createWebhookProcessor({
    ledger,
    stripe: pinned.stripe,
    searchPayment: calls.searchPayment,
    wake,
  });
  const account = createStripeAccountCheck({ ledger, stripe });
  const attempts = {
    transfer: createStripeCall(
      transferCall({ ...common, stripe, timings: TIMINGS, searchPayment: calls.searchPayment }),
      { ...common, account },
    ),
    reversal: createStripeCall(
      reversalCall({
        ...common,
        stripe,
        hyperswitch,
        readDispute: calls.readDispute,
        timings: TIMINGS,
        balanceHorizonMs: 30 * 86_400_000,
      }),
      { ...common, account },
    ),
  };
  const resolution = createResolution({ ledger, ...pinned, chain: undefined });

  const advance = ({ kind, id }: MarketplaceItem): Promise<unknown> => {
    switch (kind) {
      case 'payment':
        return calls.advancePayment(id as PaymentId);
      case 'refund':
        return calls.advanceRefund(id as RefundId);
      case 'dispute':
        return calls.advanceDispute(id as DisputeId);
      case 'transfer':
        return attempts.transfer(id as TransferId);
      case 'reversal':
        return attempts.reversal(id as ReversalId);
    }
  };

  /** What sweeps would start until nothing is due. */
  async function settle(kinds: readonly MarketplaceKind[] = KINDS): Promise<void> {
    for (let round = 0; round < 20; round += 1) {
      const due = (await Promise.all(kinds.map((kind) => ledger.dueItems(kind, 100)))).flat();
      if (due.length === 0) return;
      for (const item of due) await advance(item);
      await ledger.markItemsStarted(due);
    }
  }

  async function find(id: OrderId): Promise<Order> {
    const order = await ledger.findOrder(id);
    if (!order) throw new Error(`there is no order ${id}`);
    return order;
  }

  /** One person alone. */
  const request = (kind: DecidableKind, itemId: string, action: string, evidence: Record<string, string> = {}) =>
    resolution.decide({
      id: newDecisionId(clock.nowMs()),
      kind,
      itemId,
      action,
      by: 'olga',
      authenticated: true,
      note: 'as discussed',
      evidence,
    });

  async function decide(kind: DecidableKind, itemId: string, action: string, evidence: Record<string, string> = {}) {
    const asked = await request(kind, itemId, action, evidence);
    if (asked.kind !== 'pending_approval') return asked;
    return await resolution.approve({ decisionId: asked.decisionId, by: 'anna', note: 'yes' });
  }

  return {
    ...test,
    atStripe,
    atHyperswitch,
    calls,
    external,
    ordered,
    attempts,
    settle,
    find,
    advance,
    request,
    decide,
    /** What follows from an event that is stored. */
    hears,

    /** What another process has, that begins now. */
    begins: () =>
      createStripePayments({
        ...common,
        processName: unique('p'),
        stripe: createPinnedReads(ledger, { stripe, hyperswitch }).stripe ?? atPinned,
      }),

    /** Ordered and paid; nothing of it is sent before {@link settle}. */
    async paid(sellers: Readonly<Record<string, bigint>>, currency = 'USD'): Promise<OrderId> {
      const id = await ordered(sellers, currency);
      const at = hyperswitchPaymentId(paymentKey(id));
      const made = await ledger.createPayment(
        { id: newPaymentId(clock.nowMs()), orderId: id, hyperswitchPaymentId: at },
        await beginRequest({ ledger }, 'payments'),
      );
      if (!('payment' in made)) throw new Error(made.kind);
      await calls.advancePayment(made.payment.id);
      await atHyperswitch.movePayment(at, { to: 'succeeded' });
      await calls.advancePayment(made.payment.id);
      return id;
    },

    /** Succeeded at Hyperswitch, and not read again here. */
    refundUnread,

    async refund(orderId: OrderId, amount: bigint): Promise<RefundId> {
      const id = await refundUnread(orderId, amount);
      await calls.advanceRefund(id);
      return id;
    },

    /** It had succeeded. */
    async failRefund(id: RefundId): Promise<void> {
      await atHyperswitch.moveRefund(hyperswitchRefundId(refundKey(id)), { to: 'failed' });
      await arrive({
        provider: 'hyperswitch',
        type: 'refund_failed',
        objectId: hyperswitchRefundId(refundKey(id)),
        parentId: null,
      });
    },

    /** At Stripe, and heard of by Hyperswitch unless it is told otherwise. @returns what it is called at both */
    async dispute(order: OrderId, how: Omit<Opening, 'payment_id'> = {}): Promise<{ id: string; atProcessor: string }> {
      const news = await atHyperswitch.openDispute({ payment_id: hyperswitchPaymentId(paymentKey(order)), ...how });
      if ('problem' in news) throw new Error(JSON.stringify(news.problem));
      return { id: news.dispute.id, atProcessor: news.dispute.connectorDisputeId };
    },
    async move(dispute: { readonly id: string }, change: Change): Promise<void> {
      await atHyperswitch.changeDispute(dispute.id, change);
    },

    /** Hyperswitch's event of the dispute arrives. */
    async hyperswitchTells(order: OrderId, dispute: { readonly id: string }, type = 'dispute_lost'): Promise<void> {
      const parentId = hyperswitchPaymentId(paymentKey(order));
      await arrive({ provider: 'hyperswitch', type, objectId: dispute.id, parentId });
    },
    /** An event about the payment itself. */
    async hyperswitchTellsOfPayment(order: OrderId): Promise<void> {
      const objectId = hyperswitchPaymentId(paymentKey(order));
      await arrive({ provider: 'hyperswitch', type: 'payment_cancelled_post_capture', objectId, parentId: null });
    },
    async stripeTells(type: string, objectId: string, parentId: string | null = null): Promise<void> {
      await arrive({ provider: 'stripe', type, objectId, parentId });
    },

    async openEvents(): Promise<number> {
      const [row] = await test.database.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM webhook_events WHERE next_check_at IS NOT NULL',
      );
      return row?.count ?? 0;
    },

    /** A process that dies right before or after this call while it is told of what another checkout did. */
    dying(of: 'stripe' | 'ledger', call: string, moment: 'before' | 'after') {
      const mortal = <Part extends object>(part: Part): Part =>
        new Proxy(part, {
          get(target, name) {
            const own: unknown = Reflect.get(target, name);
            if (name !== call || typeof own !== 'function') return own;
            return async (...given: unknown[]) => {
              if (moment === 'after') await Reflect.apply(own, target, given);
              throw new Error(`died ${moment} ${call}`);
            };
          },
        });
      return createExternalPayments({
        ledger: of === 'ledger' ? mortal(ledger) : ledger,
        stripe: { inLane: (lane) => (of === 'stripe' ? mortal(atPinned.inLane(lane)) : atPinned.inLane(lane)) },
        wake,
      });
    },

    /** What Hyperswitch holds of a payment now. */
    async readAtHyperswitch(name: string): Promise<PaymentFacts> {
      const answer = await hyperswitch.readPayment(name);
      if (answer.kind !== 'found') throw new Error(answer.detail);
      return answer.value;
    },

    /** Stripe's own record of a dispute now. */
    readAtStripe: (stripeDisputeId: string) => stripe.inLane('disputes').readDispute(stripeDisputeId),

    /** Available at the seller's account. */
    async balanceOf(seller: string, currency = 'USD'): Promise<bigint> {
      const answer = await stripe.inLane(seller).readBalance(seller);
      return answer.kind === 'found' ? (answer.value.get(currency) ?? 0n) : 0n;
    },

    async close() {
      await atHyperswitch.close();
      await atStripe.close();
      await test.dispose();
    },
  };

  async function ordered(sellers: Readonly<Record<string, bigint>>, currency = 'USD'): Promise<OrderId> {
    const id = newOrderId(clock.nowMs());
    const items = Object.entries(sellers).map(([sellerAccount, amount]) => ({
      sellerAccount,
      amount,
      description: 'goods',
    }));
    await ledger.createOrder({ id, currency, items }, await beginRequest({ ledger }, 'orders'));
    return id;
  }

  async function refundUnread(orderId: OrderId, amount: bigint): Promise<RefundId> {
    const id = newRefundId(clock.nowMs());
    const at = hyperswitchRefundId(refundKey(id));
    const outcome = await ledger.createRefund(
      { id, orderId, amount, reason: 'requested', hyperswitchRefundId: at },
      await beginRequest({ ledger }, 'refunds'),
    );
    if (outcome.kind !== 'created') throw new Error(outcome.kind);
    await calls.advanceRefund(id);
    await atHyperswitch.moveRefund(at, { to: 'succeeded' });
    return id;
  }

  async function hears(event: NewWebhookEvent): Promise<void> {
    await processWebhook(event);
    const item = await ledger.itemOfWebhook(event);
    if (item && item.kind !== 'transfer') await advance(item);
  }

  async function arrive(told: {
    readonly provider: 'hyperswitch' | 'stripe';
    readonly type: string;
    readonly objectId: string;
    readonly parentId: string | null;
  }): Promise<void> {
    const event = { ...told, eventId: unique('evt'), account: null, bodySha256: 'x' };
    await ledger.storeWebhook(event);
    await hears(event);
  }
}
