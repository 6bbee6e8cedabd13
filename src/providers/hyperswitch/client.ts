import type {
  KeyedAnswer,
  NamedDispute,
  PaymentFacts,
  ReadAnswer,
  RefundFacts,
} from '../../domain/calls/provider-answers.js';
import type { JsonObject } from '../../domain/json.js';
import { hyperswitchUnit } from '../../domain/marketplace/currencies.js';
import type { CaptureMethod, PassedOn } from '../../domain/marketplace/payment-capture.js';
import { requireIdempotencyKey } from '../idempotency-key.js';
import { type HyperswitchLists, hyperswitchLists } from './account-lists.js';
import { keyedAnswer, readAnswer } from './answers.js';
import { type Ask, createAsk, type HyperswitchOptions, type JudgedReply, pacedReads } from './call.js';
import { allDisputes } from './dispute-list.js';
import { type Read, readDispute, readPaymentFacts, readRefundFacts } from './facts.js';
import { hyperswitchPaymentId, hyperswitchRefundId, isHyperswitchId } from './ids.js';
import type { ReadLane } from './pace.js';
import { allRefunds } from './refund-list.js';

export type { HyperswitchOptions } from './call.js';

export interface CreatePayment {
  /** Minor units of `currency` (ISO 4217, any case). */
  readonly amount: bigint;
  readonly currency: string;
  /** What the order's own client wants kept there goes beside our own names, which are never its. */
  readonly metadata: { readonly order_id: string; readonly payment_id: string; readonly [name: string]: string };
  /** Default: automatic. */
  readonly captureMethod?: CaptureMethod;
  readonly profileId?: string;
  readonly customer?: PassedOn['customer'];
  readonly returnUrl?: string;
}

export interface CapturePayment {
  readonly hyperswitchPaymentId: string;
  /** Minor units of `currency`, the payment's own: this part of it. */
  readonly amount: bigint;
  readonly currency: string;
}

export interface CreateRefund {
  readonly hyperswitchPaymentId: string;
  /** Minor units of `currency`, the payment's own. */
  readonly amount: bigint;
  readonly currency: string;
  /** Sent up to 255 characters; Hyperswitch's Stripe connector knows duplicate, fraudulent, requested_by_customer. */
  readonly reason: string;
  readonly metadata: { readonly order_id: string; readonly refund_id: string };
}

/**
 * Hyperswitch (v1 API). Every answer is a value by a total mapping; nothing is retried here, and no word of Hyperswitch's
 * leaves but what is in the facts.
 */
export interface Hyperswitch extends HyperswitchLists {
  /**
   * POST /payments, once. The payment_id is derived from the key; where it exists already (HE_01), the payment is read:
   * same amount and currency → done, `replayed`; anything else → refused, `conflict`.
   * @throws EmptyIdempotencyKey or RangeError (amount) before anything is sent
   */
  createPayment(idempotencyKey: string, request: CreatePayment): Promise<KeyedAnswer<PaymentFacts>>;
  /** POST /refunds, by the same rules; same payment, amount and currency → done. */
  createRefund(idempotencyKey: string, request: CreateRefund): Promise<KeyedAnswer<RefundFacts>>;
  /**
   * POST /payments/{id}/cancel, once. `done`: its answer, which may still show another status than cancelled; refused where
   * it can no longer be cancelled. What is read of the payment afterwards decides.
   */
  cancelPayment(idempotencyKey: string, hyperswitchPaymentId: string): Promise<KeyedAnswer<PaymentFacts>>;
  /**
   * POST /payments/{id}/capture, once: no key is honoured here, and the same sent again may capture as much again. `done`: its answer,
   * which may not show the part yet. What is read of the payment afterwards decides.
   * @throws EmptyIdempotencyKey or RangeError (amount) before anything is sent
   */
  capturePayment(idempotencyKey: string, request: CapturePayment): Promise<KeyedAnswer<PaymentFacts>>;
  /** Asks Hyperswitch to ask its processor first (force_sync). */
  readPayment(hyperswitchPaymentId: string): Promise<ReadAnswer<PaymentFacts>>;
  /** @param lane `first` for the read before money is taken back */
  readRefund(hyperswitchRefundId: string, lane?: ReadLane): Promise<ReadAnswer<RefundFacts>>;
  /** Every refund of one payment, those made in the dashboard too: all pages, or `unclear`, never a part. */
  refundsOf(hyperswitchPaymentId: string): Promise<ReadAnswer<readonly RefundFacts[]>>;
  readDispute(hyperswitchDisputeId: string): Promise<ReadAnswer<NamedDispute>>;
  /** Every dispute of one payment: all pages, or `unclear`. */
  disputesOf(hyperswitchPaymentId: string): Promise<ReadAnswer<readonly NamedDispute[]>>;
}

const LONGEST_REASON = 255;

