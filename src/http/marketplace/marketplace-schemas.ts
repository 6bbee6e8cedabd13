import { z } from 'zod';
import { CERTAINTIES } from '../../domain/calls/certainty.js';
import { amountStep, parseCurrency, whyNotSold } from '../../domain/marketplace/currencies.js';
import { DISPUTE_STATUSES } from '../../domain/marketplace/disputes.js';
import { FEE_POLICIES, feeOf } from '../../domain/marketplace/lines.js';
import { ITEM_KINDS } from '../../domain/marketplace/marketplace.js';
import type {
  OrderAnswer as Order,
  RefundAnswer as Refund,
  TransferAnswer as Transfer,
} from '../../domain/marketplace/marketplace-answer.js';
import {
  ORDER_STATUSES,
  PAYMENT_STATUSES,
  REFUND_STATUSES,
  REVERSAL_STATUSES,
  TRANSFER_STATUSES,
} from '../../domain/marketplace/marketplace-status.js';
import { IMMEDIATELY } from '../../domain/marketplace/releases.js';
import { attention, currencyFilter, LIST_PARAMETERS, listAnswer, text, timestamp } from '../schema-parts.js';
import { termsIn } from './capture-schemas.js';
import {
  amountOut,
  DisputeAnswer,
  ReversalAnswer,
  sellerAccount,
  transferConversion,
  waitingOut,
  workflowId,
} from './marketplace-parts.js';
import { PaymentDetails, PaymentInOrder } from './payment-schemas.js';
import { payoutOfTransferOut } from './payout-schemas.js';
import { heldOut, RELEASE_IS, releaseIn, releaseOut, releaseTermsOut, termsOf } from './release-schemas.js';

/** Requests and answers of the marketplace; validation and /openapi.json both come from here. */

const LARGEST = Number.MAX_SAFE_INTEGER;

const minorUnits = z
  .int({ error: 'has to be an integer of minor units' })
  .min(1, { error: 'has to be at least 1' })
  .max(LARGEST, { error: `is above ${LARGEST}, the largest amount` })
  .transform((amount) => BigInt(amount))
  .describe('Minor units of the currency, as a JSON integer.');

const currency = z
  .string()
  .regex(/^[A-Za-z]{3}$/, { error: 'has to be a currency of three letters, for example "USD"' })
  .transform((code, context) => {
    const known = parseCurrency(code);
    const refusal = known === undefined ? 'is no currency that is in use (ISO 4217)' : whyNotSold(known);
    if (known !== undefined && refusal === undefined) return known;
    context.addIssue(refusal ?? '');
    return z.NEVER;
  })
  .describe('ISO 4217, in any case; answers hold upper case.');

const sellerIn = z
  .string()
  .regex(/^acct_[A-Za-z0-9_]{1,64}$/, { error: 'has to be a Stripe account, for example "acct_1A2b3C"' });

const fee = z
  .union([z.int().min(0).max(LARGEST), z.strictObject({ basis_points: z.int().min(0).max(10_000) })], {
    error: 'has to be an integer of minor units, or {"basis_points": 0 to 10000}',
  })
  .describe(
    'Of the amount, what the platform keeps: minor units, or basis points of the amount, rounded down to what the currency moves in.',
  );

const orderItem = z.strictObject({
  kind: z.enum(ITEM_KINDS).default('item').describe('What the line is for; it changes nothing about who gets what.'),
  seller_account: sellerIn
    .optional()
    .describe("The connected Stripe account that gets this amount, less the fee; left out: the platform's own line."),
  amount: minorUnits,
  fee: fee.optional(),
  release: releaseIn.optional().describe(`${RELEASE_IS} Instead of that of the order.`),
  description: text(500),
});

