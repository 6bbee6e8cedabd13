import type { KeyedAnswer, PaymentFacts, ReadAnswer, RefundFacts } from '../../../src/domain/calls/provider-answers.js';
import type { RefundStatus } from '../../../src/domain/marketplace/marketplace-status.js';
import type { Hyperswitch } from '../../../src/providers/hyperswitch/client.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import { paymentAt, refundAt } from './hyperswitch-facts.js';

/** What may befall one request that makes a refund. */
export const HYPERSWITCH_FAULTS = ['lost', 'dropped', 'busy'] as const;
export type HyperswitchFault = (typeof HYPERSWITCH_FAULTS)[number];

/** How the ids of refunds begin that nobody asked us for. */
export const OF_THE_DASHBOARD = 'ref_dashboard_';

/**
 * Hyperswitch as far as refunds go: an id is made once, what is refunded and not failed is at most what was paid, and a
 * refund may succeed, fail, and fail after it has succeeded. Every payment is captured at once.
 */
export function modelHyperswitch() {
  const payments = new Map<string, PaymentFacts>();
  const refunds = new Map<string, RefundFacts>();
  const faults: HyperswitchFault[] = [];
  let readFaults = 0;
  let made = 0;

  const ofPayment = (id: string) => [...refunds.values()].filter((one) => one.hyperswitchPaymentId === id);
  const room = (payment: string, but?: string): bigint =>
    ofPayment(payment)
      .filter((one) => one.status !== 'failed' && one.hyperswitchRefundId !== but)
      .reduce((left, { amount }) => left - amount, payments.get(payment)?.amount ?? 0n);

  function make(id: string, payment: string, amount: bigint): RefundFacts | undefined {
    const facts = payments.get(payment);
    if (!facts || amount > room(payment)) return undefined;
    const refund = refundAt({
      hyperswitchRefundId: id,
      hyperswitchPaymentId: payment,
      status: 'pending',
      amount,
      currency: facts.currency,
    });
    refunds.set(id, refund);
    return refund;
  }

  async function read<Found>(found: () => Found | undefined): Promise<ReadAnswer<Found>> {
    await new Promise((resolve) => setImmediate(resolve));
    if (readFaults > 0) {
      readFaults -= 1;
      return { kind: 'unclear', detail: '503' };
    }
    const value = found();
    return value === undefined ? { kind: 'missing', detail: 'HE_02' } : { kind: 'found', value };
  }

  const calls: Hyperswitch = {
    createPayment(key, { amount, currency }) {
      const id = hyperswitchPaymentId(key);
      const facts = paymentAt({ hyperswitchPaymentId: id, amount, currency });
      payments.set(id, facts);
      return Promise.resolve({ kind: 'done', value: facts, replayed: false, requestId: null });
    },
    async createRefund(key, { hyperswitchPaymentId: payment, amount }): Promise<KeyedAnswer<RefundFacts>> {
      const fault = faults.shift();
      const common = { requestId: null };
      if (fault === 'busy') return { kind: 'busy', executed: 'no', retryAfterMs: null, detail: '429', ...common };
      const lost = { kind: 'unclear', why: 'no_answer', detail: 'lost', replayed: false, ...common } as const;
      if (fault === 'dropped') return lost;
      await new Promise((resolve) => setImmediate(resolve));
      const id = hyperswitchRefundId(key);
      const existing = refunds.get(id);
      const refund = existing ?? make(id, payment, amount);
      if (fault === 'lost') return lost;
      return refund
        ? { kind: 'done', value: refund, replayed: existing !== undefined, ...common }
        : { kind: 'refused', why: 'other', code: 'IR_13', detail: 'amount exceeds', replayed: false, ...common };
    },
    capturePayment: () => Promise.reject(new Error('nobody captures a payment by hand in these stories')),
    cancelPayment: () => Promise.reject(new Error('nobody cancels a payment in these stories')),
    readPayment: (id) => read(() => payments.get(id)),
    readRefund: (id) => read(() => refunds.get(id)),
    refundsOf: (payment) => read(() => ofPayment(payment)),
    disputesOf: () => read(() => []),
    paymentsSince: () => read(() => ({ items: [], unreadable: [], next: null })),
    refundsSince: () => read(() => ({ items: [], unreadable: [], next: null })),
    readDispute: () => Promise.reject(new Error('nobody disputes a payment in these stories')),
  };

  return {
    ...calls,
    faults,
    failReads(howMany: number): void {
      readFaults = howMany;
    },
    heal(): void {
      faults.length = 0;
      readFaults = 0;
    },
    /** Made by a person in the dashboard. */
    dashboardRefund(payment: string, amount: bigint): void {
      make(`${OF_THE_DASHBOARD}${(made += 1)}`, payment, amount);
    },
    refunds: (): readonly RefundFacts[] => [...refunds.values()],
    /** As far as money allows: a refund that had failed succeeds only while there is something left to refund. */
    turn({ hyperswitchRefundId: id }: RefundFacts, status: RefundStatus): void {
      const refund = refunds.get(id);
      if (!refund || refund.status === status) return;
      if (refund.status === 'failed' && refund.amount > room(refund.hyperswitchPaymentId, id)) return;
      if (status === 'pending') return;
      refunds.set(id, { ...refund, status, providerStatus: status });
    },
  };
}