export function createHyperswitch(options: HyperswitchOptions): Hyperswitch {
  const ask = createAsk(options);
  const lanes: Readonly<Record<ReadLane, Ask>> = {
    first: pacedReads(ask, 'first', options.pace),
    in_turn: pacedReads(ask, 'in_turn', options.pace),
  };
  const read = async <Facts>(
    path: string,
    id: string,
    facts: (object: JsonObject) => Read<Facts>,
    lane: ReadLane = 'in_turn',
  ): Promise<ReadAnswer<Facts>> =>
    isHyperswitchId(id) ? found(await lanes[lane]('GET', `/${path}/${id}?force_sync=true`), facts) : noSuchId(id);
  const readPayment = (id: string): Promise<ReadAnswer<PaymentFacts>> =>
    read('payments', id, (object) => samePayment(readPaymentFacts(object), { id }));
  const readRefund = (id: string, lane?: ReadLane): Promise<ReadAnswer<RefundFacts>> =>
    read('refunds', id, (object) => sameRefund(readRefundFacts(object), { id }), lane);

  return {
    ...hyperswitchLists(lanes.in_turn),
    readPayment,
    readRefund,
    refundsOf: async (id) => (isHyperswitchId(id) ? allRefunds(lanes.in_turn, id) : noSuchId(id)),
    // Not synchronised: its connectors have no such call for most disputes, and the answer would be an error.
    readDispute: async (id) =>
      isHyperswitchId(id)
        ? found(ofDispute(await lanes.in_turn('GET', `/disputes/${id}`)), (object) =>
            sameDispute(readDispute(object), id),
          )
        : noSuchId(id),
    disputesOf: async (id) => (isHyperswitchId(id) ? allDisputes(lanes.in_turn, id) : noSuchId(id)),

    async createPayment(idempotencyKey, { amount, currency, metadata, ...terms }) {
      const key = requireIdempotencyKey(idempotencyKey, 'createPayment');
      const id = hyperswitchPaymentId(key);
      const body = {
        payment_id: id,
        amount: unitsOf(amount, currency.toUpperCase()),
        currency: currency.toUpperCase(),
        confirm: false,
        capture_method: terms.captureMethod ?? 'automatic',
        ...(terms.profileId === undefined ? {} : { profile_id: terms.profileId }),
        ...(terms.customer === undefined ? {} : customerOf(terms.customer)),
        ...(terms.returnUrl === undefined ? {} : { return_url: terms.returnUrl }),
        metadata,
      };
      const same = { id, amount, currency: body.currency };
      return created(await ask('POST', '/payments', { body, key }), {
        read: (object) => samePayment(readPaymentFacts(object), same),
        existing: () => readPayment(id),
        isOurs: (facts) => facts.amount === amount && facts.currency === same.currency,
      });
    },

    async cancelPayment(idempotencyKey, id) {
      const key = requireIdempotencyKey(idempotencyKey, 'cancelPayment');
      if (!isHyperswitchId(id)) throw new RangeError(`${JSON.stringify(id)} is no id of Hyperswitch: nothing was sent`);
      const body = { cancellation_reason: 'abandoned' };
      return created(await ask('POST', `/payments/${id}/cancel`, { body, key }), {
        read: (object) => samePayment(readPaymentFacts(object), { id }),
        existing: () => readPayment(id),
        isOurs: () => true,
      });
    },

    async capturePayment(idempotencyKey, { hyperswitchPaymentId: id, amount, currency }) {
      const key = requireIdempotencyKey(idempotencyKey, 'capturePayment');
      if (!isHyperswitchId(id)) throw new RangeError(`${JSON.stringify(id)} is no id of Hyperswitch: nothing was sent`);
      const body = { amount_to_capture: unitsOf(amount, currency.toUpperCase()) };
      return created(await ask('POST', `/payments/${id}/capture`, { body, key }), {
        read: (object) => samePayment(readPaymentFacts(object), { id }),
        // Another capture is being made there: nobody knows whose.
        existing: async () => ({ kind: 'unclear', detail: 'what it stands for is read of the payment' }),
        isOurs: () => false,
      });
    },

    async createRefund(idempotencyKey, { hyperswitchPaymentId: paymentId, amount, currency, reason, metadata }) {
      const key = requireIdempotencyKey(idempotencyKey, 'createRefund');
      const id = hyperswitchRefundId(key);
      const same = { id, paymentId, amount, currency: currency.toUpperCase() };
      const body = {
        refund_id: id,
        payment_id: paymentId,
        amount: unitsOf(amount, same.currency),
        reason: Array.from(reason).slice(0, LONGEST_REASON).join(''),
        // Said because the document's default and the code's differ.
        refund_type: 'instant',
        metadata,
      };
      return created(await ask('POST', '/refunds', { body, key }), {
        read: (object) => sameRefund(readRefundFacts(object), same),
        existing: () => readRefund(id),
        isOurs: (facts) =>
          facts.hyperswitchPaymentId === paymentId && facts.amount === amount && facts.currency === same.currency,
      });
    },
  };
}

/** Who he is at Hyperswitch; the rest is filled in for him there. */
const customerOf = ({ id, name, email }: NonNullable<PassedOn['customer']>) => ({
  customer: { id, ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) },
});

