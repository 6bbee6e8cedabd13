import type { PayoutFacts } from '../../domain/calls/provider-answers.js';
import type { Database } from '../database.js';

/** Payouts only go forward (https://docs.stripe.com/payouts): one that was paid may still fail, and nothing comes after. */
const STEP = `ARRAY['pending', 'in_transit', 'paid', 'canceled', 'failed']`;

/** Payouts of the sellers' own accounts, as Stripe reported them last. */
export function createPayouts(database: Database) {
  return {
    /** A reading that was overtaken by a later one changes nothing, and neither does one that says nothing new. */
    async savePayout(payout: PayoutFacts): Promise<void> {
      await database.query(
        `WITH saved AS (
           INSERT INTO payouts AS p (external_payout_id, seller_account, amount, currency, status, arrival_at, failure_code)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (external_payout_id) DO UPDATE SET amount = excluded.amount, status = excluded.status,
               arrival_at = excluded.arrival_at, failure_code = excluded.failure_code, updated_at = clock_now()
             WHERE array_position(${STEP}, excluded.status) >= array_position(${STEP}, p.status)
               AND (p.amount, p.status, p.arrival_at, p.failure_code)
                 IS DISTINCT FROM (excluded.amount, excluded.status, excluded.arrival_at, excluded.failure_code)
           RETURNING seller_account
         )
         INSERT INTO operation_events (item_kind, item_id, kind, detail)
           SELECT 'seller', seller_account, 'payout', jsonb_strip_nulls(jsonb_build_object('external_payout_id', $1::text,
             'status', $5::text, 'amount', $3::text, 'currency', $4::text, 'failure_code', $7::text)) FROM saved`,
        [
          payout.externalPayoutId,
          payout.sellerAccount,
          payout.amount.toString(),
          payout.currency,
          payout.status,
          payout.arrivalAt,
          payout.failureCode,
        ],
      );
    },
  };
}
