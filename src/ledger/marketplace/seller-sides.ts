import type { ReversalId } from '../../domain/ids.js';
import type { SellerSide } from '../../domain/marketplace/marketplace.js';
import type { Database } from '../database.js';
import { recordEvent } from '../transition.js';

/** A reversal of which it was not read yet what it was for its seller, and what names it at Stripe. */
export interface UnreadSellerSide {
  readonly id: ReversalId;
  readonly sellerAccount: string;
  readonly stripeTransferId: string;
  readonly stripeReversalId: string;
}

/** What reversals were in the currency of their sellers' own balances: read once each, after they are done, and compared with nothing of ours. */
export function createSellerSides(database: Database) {
  return {
    /** Each is looked at again an hour later where it cannot be read. */
    dueSellerSides: (limit: number): Promise<readonly UnreadSellerSide[]> =>
      database.query<UnreadSellerSide & { [column: string]: unknown }>(
        `WITH due AS (
           SELECT id FROM reversals WHERE seller_read_next_at <= clock_now() ORDER BY seller_read_next_at LIMIT $1 FOR UPDATE SKIP LOCKED
         ), taken AS (
           UPDATE reversals r SET seller_read_next_at = clock_now() + interval '1 hour' FROM due WHERE r.id = due.id
           RETURNING r.id, r.seller_account, r.transfer_id, r.stripe_reversal_id
         )
         SELECT x.id, x.seller_account AS "sellerAccount", t.stripe_transfer_id AS "stripeTransferId", x.stripe_reversal_id AS "stripeReversalId"
         FROM taken x JOIN seller_transfers t ON t.id = x.transfer_id
         WHERE t.stripe_transfer_id IS NOT NULL AND x.stripe_reversal_id IS NOT NULL`,
        [limit],
      ),

    /** @param side null: his balance has the currency of the transfer; read again it changes nothing */
    noteSellerSide: (id: ReversalId, side: SellerSide | null): Promise<void> =>
      database.transaction(async (query) => {
        const written = await query(
          `UPDATE reversals SET seller_currency = $2, seller_got = $3, seller_gave = $4, seller_read_at = clock_now(), seller_read_next_at = NULL
           WHERE id = $1 AND seller_read_at IS NULL AND seller_read_next_at IS NOT NULL RETURNING id`,
          [id, side?.currency ?? null, side?.got.toString() ?? null, side?.gave.toString() ?? null],
        );
        if (written.length === 0 || side === null) return;
        await recordEvent(query, {
          kind: 'reversal',
          id,
          what: 'seller_side_read',
          detail: { currency: side.currency, got: `${side.got}`, gave: `${side.gave}` },
        });
      }),
  };
}