export const NewOrderRequest = z
  .strictObject({
    currency,
    items: z.array(orderItem).min(1).max(100),
    release: releaseIn.optional().describe(`${RELEASE_IS} Of all items that say nothing themselves.`),
  })
  // A transformation, because unlike a refinement it runs only on what is right in all of its parts.
  .transform((order, context) => {
    const step = amountStep(order.currency);
    const items = order.items.map((item) => ({
      ...item,
      fee: feeOfItem(item, step),
      release:
        item.seller_account === undefined ? IMMEDIATELY : termsOf(item.release ?? order.release ?? 'immediately'),
    }));
    for (const [index, { amount, fee: kept, seller_account: seller }] of items.entries()) {
      const wrong = (field: string, message: string) =>
        context.issues.push(problemAt(order, ['items', index, field], message));
      if (amount % step !== 0n) wrong('amount', offStep(order.currency));
      if (kept % step !== 0n) wrong('fee', offStep(order.currency));
      if (kept > amount) wrong('fee', `may be at most the amount, ${amount}`);
      if (order.items[index]?.fee !== undefined && seller === undefined)
        wrong('fee', "is what the platform keeps of a seller's line: this line has no seller_account");
      if (order.items[index]?.release !== undefined && seller === undefined)
        wrong('release', "is when a seller's share is sent: this line has no seller_account");
    }
    const total = order.items.reduce((sum, { amount }) => sum + amount, 0n);
    if (total > BigInt(LARGEST)) {
      context.issues.push(problemAt(order, ['items'], `come to more than ${LARGEST}, the largest amount`));
    }
    return { ...order, items };
  });
export type NewOrderRequest = z.output<typeof NewOrderRequest>;

function feeOfItem({ amount, fee: asked }: z.output<typeof orderItem>, step: bigint): bigint {
  if (asked === undefined) return 0n;
  return typeof asked === 'number' ? BigInt(asked) : feeOf(amount, BigInt(asked.basis_points), step);
}

const problemAt = (input: unknown, path: (string | number)[], message: string) =>
  ({ code: 'custom', input, path, message }) as const;

/** Stripe would refuse the seller's transfer, after the buyer has paid. */
export const offStep = (code: string): string =>
  `has to be a multiple of ${amountStep(code)}: Stripe moves ${code} in no smaller steps`;

const orderId = text(64).describe('Of an order.');

export const NewPaymentRequest = z.strictObject({ order_id: orderId, ...termsIn });
export type NewPaymentRequest = z.output<typeof NewPaymentRequest>;

export const NewRefundRequest = z
  .strictObject({
    order_id: orderId,
    amount: minorUnits.optional().describe('Minor units, as a JSON integer; left out: all that is not refunded yet.'),
    items: z
      .array(z.strictObject({ item_id: text(64), amount: minorUnits }))
      .min(1)
      .max(100)
      .optional()
      .describe(
        'What is given back of which items; only their sellers give anything back. Instead of amount and seller_account.',
      ),
    seller_account: sellerIn
      .optional()
      .describe('Only lines of this seller are given back: `amount` of them, or all that is left.'),
    fee: z
      .enum(FEE_POLICIES)
      .optional()
      .describe(
        'Who bears the fee: `return_proportionally`: the platform gives back its part; `keep`: the seller gives back first, as far as what he got reaches. Default: REFUND_FEE.',
      ),
    reason: text(255).regex(/\S/, { error: 'says nothing' }).describe('Passed on to the payment provider.'),
  })
  .superRefine((refund, context) => {
    const { items, amount, seller_account: seller } = refund;
    if (items === undefined) return;
    if (amount !== undefined || seller !== undefined)
      context.issues.push(
        problemAt(refund, ['items'], 'say by themselves what is refunded: leave out amount and seller_account'),
      );
    for (const [index, { item_id: id }] of items.entries())
      if (items.findIndex((one) => one.item_id === id) < index)
        context.issues.push(problemAt(refund, ['items', index, 'item_id'], 'is named twice: add up its amounts'));
  });
export type NewRefundRequest = z.output<typeof NewRefundRequest>;

const marketplaceList = <Status extends string>(statuses: readonly Status[]) =>
  z.strictObject({
    status: z.enum(statuses).optional(),
    order_id: text(64).optional().describe('Only of this order.'),
    currency: currencyFilter,
    seller: sellerIn.optional().describe('Only what has to do with this seller.'),
    ...LIST_PARAMETERS,
  });

export const ListOrdersQuery = marketplaceList(ORDER_STATUSES);
export const ListPaymentsQuery = marketplaceList(PAYMENT_STATUSES);
export const ListRefundsQuery = marketplaceList(REFUND_STATUSES);
export const ListTransfersQuery = marketplaceList(TRANSFER_STATUSES);
export const ListReversalsQuery = marketplaceList(REVERSAL_STATUSES);
export const ListDisputesQuery = marketplaceList(DISPUTE_STATUSES);
export type MarketplaceListQuery =
  | z.output<typeof ListDisputesQuery>
  | z.output<typeof ListOrdersQuery>
  | z.output<typeof ListPaymentsQuery>
  | z.output<typeof ListRefundsQuery>
  | z.output<typeof ListTransfersQuery>
  | z.output<typeof ListReversalsQuery>;

