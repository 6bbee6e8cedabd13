import { type Certainty, surelyUnmoved } from '../../domain/calls/certainty.js';
import type { ReversalId } from '../../domain/ids.js';
import type { Query } from '../transition.js';

/**
 * Of a transfer that was sent for less, because its seller owed the rest, more can be due than Stripe holds of it. What that is goes to
 * whoever it is due to first, and to no debt that is asked of Stripe again: in another currency nothing but the amount here says so.
 */

interface OfSent {
  readonly [column: string]: unknown;
  readonly sent: string;
  readonly taken: string;
  readonly spoken_for: string;
}

interface ToTake {
  readonly id: ReversalId;
  readonly amount: string;
  readonly currency: string;
  readonly certainty: Certainty;
}

/** `r` has taken something of it at Stripe, or may have. */
const TAKEN = `(r.status = 'reversed' OR r.certainty IN ('in_flight', 'unknown'))`;

/** Whose shares go first: of those that go out by themselves, all others, or those that were there before. */
const FIRST = { all: '', earlier: 'AND r.place < x.place' } as const;

/**
 * Why this cannot be asked of Stripe beside what others took, or are about to; undefined: it can, or may have been. The caller holds the
 * order and its transfers.
 */
export async function whyBeyondSent(
  query: Query,
  { id, amount, currency, certainty }: ToTake,
  others: keyof typeof FIRST,
): Promise<string | undefined> {
  if (!surelyUnmoved(certainty)) return undefined;
  const [of] = await query<OfSent>(
    `SELECT t.amount AS sent, coalesce(sum(r.amount) FILTER (WHERE ${TAKEN}), 0) AS taken,
       coalesce(sum(r.amount) FILTER (WHERE NOT ${TAKEN} AND r.status IN ('pending', 'waiting_balance') AND c.stands ${FIRST[others]}), 0) AS spoken_for
     FROM reversals x JOIN seller_transfers t ON t.id = x.transfer_id
       LEFT JOIN reversals r ON r.transfer_id = x.transfer_id AND r.id <> x.id AND r.debt_since IS NULL
       LEFT JOIN causes c ON c.id = coalesce(r.refund_id, r.withdrawal_id)
     WHERE x.id = $1 AND t.offset_amount > 0 GROUP BY t.id`,
    [id],
  );
  if (!of) return undefined;
  const left = BigInt(of.sent) - BigInt(of.taken) - BigInt(of.spoken_for);
  if (BigInt(amount) <= left) return undefined;
  return `${amount} ${currency} are to be taken of a transfer that was sent for ${of.sent}, because its seller owed the rest; others took ${of.taken} of them and are about to take ${of.spoken_for}: Stripe is not asked for what it does not hold; take_available takes what is left of it, offset keeps all of it of the seller's next transfers, write_off gives it up`;
}
