import { assertNever } from '../../domain/assert-never.js';
import { refundKey } from '../../domain/calls/idempotency-keys.js';
import type { Clock } from '../../domain/clock.js';
import { newRefundId, type OrderId, parseOrderId, parseRefundId, type RefundId } from '../../domain/ids.js';
import { amountStep } from '../../domain/marketplace/currencies.js';
import type { Refund } from '../../domain/marketplace/marketplace.js';
import { type RefundAnswer, refundAnswer } from '../../domain/marketplace/marketplace-answer.js';
import type { NewRefundOutcome, RequestKey } from '../../ledger/marketplace/marketplace-types.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import { type Call, INVALID_BODY, type Reply, type Route, route } from '../route.js';
import { once, requestKeyOf } from './idempotency.js';
import type { MarketplaceRouteDependencies } from './marketplace-dependencies.js';
import { createRefundOperation, getRefundOperation } from './marketplace-operations.js';
import { type NewRefundRequest, offStep } from './marketplace-schemas.js';
import { configured, noOrder } from './payments.js';

type Dependencies = Pick<MarketplaceRouteDependencies, 'ledger' | 'hyperswitch' | 'sendRefund' | 'nudge'> & {
  readonly clock: Clock;
};

export const refundRoutes = (dependencies: Dependencies): readonly Route[] => [
  route(createRefundOperation, (call) => create(call, dependencies)),
  route(getRefundOperation, (call) => get(call, dependencies)),
];

async function create(call: Call<NewRefundRequest, unknown>, dependencies: Dependencies): Promise<Reply> {
  const { ledger, sendRefund, nudge } = dependencies;
  configured(dependencies.hyperswitch, 'refunds');
  const { order_id: order, amount, reason } = call.body;
  const request = requestKeyOf(call, 'refunds', { order_id: order, amount: amount?.toString() ?? null, reason });
  const orderId = parseOrderId(order);
  if (!orderId) throw noOrder();
  const { status, answer } = await once(ledger, request, async (madeId) => {
    if (madeId === null) await checkStep(orderId, amount, dependencies);
    const refund = await rowOf({ orderId, amount: amount ?? null, reason, request }, dependencies);
    if (refund.certainty !== 'done') {
      // The buyer's refund waits for this one call and for nothing else; its outcome is in the ledger, known or not.
      await fromLedger(sendRefund(refund.id)).finally(() => nudge({ kind: 'refund', id: refund.id }));
    }
    return { status: 202, answer: await answerOf(refund.id, dependencies) };
  });
  return { status, body: answer };
}

/** Sellers give back whole steps only, and cards are held to the same: told before the buyer is. */
async function checkStep(orderId: OrderId, amount: bigint | undefined, { ledger }: Dependencies): Promise<void> {
  if (amount === undefined) return;
  const order = await fromLedger(ledger.findOrder(orderId));
  if (!order || amount % amountStep(order.currency) === 0n) return;
  throw new HttpProblem('invalid_request', INVALID_BODY, {
    errors: [{ pointer: '/amount', message: `${offStep(order.currency)}; left out, it is all that is left` }],
  });
}

async function rowOf(
  asked: {
    readonly orderId: OrderId;
    readonly amount: bigint | null;
    readonly reason: string;
    readonly request: RequestKey;
  },
  { ledger, clock, hyperswitch }: Dependencies,
): Promise<Refund> {
  const id = newRefundId(clock.nowMs());
  const { request, ...facts } = asked;
  const hyperswitchRefundId = configured(hyperswitch, 'refunds').refundIdFor(refundKey(id));
  const outcome: NewRefundOutcome = await fromLedger(
    ledger.createRefund({ id, hyperswitchRefundId, ...facts }, request),
  );
  switch (outcome.kind) {
    case 'created':
      return outcome.refund;
    case 'order_not_found':
      throw noOrder();
    case 'not_paid':
      throw new HttpProblem('order_not_paid', 'nobody has paid this order, so there is nothing to give back');
    case 'captured_unknown':
      throw new HttpProblem(
        'order_not_paid',
        'Hyperswitch does not say how much of this payment it captured, or captured it in another currency: give it back there, and the refund is found',
      );
    case 'exceeds_paid':
      throw exceeds(outcome.remainder);
    default:
      return assertNever(outcome);
  }
}

function exceeds(remainder: bigint): HttpProblem {
  const left =
    remainder === 0n
      ? 'everything that was paid is refunded, or about to be'
      : `${remainder} of what was paid is left to be refunded (minor units)`;
  return new HttpProblem('refund_exceeds_paid', `${left}: nothing was refunded by this request`, {
    errors: [{ pointer: '/amount', message: `may be at most ${remainder}` }],
  });
}

async function get({ params }: Call<unknown, unknown>, dependencies: Dependencies): Promise<Reply> {
  const id = parseRefundId(params.id ?? '');
  if (!id) throw noRefund();
  return { status: 200, body: await answerOf(id, dependencies) };
}

const noRefund = () => new HttpProblem('not_found', 'there is no refund with this id');

async function answerOf(id: RefundId, { ledger }: Dependencies): Promise<RefundAnswer> {
  const [refund, reversals] = await fromLedger(Promise.all([ledger.findRefund(id), ledger.reversalsOfRefund(id)]));
  if (!refund) throw noRefund();
  return refundAnswer(refund, reversals);
}
