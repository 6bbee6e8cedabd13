import { assertNever } from '../../domain/assert-never.js';
import { type OrderId, parseOrderId } from '../../domain/ids.js';
import { paymentDetails, refundAnswer } from '../../domain/marketplace/marketplace-answer.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem, retryAfter } from '../problem.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import { externalPaymentOperation, externalRefundOperation } from './external-operations.js';
import type { ExternalPaymentRequest, ExternalRefundRequest } from './external-schemas.js';
import type { MarketplaceRouteDependencies } from './marketplace-dependencies.js';
import { noOrder } from './payments.js';

type Dependencies = Pick<MarketplaceRouteDependencies, 'ledger' | 'external'>;

/** What another checkout did at Stripe. The name at Stripe is the key: the same told again changes nothing. */
export const externalRoutes = (dependencies: Dependencies): readonly Route[] => [
  route(externalPaymentOperation, (call) => takePayment(call, dependencies)),
  route(externalRefundOperation, (call) => noteRefund(call, dependencies)),
];

const NOT_CONFIGURED_RETRY_SECONDS = 300;
const UNREAD_RETRY_SECONDS = 5;

/** @throws HttpProblem 503 while STRIPE_SECRET_KEY is not set */
function configured<T>(external: T | undefined): T {
  if (external) return external;
  throw new HttpProblem(
    'not_configured',
    'what was paid and refunded at Stripe is read there, which needs STRIPE_SECRET_KEY: nothing was stored and no money moves',
    { headers: retryAfter(NOT_CONFIGURED_RETRY_SECONDS) },
  );
}

function orderOf(id: string): OrderId {
  const order = parseOrderId(id);
  if (!order) throw noOrder();
  return order;
}

async function takePayment(
  { body, principal }: Call<ExternalPaymentRequest, unknown>,
  { external }: Dependencies,
): Promise<Reply> {
  const name = body.payment_intent ?? body.charge ?? '';
  const outcome = await fromLedger(configured(external).takePayment(orderOf(body.order_id), name, principal.name));
  switch (outcome.kind) {
    case 'taken':
    case 'already':
      return { status: outcome.kind === 'taken' ? 201 : 200, body: paymentDetails(outcome.payment) };
    case 'order_not_found':
      throw noOrder();
    case 'has_payment':
      throw taken(`the order has another payment, ${outcome.paymentId}, and an order is paid once`);
    case 'pays_other':
      throw taken(`${name} pays order ${outcome.orderId} already, and a payment pays one order`);
    case 'differs':
      throw unfit(`${name} is not what the order comes to, ${outcome.amount} ${outcome.currency} (minor units)`);
    case 'unfit':
      throw unfit(outcome.detail);
    case 'unread':
      throw unread(outcome.detail);
    default:
      return assertNever(outcome);
  }
}

async function noteRefund(
  { body }: Call<ExternalRefundRequest, unknown>,
  { ledger, external }: Dependencies,
): Promise<Reply> {
  const outcome = await fromLedger(configured(external).noteRefund(orderOf(body.order_id), body.refund));
  switch (outcome.kind) {
    case 'noted': {
      const { refundId: id } = outcome;
      const [refund, reversals] = await fromLedger(Promise.all([ledger.findRefund(id), ledger.reversalsOfRefund(id)]));
      if (!refund) throw new Error(`refund ${id} is gone from the ledger`);
      return { status: 202, body: refundAnswer(refund, reversals) };
    }
    case 'order_not_found':
      throw noOrder();
    case 'unfit':
      throw unfit(outcome.detail);
    case 'unread':
      throw unread(outcome.detail);
    default:
      return assertNever(outcome);
  }
}

const taken = (why: string) => new HttpProblem('payment_taken', `${why}: nothing was stored`);
const unfit = (why: string) => new HttpProblem('external_unfit', `${why}: nothing was stored`);
const unread = (why: string) =>
  new HttpProblem(
    'provider_unavailable',
    `Stripe did not say what is there (${why}): nothing was believed, and nothing was stored; send the same request again`,
    { headers: retryAfter(UNREAD_RETRY_SECONDS) },
  );
