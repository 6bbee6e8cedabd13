import { createResolution } from '../../../src/calls/decisions/decide.js';
import { createHyperswitchCalls } from '../../../src/calls/marketplace/hyperswitch-calls.js';
import { createProbes } from '../../../src/calls/marketplace/probe.js';
import { reversalCall } from '../../../src/calls/marketplace/reversal-call.js';
import { createStripeAccountCheck } from '../../../src/calls/marketplace/stripe-account.js';
import { createStripeCall } from '../../../src/calls/marketplace/stripe-call.js';
import { transferCall } from '../../../src/calls/marketplace/transfer-call.js';
import { paymentKey, refundKey } from '../../../src/domain/calls/idempotency-keys.js';
import type { RefundFacts } from '../../../src/domain/calls/provider-answers.js';
import {
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
import type { MarketplaceKind, Order } from '../../../src/domain/marketplace/marketplace.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import type { MarketplaceItem, NewOrder, NewRefund } from '../../../src/ledger/marketplace/marketplace-types.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import type { TestLedger } from '../ledger-fixtures.js';
import { beginRequest, unique } from './fixtures.js';
import { modelHyperswitch } from './model-hyperswitch.js';
import { type ModelCurrency, modelStripe } from './model-stripe.js';

/** Where a process may die: before or after this operation of the ledger, its attempt never recorded any further. */
export const CRASHING = [
  'claimTransfer',
  'claimReversal',
  'permitTransfer',
  'permitReversal',
  'recordTransfer',
  'recordReversal',
  'noteReversalAbsent',
  'refundLeaves',
  'applyRefund',
  'releaseHeld',
] as const;
export type CrashPoint = `${'before' | 'after'} ${(typeof CRASHING)[number]}`;

class Killed extends Error {}

const TIMINGS = { backoffBaseMs: 1_000, backoffMaxMs: 60_000, maxRetries: 5 };
const HOLD_MS = 60_000;
const BALANCE_HORIZON_MS = 30 * 86_400_000;

export type MarketplaceModelWorld = Awaited<ReturnType<typeof marketplaceModelWorld>>;

/** The real ledger and the real attempts of activities, between models of both providers; time passes only when told. */
export function marketplaceModelWorld({ ledger: immortal, clock, database }: TestLedger, currency: ModelCurrency) {
  const stripe = modelStripe(clock, currency);
  const hyperswitch = modelHyperswitch();
  const deaths: CrashPoint[] = [];
  const failures: unknown[] = [];
  const killed: CrashPoint[] = [];
  const dismissed = new Map<string, string[]>();
  const ledger = crashing(immortal, deaths, killed);
  // Nothing is woken: what is left undone is found by the sweep.
  const wake = () => undefined;
  const common = { processName: 'p', monotonicMs: () => clock.nowMs(), holdMs: HOLD_MS, wake };
  const account = createStripeAccountCheck({ ledger, stripe });
  const attempts = {
    transfer: createStripeCall(transferCall({ ledger, stripe, timings: TIMINGS, wake }), { ...common, account }),
    reversal: createStripeCall(
      reversalCall({ ledger, stripe, hyperswitch, timings: TIMINGS, balanceHorizonMs: BALANCE_HORIZON_MS, wake }),
      {
        ...common,
        account,
      },
    ),
  };
  const probes = createProbes({ ledger, stripe, wake });
  const calls = createHyperswitchCalls({ ...common, ledger, hyperswitch, clock });
  const resolution = createResolution({ ledger, stripe, chain: undefined });

  /** Whatever ends it, the process that took this step is gone; only what nobody foresaw is a failure. */
  async function survive(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof Killed)) failures.push(error);
    }
  }

  async function paidOrder(items: NewOrder['items']): Promise<OrderId> {
    const id = newOrderId(clock.nowMs());
    await immortal.createOrder({ id, currency, items }, await beginRequest({ ledger: immortal }, 'orders'));
    const payment = newPaymentId(clock.nowMs());
    await immortal.createPayment(
      { id: payment, orderId: id, hyperswitchPaymentId: hyperswitchPaymentId(paymentKey(id)) },
      await beginRequest({ ledger: immortal }, 'payments'),
    );
    await calls.advancePayment(payment);
    return id;
  }

  const find = async (id: OrderId): Promise<Order> => {
    const order = await immortal.findOrder(id);
    if (!order) throw new Error(`there is no order ${id}`);
    return order;
  };

  const advance = ({ kind, id }: MarketplaceItem): Promise<void> =>
    survive(async () => {
      if (kind === 'payment') await calls.advancePayment(id as PaymentId);
      else if (kind === 'refund') await calls.advanceRefund(id as RefundId);
      else {
        const step = await (kind === 'transfer'
          ? attempts.transfer(id as TransferId)
          : attempts.reversal(id as ReversalId));
        if (step.kind === 'attention' && step.unknown)
          await (kind === 'transfer' ? probes.transfer(id as TransferId) : probes.reversal(id as ReversalId));
      }
    });

  const say = (
    item: { readonly kind: 'transfer' | 'reversal' | 'refund'; readonly id: string },
    action: string,
    evidence: Record<string, string> | null = null,
  ) =>
    resolution.decide({
      id: newDecisionId(clock.nowMs()),
      kind: item.kind,
      itemId: item.id,
      action,
      by: 'olga',
      authenticated: true,
      note: 'as discussed',
      evidence,
    });

  return {
    currency,
    stripe,
    hyperswitch,
    deaths,
    /** Deaths that came about: the operation was called. */
    killed: killed as readonly CrashPoint[],
    failures,
    ledger: immortal,
    database,
    clock,
    paidOrder,
    find,
    advance,
    survive,

    /** What the sweeps would start now. */
    async due(): Promise<readonly MarketplaceItem[]> {
      const kinds: readonly MarketplaceKind[] = ['payment', 'refund', 'transfer', 'reversal'];
      return (await Promise.all(kinds.map((kind) => immortal.dueItems(kind, 100)))).flat();
    },

    /** POST /refunds: refused where nothing is left. @param amount null: all that is left */
    askRefund: (order: OrderId, amount: bigint | null, of: Pick<NewRefund, 'lines' | 'fee'> = {}): Promise<void> =>
      survive(async () => {
        const id = newRefundId(clock.nowMs());
        const outcome = await immortal.createRefund(
          {
            id,
            orderId: order,
            amount,
            ...of,
            reason: 'requested',
            hyperswitchRefundId: hyperswitchRefundId(refundKey(id)),
          },
          await beginRequest({ ledger: immortal }, 'refunds'),
        );
        if (outcome.kind === 'created') await calls.advanceRefund(id);
      }),

    async dashboardRefund(order: OrderId, amount: bigint): Promise<void> {
      hyperswitch.dashboardRefund((await find(order)).payment?.hyperswitchPaymentId ?? '', amount);
    },

    /** Hyperswitch's webhook about this refund arrives, perhaps not for the first time. */
    tell: (facts: RefundFacts): Promise<void> =>
      survive(async () => {
        const event = {
          provider: 'hyperswitch',
          eventId: unique('evt'),
          type: `refund_${facts.status}`,
          objectId: facts.hyperswitchRefundId,
          parentId: facts.hyperswitchPaymentId,
          account: null,
          bodySha256: 'x',
        } as const;
        await immortal.storeWebhook(event);
        const item = await immortal.itemOfWebhook(event);
        if (item?.kind === 'refund') await calls.advanceRefund(item.id as RefundId);
        if (item?.kind === 'payment') await calls.advancePayment(item.id as PaymentId);
      }),

    /** By refund: what a person was told is due or owed, and gave up. */
    dismissed,

    decide: (item: { kind: 'transfer' | 'reversal' | 'refund'; id: string }, action: string): Promise<void> =>
      survive(async () => {
        if (item.kind === 'refund' && action === 'write_off') {
          const { attention } = (await immortal.findRefund(item.id as RefundId)) ?? {};
          dismissed.set(item.id, [...(dismissed.get(item.id) ?? []), attention?.detail ?? '']);
        }
        const outcome = await say(item, action);
        if (outcome.kind === 'pending_approval')
          await resolution.approve({ decisionId: outcome.decisionId, by: 'anna', note: 'yes' });
      }),

    /** Says it once. @returns what came of it, also where it was refused */
    say,
    /** The way of decisions, between the same models. */
    resolution,

    /** What is at Stripe and not in the ledger is told to it, as a reconciler would. */
    async reconcile(): Promise<void> {
      stripe.finishLater();
      const known = new Map(
        (
          await database.query<{ id: string; status: string }>(
            `SELECT stripe_transfer_id AS id, status FROM seller_transfers UNION ALL SELECT stripe_reversal_id, status FROM reversals
             UNION ALL SELECT hyperswitch_refund_id, status FROM refunds`,
          )
        ).map(({ id, status }) => [id, status]),
      );
      for (const { metadata, stripeTransferId } of stripe.transfers())
        if (!known.has(stripeTransferId))
          await survive(() => immortal.adoptTransfer(metadata.seller_transfer_id as TransferId, stripeTransferId));
      for (const { metadata, stripeReversalId } of stripe.reversals())
        if (!known.has(stripeReversalId))
          await survive(() => immortal.adoptReversal(metadata.operation_id as ReversalId, stripeReversalId));
      for (const refund of hyperswitch.refunds())
        if (known.get(refund.hyperswitchRefundId) !== refund.status) await this.tell(refund);
    },
  };
}

/** The ledger as a process sees it that dies at a named call. */
function crashing(ledger: Ledger, deaths: CrashPoint[], killed: CrashPoint[]): Ledger {
  const strikes = (death: CrashPoint): boolean => {
    const place = deaths.indexOf(death);
    if (place >= 0) killed.push(...deaths.splice(place, 1));
    return place >= 0;
  };
  const operations = CRASHING.map((name) => {
    const operation = ledger[name] as (...args: unknown[]) => Promise<unknown>;
    return [
      name,
      async (...args: unknown[]) => {
        if (strikes(`before ${name}`)) throw new Killed();
        const result = await operation(...args);
        if (strikes(`after ${name}`)) throw new Killed();
        return result;
      },
    ];
  });
  return { ...ledger, ...Object.fromEntries(operations) } as Ledger;
}
