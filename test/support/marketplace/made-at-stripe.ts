import {
  newCaptureId,
  newPaymentId,
  newRefundId,
  type OrderId,
  type PaymentId,
  type RefundId,
} from '../../../src/domain/ids.js';
import { type PaymentTerms, PLAIN_TERMS } from '../../../src/domain/marketplace/payment-capture.js';
import type { DisputeWorld } from './dispute-world.js';
import { beginRequest } from './fixtures.js';

const SELLERS = { acct_ada: 600n, acct_bob: 400n };

/** Orders whose payments and refunds are made from here at Stripe, as POST /payments and /refunds do. */
export function shopAtStripe(current: () => DisputeWorld) {
  const place = async (orderId: OrderId, terms: Partial<PaymentTerms> = {}): Promise<PaymentId> => {
    const { ledger, clock } = current();
    const made = await ledger.createPayment(
      { id: newPaymentId(clock.nowMs()), orderId, hyperswitchPaymentId: null, terms: { ...PLAIN_TERMS, ...terms } },
      await beginRequest({ ledger }, 'payments'),
    );
    if (!('payment' in made)) throw new Error(made.kind);
    return made.payment.id;
  };
  const placeRefund = async (orderId: OrderId, amount: bigint | null = null): Promise<RefundId> => {
    const { ledger, clock } = current();
    const outcome = await ledger.createRefund(
      { id: newRefundId(clock.nowMs()), orderId, amount, reason: 'requested', hyperswitchRefundId: null },
      await beginRequest({ ledger }, 'refunds'),
    );
    if (outcome.kind !== 'created') throw new Error(outcome.kind);
    return outcome.refund.id;
  };
  /** Ordered, and its payment made at Stripe; nobody has paid it. */
  const begun = async (sellers: Readonly<Record<string, bigint>> = SELLERS, terms: Partial<PaymentTerms> = {}) => {
    const order = await current().ordered(sellers);
    const payment = await place(order, terms);
    await current().calls.advancePayment(payment);
    return { order, payment, intent: await nameOf(order) };
  };
  const nameOf = async (order: OrderId): Promise<string> =>
    (await current().find(order)).payment?.stripePaymentId ?? 'none';
  const buyerPays = async (intent: string, how: object = {}): Promise<string> =>
    (await current().atStripe.pay(intent, how)).charge.id;

  return {
    place,
    placeRefund,
    begun,
    nameOf,
    buyerPays,
    /** Its buyer has paid, and the money is held until it is captured. */
    held: async (terms: Partial<PaymentTerms> = {}) => {
      const made = await begun(SELLERS, { captureMethod: 'manual', ...terms });
      const charge = await buyerPays(made.intent);
      await current().calls.advancePayment(made.payment);
      return { ...made, charge };
    },
    /** As POST /payments/{id}/capture; nothing is sent yet. */
    askCapture: async (paymentId: PaymentId, amount: bigint | null = null) => {
      const { ledger, clock } = current();
      const asked = { id: newCaptureId(clock.nowMs()), paymentId, amount, final: null };
      return await ledger.askCapture(asked, await beginRequest({ ledger }, 'captures'));
    },
    /** Nothing of it is sent to sellers yet. */
    paid: async () => {
      const made = await begun();
      const charge = await buyerPays(made.intent);
      await current().calls.advancePayment(made.payment);
      return { ...made, charge };
    },
    refund: async (order: OrderId, amount: bigint | null = null): Promise<RefundId> => {
      const id = await placeRefund(order, amount);
      await current().calls.advanceRefund(id);
      return id;
    },
    /** Everything that time alone would bring about. */
    hours: async (count: number): Promise<void> => {
      for (let hour = 0; hour < count; hour += 1) {
        current().clock.advance(3_660_000);
        for (const due of await current().ledger.duePaymentSearches(10)) await current().calls.searchPayment(due);
        await current().settle();
      }
    },
    intents: () => current().atStripe.ledger().paymentIntents,
    calls: (endpoint: string) =>
      current()
        .atStripe.calls()
        .calls.filter((call) => call.endpoint === endpoint),
  };
}
