import { assertNever } from '../../domain/assert-never.js';
import { paymentKey } from '../../domain/calls/idempotency-keys.js';
import type { Clock } from '../../domain/clock.js';
import { newPaymentId, type OrderId, type PaymentId, parseOrderId, parsePaymentId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import type { Payment, PaymentProvider } from '../../domain/marketplace/marketplace.js';
import { paymentAnswer, paymentDetails } from '../../domain/marketplace/marketplace-answer.js';
import type { PaymentTerms } from '../../domain/marketplace/payment-capture.js';
import { notAtStripe } from '../../domain/marketplace/terms-at-stripe.js';
import type { RequestKey } from '../../ledger/marketplace/marketplace-types.js';
import { canonicalJson } from '../../protocols/wire-json.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem, retryAfter } from '../problem.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import { saidTerms, termsOf } from './capture-schemas.js';
import { type Kept, once, requestKeyOf } from './idempotency.js';
import type { MarketplaceRouteDependencies } from './marketplace-dependencies.js';
import { listPage, namedItem } from './marketplace-list.js';
import { createPaymentOperation, getPaymentOperation, listPaymentsOperation } from './marketplace-operations.js';
import type { MarketplaceListQuery, NewPaymentRequest } from './marketplace-schemas.js';

type Dependencies = Pick<
  MarketplaceRouteDependencies,
  'ledger' | 'paymentProvider' | 'paysByStripe' | 'hyperswitch' | 'sendPayment' | 'nudge'
> & {
  readonly clock: Clock;
};

export const paymentRoutes = (dependencies: Dependencies): readonly Route[] => [
  route(createPaymentOperation, (call) => create(call, dependencies)),
  route(listPaymentsOperation, (call) => list(call, dependencies)),
  route(getPaymentOperation, (call) => get(call, dependencies)),
];

const NOT_CONFIGURED_RETRY_SECONDS = 300;
/** The workflow reads the payment again from one second on. */
const UNKNOWN_RETRY_SECONDS = 5;

/** What their provider needs is not set. */
export const notConfigured = (what: string, provider: PaymentProvider) =>
  new HttpProblem('not_configured', `${what} need ${NEEDS[provider]}: nothing was stored and no money moves`, {
    headers: retryAfter(NOT_CONFIGURED_RETRY_SECONDS),
  });

const NEEDS: Readonly<Record<PaymentProvider, string>> = {
  hyperswitch: 'HYPERSWITCH_BASE_URL and HYPERSWITCH_API_KEY',
  stripe: 'STRIPE_SECRET_KEY',
};

/** @throws HttpProblem 503 while nothing can be asked of the provider of this payment */
export function mustBeConfigured(
  what: string,
  provider: PaymentProvider,
  { paysByStripe, hyperswitch }: Pick<Dependencies, 'paysByStripe' | 'hyperswitch'>,
): void {
  if (provider === 'stripe' ? !paysByStripe : !hyperswitch) throw notConfigured(what, provider);
}

/** @returns what Hyperswitch is to call a payment; of one at Stripe, which names it, null @throws HttpProblem 503 while its provider is not set */
function namingOf(dependencies: Dependencies): (orderId: OrderId) => string | null {
  const { paymentProvider = 'hyperswitch', paysByStripe, hyperswitch } = dependencies;
  if (paymentProvider === 'stripe' && paysByStripe) return () => null;
  if (paymentProvider === 'stripe' || !hyperswitch) throw notConfigured('payments', paymentProvider);
  return (orderId) => hyperswitch.paymentIdFor(paymentKey(orderId));
}

export const noOrder = () => new HttpProblem('not_found', 'there is no order with this id: nothing was stored');

async function create(call: Call<NewPaymentRequest, unknown>, dependencies: Dependencies): Promise<Reply> {
  const { ledger } = dependencies;
  const nameOf = namingOf(dependencies);
  const request = requestKeyOf(call, 'payments', { ...call.body });
  const orderId = parseOrderId(call.body.order_id);
  if (!orderId) throw noOrder();
  const { status, answer } = await once(ledger, request, async (madeId) => {
    const hyperswitchPaymentId = nameOf(orderId);
    const terms = termsAt(dependencies.paymentProvider ?? 'hyperswitch', call.body, dependencies);
    const { payment, isNew } = await rowOf({ orderId, hyperswitchPaymentId, terms, request }, dependencies);
    if (!isNew && madeId === null && saidTerms(call.body).length > 0)
      mustBeMadeSo(payment, termsAt(payment.provider, call.body, dependencies));
    await send(payment, dependencies);
    // Whoever has had no answer under this key yet is told of the payment for the first time.
    return await answerOf(payment.id, isNew || madeId !== null ? 201 : 200, dependencies);
  });
  // Kept apart from the answer, which is not encrypted: it is read anew, also for an answer that is repeated.
  const secret = await fromLedger(ledger.clientSecret(answer.id as PaymentId));
  return { status, body: { ...answer, client_secret: secret } };
}

async function rowOf(
  asked: {
    readonly orderId: OrderId;
    readonly hyperswitchPaymentId: string | null;
    readonly terms: PaymentTerms;
    readonly request: RequestKey;
  },
  { ledger, clock }: Dependencies,
): Promise<{ readonly payment: Payment; readonly isNew: boolean }> {
  const { request, ...facts } = asked;
  const outcome = await fromLedger(ledger.createPayment({ id: newPaymentId(clock.nowMs()), ...facts }, request));
  switch (outcome.kind) {
    case 'created':
    case 'existing':
      return { payment: outcome.payment, isNew: outcome.kind === 'created' };
    case 'order_not_found':
      throw noOrder();
    case 'not_made_so':
      throw refusedAtStripe(asked.terms);
    case 'closed':
      throw closed(`the payment of this order is ${outcome.payment.status}`);
    default:
      return assertNever(outcome);
  }
}

/** HYPERSWITCH_PROFILE_ID is of payments at Hyperswitch alone. */
const termsAt = (provider: PaymentProvider, body: NewPaymentRequest, { hyperswitch }: Dependencies): PaymentTerms =>
  termsOf(body, provider === 'hyperswitch' ? hyperswitch?.profileId : undefined);

function refusedAtStripe(terms: PaymentTerms): HttpProblem {
  const errors = notAtStripe(terms);
  const why = errors.map(({ pointer, message }) => `${pointer} ${message}`).join('; ');
  return new HttpProblem(
    'invalid_request',
    `payments are made at Stripe here (PAYMENT_PROVIDER): ${why}: nothing was stored and no money moves`,
    { errors },
  );
}

/** An order has one payment: asked for in another way, it is not the one that was asked for. */
function mustBeMadeSo({ capture, profileId, passedOn }: Payment, terms: PaymentTerms): void {
  const made = { captureMethod: capture.method, profileId, passedOn };
  if (canonicalJson(made as unknown as JsonObject) !== canonicalJson(terms as unknown as JsonObject))
    throw new HttpProblem(
      'payment_differs',
      'the payment of this order was made with another capture, customer, return_url, metadata or profile_id: it stays as it is. Ask for it without them, or make a new order',
    );
}

/** Sent at most once whatever happens here: the call claims the row, and reads where it may have been sent before. */
async function send(payment: Payment, { sendPayment, nudge }: Dependencies): Promise<void> {
  if (payment.certainty === 'done') return;
  const item = { kind: 'payment', id: payment.id } as const;
  const outcome = await fromLedger(sendPayment(payment.id)).finally(() => nudge(item));
  switch (outcome.kind) {
    case 'sent':
      return;
    case 'refused':
      throw closed(`the payment provider refused it: ${outcome.detail}`);
    case 'unknown':
      throw new HttpProblem(
        'payment_unknown',
        `the payment is recorded, and the payment provider did not say whether it has it (${outcome.detail}): send the same request again, it is never made twice`,
        { headers: retryAfter(UNKNOWN_RETRY_SECONDS) },
      );
    default:
      assertNever(outcome);
  }
}

/** Not kept under the key: a payment that failed can still turn out to have succeeded. */
const closed = (why: string) =>
  new HttpProblem('payment_closed', `${why}; nobody can pay with it any more. Make a new order to be paid`);

async function list({ query }: Call<unknown, MarketplaceListQuery>, { ledger }: Dependencies): Promise<Reply> {
  return await listPage(query, (filter) => ledger.listPayments(filter), paymentDetails);
}

async function get({ params }: Call<unknown, unknown>, { ledger }: Dependencies): Promise<Reply> {
  const payment = await namedItem('payment', parsePaymentId(params.id ?? ''), (id) => ledger.findPayment(id));
  return { status: 200, body: paymentDetails(payment) };
}

async function answerOf(id: PaymentId, status: 200 | 201, { ledger }: Dependencies): Promise<Kept> {
  const payment = await fromLedger(ledger.findPayment(id));
  if (!payment) throw new Error(`payment ${id} is gone from the ledger`);
  if (payment.status === 'failed' || payment.status === 'cancelled')
    throw closed(`the payment of this order is ${payment.status}`);
  return { status, answer: paymentAnswer(payment) };
}
