import type { IntentStatus } from '../../../sandbox/hyperswitch/http/objects.js';
import { startHyperswitchSandbox } from '../../../sandbox/hyperswitch/start.js';
import { createResolution } from '../../../src/calls/decisions/decide.js';
import { createHyperswitchCalls } from '../../../src/calls/marketplace/hyperswitch-calls.js';
import { createPinnedReads } from '../../../src/calls/marketplace/pinned-reads.js';
import type { FollowStep } from '../../../src/calls/steps.js';
import { paymentKey, refundKey } from '../../../src/domain/calls/idempotency-keys.js';
import type { PaymentFacts } from '../../../src/domain/calls/provider-answers.js';
import {
  type DecisionId,
  newCaptureId,
  newDecisionId,
  newOrderId,
  newPaymentId,
  newRefundId,
  type OrderId,
  type PaymentId,
  type RefundId,
} from '../../../src/domain/ids.js';
import { type CaptureMethod, type PaymentTerms, PLAIN_TERMS } from '../../../src/domain/marketplace/payment-capture.js';
import type { NewOrder } from '../../../src/ledger/marketplace/marketplace-types.js';
import { createHyperswitch } from '../../../src/providers/hyperswitch/client.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import { openTestLedger } from '../ledger-fixtures.js';
import { beginRequest } from './fixtures.js';

export type HyperswitchWorld = Awaited<ReturnType<typeof openHyperswitchWorld>>;

const HOLD_MS = 60_000;
const EXPIRY_MS = 24 * 3_600_000;

/**
 * The real ledger, client and calls, one process and no Temporal, between a stand-in of Hyperswitch and a clock that passes
 * only when told: what a workflow would do step by step.
 */
