import type { PayoutFacts } from '../../domain/calls/payout-answers.js';
import { MAY_FAIL_DAYS, payoutFailedInWords } from '../../domain/marketplace/payouts.js';
import type { Database } from '../database.js';
import { type Query, recordEvent } from '../transition.js';

/** Payouts only go forward (https://docs.stripe.com/payouts): one that was paid may still fail, and nothing comes after. */
const STEP = `ARRAY['pending', 'in_transit', 'paid', 'canceled', 'failed']`;

/** Payouts of the sellers' own accounts, as Stripe reported them last. */
export function createPayouts(database: Database) {
  return {
    /**
     * A reading that was overtaken by a later one changes nothing, and neither does one that says nothing new. What has changed has its
     * contents read anew; what failed asks a person.
     */
    savePayout: (payout: PayoutFacts): Promise<void> =>
      database.transaction(async (query) => {
        await lockPayoutsOf(query, payout.sellerAccount);
        if (!(await save(query, payout))) return;
        if (payout.status === 'failed') await askAbout(query, payout);
        if (payout.status === 'paid') await endEarlierFailures(query, payout);
      }),

    /** A person says that nothing is left to do about its failure. @returns whether anybody was asked */
    dismissPayout: (id: string, said: { readonly by: string; readonly note: string }): Promise<boolean> =>
      database.transaction(async (query) => {
        const [row] = await query<{ seller_account: string; external_payout_id: string }>(
          `UPDATE payouts SET ${ENDED}, failure_ended = 'dismissed'
           WHERE external_payout_id = $1 AND attention_reason IS NOT NULL RETURNING seller_account, external_payout_id`,
          [id],
        );
        if (row)
          await tell(query, row.seller_account, 'payout_dismissed', {
            external_payout_id: row.external_payout_id,
            ...said,
          });
        return row !== undefined;
      }),
  };
}

const ENDED = 'attention_reason = NULL, attention_since = NULL, attention_detail = NULL';
const DAYS = (count: number) => `interval '${count} days'`;

/** A success and an earlier failure of one seller are never written beside each other, or neither would know of the other. */
const lockPayoutsOf = (query: Query, account: string) =>
  query(`SELECT pg_advisory_xact_lock(hashtextextended('payouts ' || $1, 0))`, [account]);

/** When we can have known of a failure: money that came back then is in a payout that was made later. */
const KNOWN_AT = (failed: string) =>
  `least(${failed}.attention_since, coalesce(${failed}.arrival_at, ${failed}.made_at) + ${DAYS(MAY_FAIL_DAYS)})`;

/** @returns whether it says something new */
async function save(query: Query, payout: PayoutFacts): Promise<boolean> {
  const { externalPayoutId: id, sellerAccount, amount, currency, status, failureCode } = payout;
  const [saved] = await query(
    `INSERT INTO payouts AS p (external_payout_id, seller_account, amount, currency, status, arrival_at, failure_code, automatic, next_check_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_now())
     ON CONFLICT (external_payout_id) DO UPDATE SET amount = excluded.amount, status = excluded.status,
         arrival_at = excluded.arrival_at, failure_code = excluded.failure_code, automatic = excluded.automatic, updated_at = clock_now(),
         contents = 'unread', contents_detail = NULL, contents_after = NULL, next_check_at = clock_now(), made_at = NULL, failure_ended = NULL, ${ENDED}
       WHERE p.seller_account = excluded.seller_account
         AND array_position(${STEP}, excluded.status) >= array_position(${STEP}, p.status)
         AND (p.made_at IS NULL OR (p.amount, p.status, p.arrival_at, p.failure_code)
           IS DISTINCT FROM (excluded.amount, excluded.status, excluded.arrival_at, excluded.failure_code))
     RETURNING external_payout_id`,
    [id, sellerAccount, amount.toString(), currency, status, payout.arrivalAt, failureCode, payout.automatic],
  );
  if (!saved) return false;
  await tell(query, sellerAccount, 'payout', {
    external_payout_id: id,
    status,
    amount: amount.toString(),
    currency,
    ...(failureCode === null ? {} : { failure_code: failureCode }),
  });
  // Last, because from here on a failed one has to ask, or to have ended.
  if (status !== 'failed')
    await query('UPDATE payouts SET made_at = $2 WHERE external_payout_id = $1', [id, payout.madeAt]);
  return true;
}

async function askAbout(query: Query, { externalPayoutId: id, failureCode, madeAt }: PayoutFacts): Promise<void> {
  const [asked] = await query<{ later: boolean; seller_account: string }>(
    `UPDATE payouts p SET made_at = $2, attention_reason = 'payout_failed', attention_since = clock_now(), attention_detail = $3
     WHERE external_payout_id = $1 RETURNING seller_account, EXISTS (SELECT 1 FROM payouts x WHERE x.seller_account = p.seller_account
       AND x.currency = p.currency AND x.status = 'paid' AND x.made_at > coalesce(p.arrival_at, $2) + ${DAYS(MAY_FAIL_DAYS)}) AS later`,
    [id, madeAt, payoutFailedInWords(failureCode)],
  );
  if (!asked) return;
  if (asked.later)
    await query(`UPDATE payouts SET ${ENDED}, failure_ended = 'paid_later' WHERE external_payout_id = $1`, [id]);
  else await tell(query, asked.seller_account, 'payout_failed', { external_payout_id: id, failure_code: failureCode });
}

async function endEarlierFailures(query: Query, paid: PayoutFacts): Promise<void> {
  const ended = await query<{ external_payout_id: string }>(
    `UPDATE payouts p SET ${ENDED}, failure_ended = 'paid_later'
     WHERE seller_account = $1 AND currency = $2 AND attention_reason IS NOT NULL AND ${KNOWN_AT('p')} < $3 RETURNING external_payout_id`,
    [paid.sellerAccount, paid.currency, paid.madeAt],
  );
  for (const { external_payout_id: id } of ended)
    await tell(query, paid.sellerAccount, 'payout_paid_later', {
      external_payout_id: id,
      paid_by: paid.externalPayoutId,
    });
}

const tell = (query: Query, account: string, what: string, detail: Readonly<Record<string, unknown>>) =>
  recordEvent(query, { kind: 'seller', id: account, what, detail });