export const TransferAnswer: z.ZodType<Transfer> = z
  .object({
    id: z.uuid(),
    order_id: z.uuid(),
    seller_account: sellerAccount,
    amount: amountOut.describe('What is sent: less what refunds withheld before it was, and less `offset`.'),
    offset: amountOut.describe('What of it is kept because its seller owed it: for him it is paid.'),
    amount_reversed: amountOut,
    currency: z.string(),
    status: z.enum(TRANSFER_STATUSES),
    certainty: z.enum(CERTAINTIES),
    stripe_transfer_id: z.string().nullable(),
    conversion: transferConversion,
    retry_count: z.int().min(0),
    next_retry_at: timestamp.nullable(),
    waiting: waitingOut,
    release: releaseOut,
    held: heldOut,
    payout: payoutOfTransferOut,
    reversals: z.array(ReversalAnswer),
    attention,
    workflow_id: workflowId,
    created_at: timestamp,
  })
  .meta({ id: 'Transfer' });

export const RefundAnswer: z.ZodType<Refund> = z
  .object({
    id: z.uuid(),
    order_id: z.uuid(),
    amount: amountOut,
    currency: z.string(),
    status: z.enum(REFUND_STATUSES),
    origin: z
      .enum(['api', 'provider'])
      .describe(
        '`provider`: made in the dashboard of the payment provider; with neither `hyperswitch_refund_id` nor `stripe_refund_id`: given back outside any refund, as two persons said.',
      ),
    items: z
      .array(z.object({ item_id: z.uuid(), amount: amountOut }))
      .nullable()
      .describe('What it gives back of which items; null: of every line the same part.'),
    fee: z.enum(FEE_POLICIES).describe('Who bears the fee of it.'),
    hyperswitch_refund_id: z.string().nullable(),
    stripe_refund_id: z.string().nullable().describe('What Stripe calls it, as far as that is known: `re_…`.'),
    waiting: waitingOut,
    reversals: z.array(ReversalAnswer),
    reason: z.string(),
    certainty: z.enum(CERTAINTIES),
    attention,
    workflow_id: workflowId,
    created_at: timestamp,
  })
  .meta({ id: 'Refund' });

export const OrderAnswer: z.ZodType<Order> = z
  .object({
    id: z.uuid(),
    status: z.enum(ORDER_STATUSES),
    currency: z.string(),
    amount: amountOut,
    ordered: amountOut.nullable().describe('What it came to before only a part of it was captured; null: as ordered.'),
    items: z.array(
      z.object({
        id: z.uuid(),
        kind: z.enum(ITEM_KINDS),
        seller_account: sellerAccount.nullable().describe("Null: the platform's own."),
        amount: amountOut,
        ordered: amountOut
          .nullable()
          .describe('What it came to before only a part of the order was captured; null: as ordered.'),
        fee: amountOut.describe('Of the amount, what the platform keeps.'),
        release: releaseTermsOut,
        description: z.string(),
      }),
    ),
    platform: z
      .object({
        amount: amountOut.describe('Its own lines, and what an imported order was paid for none.'),
        fees: amountOut,
        kept: z
          .int()
          .describe('Of what is captured now; below 0 where refunds and disputes left it more to bear than it got.'),
      })
      .describe("What is not the sellers'."),
    payment: PaymentInOrder.nullable(),
    transfers: z.array(TransferAnswer),
    refunds: z.array(RefundAnswer),
    reversals: z.array(ReversalAnswer),
    disputes: z.array(DisputeAnswer),
    reference: z.string().nullable().describe('What an imported order was called before; null: one of ours.'),
    created_at: timestamp,
  })
  .meta({ id: 'Order' });

export { PaymentAnswer, PaymentDetails } from './payment-schemas.js';
export const OrderListAnswer = listAnswer(OrderAnswer);
export const PaymentListAnswer = listAnswer(PaymentDetails);
export const RefundListAnswer = listAnswer(RefundAnswer);
export const TransferListAnswer = listAnswer(TransferAnswer);
export const ReversalListAnswer = listAnswer(ReversalAnswer);
export const DisputeListAnswer = listAnswer(DisputeAnswer);
export const WebhookAnswer = z.object({ received: z.literal(true) });
