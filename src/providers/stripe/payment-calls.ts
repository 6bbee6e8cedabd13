import type { IntentParams, MadeIntent, StripeRefundParams } from '../../domain/calls/made-at-stripe.js';
import type { KeyedAnswer, ReadAnswer, StripeRefund } from '../../domain/calls/provider-answers.js';
import type { JsonObject } from '../../domain/json.js';
import { requireIdempotencyKey } from '../idempotency-key.js';
import { keyedAnswer, noSuchId, readAnswer } from './answers.js';
import type { Ask, Stopped } from './ask.js';
import { stripeRefundFacts } from './facts.js';
import { foundOf, madeIntent } from './made-intents.js';
import { checkedIntent, checkedRefund, isId, requireAmount, requireId } from './params.js';

/** Payments and refunds that are made from here at this Stripe account. Each is one request, sent once. */
export interface PaymentMaking {
  /**
   * Done only when Stripe's PaymentIntent bears our mark and has the amount and currency of `params`.
   * @throws EmptyIdempotencyKey or RangeError before a token is taken or anything is sent
   */
  createIntent(idempotencyKey: string, params: IntentParams, stopped?: Stopped): Promise<KeyedAnswer<MadeIntent>>;
  /** Done: its answer, which may show another status. What is read of it afterwards decides. */
  cancelIntent(idempotencyKey: string, paymentIntent: string, stopped?: Stopped): Promise<KeyedAnswer<MadeIntent>>;
  /**
   * Captures what is held, once: of a part the rest is let go of. Done: its answer. What is read of it afterwards decides.
   * @throws EmptyIdempotencyKey or RangeError before a token is taken or anything is sent
   */
  captureIntent(
    idempotencyKey: string,
    paymentIntent: string,
    amount: number,
    stopped?: Stopped,
  ): Promise<KeyedAnswer<MadeIntent>>;
  readIntent(paymentIntent: string): Promise<ReadAnswer<MadeIntent>>;
  /** By the id of ours that it bears: what Stripe made less than a minute ago may not be found yet (docs.stripe.com/search). */
  findIntent(mark: string): Promise<ReadAnswer<MadeIntent>>;
  /** Done only when Stripe's refund bears our mark and is of this payment and amount. */
  createRefund(
    idempotencyKey: string,
    params: StripeRefundParams,
    stopped?: Stopped,
  ): Promise<KeyedAnswer<StripeRefund>>;
}

export function paymentMaking(ask: Ask): PaymentMaking {
  const same =
    (id: string) =>
    (object: JsonObject): MadeIntent | undefined => {
      const facts = madeIntent(object);
      return facts?.stripePaymentId === id ? facts : undefined;
    };

  return {
    async createIntent(idempotencyKey, params, stopped) {
      const key = requireIdempotencyKey(idempotencyKey, 'createIntent');
      const sent = checkedIntent(params);
      const mark = params.metadata.payment_id;
      const outcome = await ask('payment_intents.create', { what: `payment ${mark}`, stopped }, (stripe) =>
        stripe.paymentIntents.create(sent, { idempotencyKey: key }),
      );
      return keyedAnswer(outcome, (object) => {
        const facts = madeIntent(object);
        const isIt = facts?.mark === mark && facts.amount === BigInt(params.amount);
        return isIt && facts.currency === params.currency.toUpperCase() ? facts : undefined;
      });
    },

    async cancelIntent(idempotencyKey, paymentIntent, stopped) {
      const key = requireIdempotencyKey(idempotencyKey, 'cancelIntent');
      const id = requireId(paymentIntent, 'a cancel');
      const asked = { what: `the cancel of ${id}`, stopped };
      const outcome = await ask('payment_intents.cancel', asked, (stripe) =>
        stripe.paymentIntents.cancel(id, { cancellation_reason: 'abandoned' }, { idempotencyKey: key }),
      );
      return keyedAnswer(outcome, same(id));
    },

    async captureIntent(idempotencyKey, paymentIntent, amount, stopped) {
      const key = requireIdempotencyKey(idempotencyKey, 'captureIntent');
      const id = requireId(paymentIntent, 'a capture');
      const sent = { amount_to_capture: requireAmount(amount, 'a capture') };
      const outcome = await ask('payment_intents.capture', { what: `the capture of ${id}`, stopped }, (stripe) =>
        stripe.paymentIntents.capture(id, sent, { idempotencyKey: key }),
      );
      return keyedAnswer(outcome, same(id));
    },

    async readIntent(id) {
      if (!isId(id)) return noSuchId(id);
      const outcome = await ask('payment_intents.read', { what: `payment ${id}` }, (stripe) =>
        stripe.paymentIntents.retrieve(id),
      );
      return readAnswer(outcome, same(id));
    },

    async findIntent(mark) {
      const query = `metadata["payment_id"]:"${requireId(mark, 'a search')}"`;
      const outcome = await ask('payment_intents.search', { what: `payment ${mark}` }, (stripe) =>
        stripe.paymentIntents.search({ query, limit: LONGEST_PAGE }),
      );
      const found = readAnswer(outcome, (object) => foundOf(object, madeIntent));
      if (found.kind !== 'found') return found;
      const [one] = found.value.filter((each) => each.mark === mark).toSorted(paidFirst);
      return one
        ? { kind: 'found', value: one }
        : { kind: 'missing', detail: `stripe finds no payment of ${mark} of ours` };
    },

    async createRefund(idempotencyKey, params, stopped) {
      const key = requireIdempotencyKey(idempotencyKey, 'createRefund');
      const sent = checkedRefund(params);
      const { payment_intent: payment, metadata } = params;
      const asked = { what: `refund ${metadata.refund_id} of ${payment}`, stopped };
      const outcome = await ask('refunds.create', asked, (stripe) =>
        stripe.refunds.create(sent, { idempotencyKey: key }),
      );
      return keyedAnswer(outcome, (object) => {
        const facts = stripeRefundFacts(object);
        const isIt = facts?.mark === metadata.refund_id && facts.paymentIntent === payment;
        return isIt && facts.amount === BigInt(params.amount) ? facts : undefined;
      });
    },
  };
}

const LONGEST_PAGE = 100;

const isPaid = ({ status, providerStatus }: MadeIntent): boolean =>
  status === 'succeeded' || providerStatus === 'requires_capture';

/** Two bear one mark where a second key was used: nobody can pay the other, whose secret no answer brought. Then the newest. */
const paidFirst = (one: MadeIntent, other: MadeIntent): number =>
  Number(isPaid(other)) - Number(isPaid(one)) || Date.parse(other.createdAt) - Date.parse(one.createdAt);