/** @throws RangeError for what Hyperswitch's units or no JSON number carry exactly, before anything is sent */
function unitsOf(amount: bigint, currency: string): number {
  const unit = hyperswitchUnit(currency);
  const units = amount / unit;
  if (amount <= 0n || amount % unit !== 0n || units > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(
      `an amount of ${amount} ${currency} (minor units) cannot be sent to Hyperswitch: nothing was sent`,
    );
  }
  return Number(units);
}

/** It must not become another path on Hyperswitch's host. */
const noSuchId = (id: string): ReadAnswer<never> => ({
  kind: 'missing',
  detail: `${JSON.stringify(id.slice(0, 64))} is no id that Hyperswitch could have; nothing was asked`,
});

type Sameness = { readonly id: string; readonly amount?: bigint; readonly currency?: string };

/** A 2xx about another object, or about other money, is no answer to what was asked. */
function samePayment(read: Read<PaymentFacts>, asked: Sameness): Read<PaymentFacts> {
  if ('unreadable' in read) return read;
  const { facts } = read;
  return differs(facts.hyperswitchPaymentId, facts, asked)
    ? { unreadable: 'the payment in the answer is not the one asked for' }
    : read;
}

function sameRefund(read: Read<RefundFacts>, asked: Sameness & { readonly paymentId?: string }): Read<RefundFacts> {
  if ('unreadable' in read) return read;
  const { facts } = read;
  const elsewhere = asked.paymentId !== undefined && facts.hyperswitchPaymentId !== asked.paymentId;
  return elsewhere || differs(facts.hyperswitchRefundId, facts, asked)
    ? { unreadable: 'the refund in the answer is not the one asked for' }
    : read;
}

/** Of a dispute HE_04 says that it does not exist. */
const ofDispute = (reply: JudgedReply): JudgedReply => {
  const { verdict } = reply;
  return verdict.kind === 'refused' && verdict.code === 'HE_04'
    ? { ...reply, verdict: { ...verdict, kind: 'missing' } }
    : reply;
};

const sameDispute = (read: Read<NamedDispute>, id: string): Read<NamedDispute> =>
  'unreadable' in read || read.facts.hyperswitchDisputeId === id
    ? read
    : { unreadable: 'the dispute in the answer is not the one asked for' };

const differs = (id: string, facts: { amount: bigint; currency: string }, asked: Sameness): boolean =>
  id !== asked.id ||
  (asked.amount !== undefined && facts.amount !== asked.amount) ||
  (asked.currency !== undefined && facts.currency !== asked.currency);

function found<Facts>({ verdict }: JudgedReply, read: (object: JsonObject) => Read<Facts>): ReadAnswer<Facts> {
  if (verdict.kind !== 'object') return readAnswer(verdict);
  const outcome = read(verdict.object);
  return 'facts' in outcome
    ? { kind: 'found', value: outcome.facts }
    : { kind: 'unclear', detail: `Hyperswitch answered, but ${outcome.unreadable}` };
}

interface Creation<Facts> {
  readonly read: (object: JsonObject) => Read<Facts>;
  /** Reads what stands under the id that Hyperswitch calls a duplicate. */
  readonly existing: () => Promise<ReadAnswer<Facts>>;
  readonly isOurs: (facts: Facts) => boolean;
}

async function created<Facts>(
  { verdict, requestId }: JudgedReply,
  creation: Creation<Facts>,
): Promise<KeyedAnswer<Facts>> {
  if (verdict.kind === 'duplicate') return resolved(verdict.detail, requestId, creation);
  if (verdict.kind !== 'object') return keyedAnswer(verdict, requestId);
  const outcome = creation.read(verdict.object);
  return 'facts' in outcome
    ? { kind: 'done', value: outcome.facts, replayed: false, requestId }
    : {
        kind: 'unclear',
        why: 'unreadable',
        detail: `Hyperswitch answered, but ${outcome.unreadable}; it may have been carried out`,
        replayed: false,
        requestId,
      };
}

/** HE_01: the id is taken. By us, at an earlier attempt, if it stands for the same money; nothing else may be assumed. */
async function resolved<Facts>(
  said: string,
  requestId: string | null,
  { existing, isOurs }: Creation<Facts>,
): Promise<KeyedAnswer<Facts>> {
  const answer = await existing();
  if (answer.kind !== 'found') {
    const detail = `${said}; what stands under this id could not be read (${answer.detail})`;
    return answer.kind === 'busy'
      ? { kind: 'busy', executed: 'perhaps', retryAfterMs: answer.retryAfterMs, detail, requestId }
      : { kind: 'unclear', why: 'unreadable', detail, replayed: false, requestId };
  }
  if (isOurs(answer.value)) return { kind: 'done', value: answer.value, replayed: true, requestId };
  return {
    kind: 'refused',
    why: 'conflict',
    code: 'HE_01',
    detail: `${said}; this id stands for another payment, amount or currency: compare it in Hyperswitch's dashboard`,
    replayed: false,
    requestId,
  };
}
