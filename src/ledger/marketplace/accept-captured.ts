import type { PaymentReadFacts } from '../../domain/calls/provider-answers.js';
import type { OrderId, PaymentId } from '../../domain/ids.js';
import type { Captured } from '../../domain/marketplace/captured.js';
import { amountStep } from '../../domain/marketplace/currencies.js';
import { partsOfLines } from '../../domain/marketplace/payment-capture.js';
import { type Query, recordEvent } from '../transition.js';
import { isOpen, type LockedPayment } from './payment-row.js';

/**
 * A part was captured, and nothing more is to come: the part that pays the order. By itself only where every part was asked for here;
 * whatever else was captured is a person's question. The caller holds the order and the payment.
 */
export async function partThatPays(
  query: Query,
  row: LockedPayment,
  { facts, captured }: { readonly facts: PaymentReadFacts; readonly captured: Captured },
): Promise<bigint | null> {
  const fits = facts.amount === BigInt(row.amount) && facts.currency === row.currency;
  const isPart = captured.known && captured.surely > 0n && captured.surely < BigInt(row.amount);
  if (row.accepted !== null || !isOpen(row.status) || !fits || !isPart || facts.capturedByWord === 'given_back')
    return null;
  const [asked] = await query<{ done: string; open: boolean }>(
    `SELECT coalesce(sum(amount) FILTER (WHERE status = 'done'), 0) AS done, coalesce(bool_or(status = 'open'), false) AS open
     FROM payment_captures WHERE payment_id = $1`,
    [row.id],
  );
  if (!asked || asked.open || BigInt(asked.done) !== captured.surely || (await namesLines(query, row.order_id)))
    return null;
  return facts.final || (row.captures_closed_at !== null && !waitsForCancel(row)) ? captured.surely : null;
}

/** The rest is called off first, so that the buyer has it back; sellers do not wait for a provider who cannot say whether it was. */
const CANCELS_TRIED = 3;
const waitsForCancel = ({
  cancel_asked_at: asked,
  cancel_certainty: certainty,
  cancel_attempts: tried,
}: LockedPayment) => asked !== null && !(certainty === 'unknown' && tried >= CANCELS_TRIED);

/** What a refund gives back of single lines is measured by what these came to when it was asked for. */
async function namesLines(query: Query, order: OrderId): Promise<boolean> {
  return (await query('SELECT 1 FROM cause_parts WHERE order_id = $1 LIMIT 1', [order])).length > 0;
}

export const NAMES_LINES =
  'refunds have named lines of the order already: give back the rest of what was captured, and let the buyer pay a new order';

/**
 * The order is of what was captured from now on, each line of the same part of itself: before anybody was promised anything. The caller
 * holds the order and the payment.
 */
export async function acceptPart(
  query: Query,
  { id, order_id: order, currency }: { readonly id: PaymentId; readonly order_id: OrderId; readonly currency: string },
  amount: bigint,
): Promise<void> {
  const lines = await query<{ position: number; amount: string; fee: string }>(
    'SELECT position, amount, fee FROM order_items WHERE order_id = $1 ORDER BY position',
    [order],
  );
  const parts = partsOfLines(
    lines.map(({ position, amount: whole, fee }) => ({ position, amount: BigInt(whole), fee: BigInt(fee) })),
    amount,
    amountStep(currency),
  );
  await query(
    `UPDATE order_items i SET ordered = i.amount, amount = p.amount, fee = p.fee
     FROM unnest($2::int[], $3::numeric[], $4::numeric[]) AS p (position, amount, fee) WHERE i.order_id = $1 AND i.position = p.position`,
    [
      order,
      parts.map(({ position }) => position),
      parts.map((part) => part.amount.toString()),
      parts.map(({ fee }) => fee.toString()),
    ],
  );
  await query('UPDATE orders SET ordered = amount, amount = $2 WHERE id = $1', [order, amount.toString()]);
  await query('UPDATE payments SET accepted = $2 WHERE id = $1', [id, amount.toString()]);
  const detail = { captured: amount.toString(), lines: parts.map((part) => part.amount.toString()) };
  await recordEvent(query, { kind: 'order', id: order, what: 'part_captured', detail });
}

/** Read again it is what paid the order, and no question: the same part, whatever the rest of it is called. */
const isAccepted = (row: LockedPayment, facts: PaymentReadFacts): boolean =>
  row.accepted !== null &&
  facts.currency === row.currency &&
  facts.amountReceived === BigInt(row.accepted) &&
  facts.capturedByWord !== 'given_back';

export const asAccepted = (row: LockedPayment, facts: PaymentReadFacts): PaymentReadFacts =>
  isAccepted(row, facts) ? { ...facts, status: 'succeeded', asks: null } : facts;