export async function openHyperswitchWorld() {
  const test = await openTestLedger();
  const { ledger, clock } = test;
  const sandbox = await startHyperswitchSandbox({ clock });
  const hyperswitch = createHyperswitch({ baseUrl: sandbox.url, apiKey: sandbox.apiKey, timeoutMs: 2_000 });
  const started: string[] = [];
  let answerToCancels: PaymentFacts | undefined;
  const process = (name: string) =>
    createHyperswitchCalls({
      ledger,
      hyperswitch: {
        ...hyperswitch,
        cancelPayment: async (key, at) => {
          const answer = await hyperswitch.cancelPayment(key, at);
          return answerToCancels ? { kind: 'done', value: answerToCancels, replayed: false, requestId: null } : answer;
        },
      },
      clock,
      processName: name,
      holdMs: HOLD_MS,
      paymentExpiryMs: EXPIRY_MS,
      wake: (items) => started.push(...items.map(({ kind }) => kind)),
    });
  const resolution = createResolution({
    ledger,
    ...createPinnedReads(ledger, { stripe: undefined, hyperswitch }),
    chain: undefined,
  });
  let calls = process('p1');
  let processes = 1;

  async function order(
    amount = 1_000n,
    terms?: PaymentTerms,
    lines?: NewOrder['items'],
  ): Promise<{ id: OrderId; paymentId: PaymentId; at: string }> {
    const id = newOrderId(clock.nowMs());
    const items = lines ?? [{ sellerAccount: 'acct_ada', amount, description: 'goods' }];
    await ledger.createOrder({ id, currency: 'USD', items }, await beginRequest({ ledger }, 'orders'));
    const at = hyperswitchPaymentId(paymentKey(id));
    const made = await ledger.createPayment(
      { id: newPaymentId(clock.nowMs()), orderId: id, hyperswitchPaymentId: at, terms },
      await beginRequest({ ledger }, 'payments'),
    );
    if (made.kind !== 'created') throw new Error(made.kind);
    return { id, paymentId: made.payment.id, at };
  }

  return {
    ...test,
    sandbox,
    started,
    order,
    advancePayment: (id: PaymentId): Promise<FollowStep> => calls.advancePayment(id),
    advanceRefund: (id: RefundId): Promise<FollowStep> => calls.advanceRefund(id),
    /** Whatever cancels are answered from now on. */
    answerCancelsWith(facts: PaymentFacts): void {
      answerToCancels = facts;
    },
    /** Another process with another memory takes over. */
    restart(): void {
      processes += 1;
      calls = process(`p${processes}`);
    },

    /** Ordered, and called this by Hyperswitch when it is read. */
    async called(to: string, received?: number, amount?: bigint) {
      const made = await order(amount);
      await calls.advancePayment(made.paymentId);
      await sandbox.movePayment(made.at, {
        to: to as IntentStatus,
        ...(received === undefined ? {} : { received }),
      });
      const step = await calls.advancePayment(made.paymentId);
      return { ...made, step };
    },

    /** Ordered, and its buyer's money is held. */
    async held(captureMethod: CaptureMethod, lines?: NewOrder['items']) {
      const made = await order(1_000n, { ...PLAIN_TERMS, captureMethod }, lines);
      await calls.advancePayment(made.paymentId);
      await sandbox.movePayment(made.at, { to: 'requires_capture' });
      await calls.advancePayment(made.paymentId);
      return made;
    },

    /** POST …/capture as far as the row; nothing is sent. */
    async askCapture(paymentId: PaymentId, amount: bigint | null = null, final: boolean | null = null) {
      const request = await beginRequest({ ledger }, 'captures');
      return await ledger.askCapture({ id: newCaptureId(clock.nowMs()), paymentId, amount, final }, request);
    },

    /** Ordered, and paid by its buyer. */
    async paid(amount = 1_000n) {
      const made = await order(amount);
      await calls.advancePayment(made.paymentId);
      await sandbox.movePayment(made.at, { to: 'succeeded' });
      await calls.advancePayment(made.paymentId);
      return made;
    },

    /** POST /refunds as far as the row. @param amount null: all that is left */
    async askRefund(orderId: OrderId, amount: bigint | null = null) {
      const id = newRefundId(clock.nowMs());
      const outcome = await ledger.createRefund(
        { id, orderId, amount, reason: 'requested', hyperswitchRefundId: hyperswitchRefundId(refundKey(id)) },
        await beginRequest({ ledger }, 'refunds'),
      );
      return { id, at: hyperswitchRefundId(refundKey(id)), outcome: outcome.kind };
    },

    async payment(id: PaymentId) {
      const found = await ledger.findPayment(id);
      if (!found) throw new Error(`there is no payment ${id}`);
      return found;
    },
    async refund(id: RefundId) {
      const found = await ledger.findRefund(id);
      if (!found) throw new Error(`there is no refund ${id}`);
      return found;
    },
    /** Until the sweep reads it again. */
    async dueInMs(table: 'payments' | 'refunds', id: string): Promise<number> {
      const [row] = await test.database.query<{ at: Date }>(`SELECT next_check_at AS at FROM ${table} WHERE id = $1`, [
        id,
      ]);
      return row!.at.getTime() - clock.nowMs();
    },
    /** One person's decision, through the API. */
    decide: (itemId: PaymentId, action: string, by = 'olga') =>
      resolution.decide({
        id: newDecisionId(clock.nowMs()),
        kind: 'payment',
        itemId,
        action,
        by,
        authenticated: true,
        note: 'as discussed',
        evidence: null,
      }),
    /** The second person approves what waits for one. */
    async approve(itemId: PaymentId, by: string) {
      const [waits] = await test.database.query<{ id: DecisionId }>(
        `SELECT id FROM decisions WHERE item_id = $1 AND state = 'pending_approval'`,
        [itemId],
      );
      const approved = await resolution.approve({ decisionId: waits!.id, by, note: 'seen too' });
      if (approved.kind !== 'applied') throw new Error(`not approved: ${JSON.stringify(approved)}`);
    },
    refunded: () => sandbox.ledger().totals['USD']?.refunded ?? 0,
    posts: (endpoint: 'payments.create' | 'payments.cancel' | 'payments.capture' | 'refunds.create') =>
      sandbox.calls().calls.filter((call) => call.endpoint === endpoint).length,

    async close() {
      await sandbox.close();
      await test.dispose();
    },
  };
}
