import { assertNever } from '../../domain/assert-never.js';
import { refundKey } from '../../domain/calls/idempotency-keys.js';
import type { Clock } from '../../domain/clock.js';
import { newRefundId, type OrderId, parseOrderId, parseRefundId, type RefundId } from '../../domain/ids.js';
import { amountStep } from '../../domain/marketplace/currencies.js';
import type { FeePolicy } from '../../domain/marketplace/lines.js';
import type { Refund } from '../../domain/marketplace/marketplace.js';
import { type RefundAnswer, refundAnswer } from '../../domain/marketplace/marketplace-answer.js';
import type { NewRefundOutcome, RefundLines, RequestKey } from '../../ledger/marketplace/marketplace-types.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import { type Call, INVALID_BODY, type Reply, type Route, route } from '../route.js';
import { pageOf } from '../schema-parts.js';
import { once, requestKeyOf } from './idempotency.js';
import type { MarketplaceRouteDependencies } from './marketplace-dependencies.js';
import { filterOf } from './marketplace-list.js';
import { createRefundOperation, getRefundOperation, listRefundsOperation } from './marketplace-operations.js';
import { type MarketplaceListQuery, type NewRefundRequest, offStep } from './marketplace-schemas.js';
import { noOrder, notConfigured } from './payments.js';

type Dependencies = Pick<
  MarketplaceRouteDependencies,
  'ledger' | 'paysByStripe' | 'hyperswitch' | 'sendRefund' | 'nudge'
> & {
  readonly clock: Clock;
};

export const refundRoutes = (dependencies: Dependencies): readonly Route[] => [
  route(createRefundOperation, (call) => create(call, dependencies)),
  route(listRefundsOperation, (call) => list(call, dependencies)),
  route(getRefundOperation, (call) => get(call, dependencies)),
];

async function list({ query }: Call<unknown, MarketplaceListQuery>, { ledger }: Dependencies): Promise<Reply> {
  const { filter, limit } = filterOf(query);
  const found = filter ? await fromLedger(ledger.listRefunds(filter)) : [];
  const reversals = await fromLedger(ledger.reversalsOfRefunds(found.map(({ id }) => id)));
  const answers = found.map((refund) =>
    refundAnswer(
      refund,
      reversals.filter(({ refundId }) => refundId === refund.id),
    ),
  );
  return { status: 200, body: pageOf(answers, limit) };
}

async function create(call: Call<NewRefundRequest, unknown>, dependencies: Dependencies): Promise<Reply> {
  const { ledger, sendRefund, nudge } = dependencies;
  if (!dependencies.hyperswitch && !dependencies.paysByStripe) throw notConfigured('refunds', 'hyperswitch');
  const { order_id: order, amount, items, seller_account: seller, fee, reason } = call.body;
  // As it was before there were items, sellers and fees, where the request names none: a key of then still finds its answer.
  const request = requestKeyOf(call, 'refunds', {
    order_id: order,
    amount: amount?.toString() ?? null,
    reason,
    ...(items && { items: items.map((one) => ({ ...one, amount: one.amount.toString() })) }),
    ...(seller !== undefined && { seller_account: seller }),
    ...(fee && { fee }),
  });
  const orderId = parseOrderId(order);
  if (!orderId) throw noOrder();
  const { status, answer } = await once(ledger, request, async (madeId) => {
    if (madeId === null) await checkStep(orderId, call.body, dependencies);
    const refund = await rowOf(
      { orderId, amount: amount ?? null, lines: linesOf(call.body), fee, reason, request },
      dependencies,
    );
    if (refund.certainty !== 'done') {
      // The buyer's refund waits for this one call and for nothing else; its outcome is in the ledger, known or not.
      await fromLedger(sendRefund(refund.id)).finally(() => nudge({ kind: 'refund', id: refund.id }));
    }
    return { status: 202, answer: await answerOf(refund.id, dependencies) };
  });
  return { status, body: answer };
}

/** Sellers give back whole steps only, and cards are held to the same: told before the buyer is. */
async function checkStep(
  orderId: OrderId,
  { amount, items = [] }: NewRefundRequest,
  { ledger }: Dependencies,
): Promise<void> {
  if (amount === undefined && items.length === 0) return;
  const order = await fromLedger(ledger.findOrder(orderId));
  if (!order) return;
  const step = amountStep(order.currency);
  const amounts = items.map((item, nth) => ({ amount: item.amount, pointer: `/items/${nth}/amount` }));
  if (amount !== undefined) amounts.push({ amount, pointer: '/amount' });
  const errors = amounts
    .filter((one) => one.amount % step !== 0n)
    .map(({ pointer }) => ({
      pointer,
      message: `${offStep(order.currency)}${pointer === '/amount' ? '; left out, it is all that is left' : ''}`,
    }));
  if (errors.length > 0) throw new HttpProblem('invalid_request', INVALID_BODY, { errors });
}

function linesOf({ items, seller_account: seller }: NewRefundRequest): RefundLines | undefined {
  if (items) return { items: items.map((one) => ({ itemId: one.item_id, amount: one.amount })) };
  return seller === undefined ? undefined : { seller };
}

async function rowOf(
  asked: {
    readonly orderId: OrderId;
    readonly amount: bigint | null;
    readonly lines: RefundLines | undefined;
    readonly fee: FeePolicy | undefined;
    readonly reason: string;
    readonly request: RequestKey;
  },
  { ledger, clock, hyperswitch }: Dependencies,
): Promise<Refund> {
  const id = newRefundId(clock.nowMs());
  const { request, ...facts } = asked;
  const hyperswitchRefundId = hyperswitch?.refundIdFor(refundKey(id)) ?? null;
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
    case 'made_at_stripe':
      throw new HttpProblem(
        'refund_elsewhere',
        'another checkout took this payment at Stripe: make the refund there, and tell of it by POST /api/v1/external-refunds',
      );
    case 'not_configured':
      throw notConfigured('refunds of this order', 'hyperswitch');
    case 'captured_unknown':
      throw new HttpProblem(
        'order_not_paid',
        'Hyperswitch does not say how much of this payment it captured, or captured it in another currency: give it back there, and the refund is found',
      );
    case 'exceeds_paid':
      throw exceeds(outcome.remainder, asked.lines && 'items' in asked.lines ? '/items' : '/amount');
    case 'exceeds_seller':
      throw exceeds(outcome.left, '/amount', 'of what was paid to this seller');
    case 'exceeds_item':
      throw exceeds(outcome.left, `/items/${outcome.item}/amount`, 'of this item');
    case 'no_such_item':
      throw unknownLine(`/items/${outcome.item}/item_id`, 'is no item of this order');
    case 'no_such_seller':
      throw unknownLine('/seller_account', 'has no line in this order');
    default:
      return assertNever(outcome);
  }
}

function exceeds(remainder: bigint, pointer: string, of = 'of what was paid'): HttpProblem {
  const left =
    remainder === 0n
      ? `everything ${of} is refunded, or about to be`.replace('everything of what was', 'everything that was')
      : `${remainder} ${of} is left to be refunded (minor units)`;
  return new HttpProblem('refund_exceeds_paid', `${left}: nothing was refunded by this request`, {
    errors: [{ pointer, message: `may be at most ${remainder}` }],
  });
}

const unknownLine = (pointer: string, message: string): HttpProblem =>
  new HttpProblem('invalid_request', INVALID_BODY, { errors: [{ pointer, message }] });

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
