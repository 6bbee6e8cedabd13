import type { PayoutContents, PayoutFacts } from '../../domain/calls/payout-answers.js';
import { LIST_HORIZON_DAYS, MAY_FAIL_DAYS, REFUSAL_HORIZON_DAYS } from '../../domain/marketplace/payouts.js';
import type { Database } from '../database.js';
import { type Query, recordEvent } from '../transition.js';
import { payoutEventsReadableAgain } from './payout-events.js';

/** A payout that is to be read. */
export interface DuePayout {
  readonly externalPayoutId: string;
  readonly sellerAccount: string;
}

/** How far its contents are read; `after`: the last of Stripe's list that is. */
export interface PayoutToList {
  readonly after: string | null;
}

/** Why a payout could not be read. `refused`: Stripe does not let us in to this account. `gone`: Stripe knows no such payout. */
export type PayoutUnread = { readonly why: 'later' | 'refused' | 'gone'; readonly detail: string };

/** What payouts contain, and when they are read. */
export function createPayoutContents(database: Database) {
  return {
    /** Each is given out once, and again later where nobody could read it: ever less often, once a day at least. */
    async duePayouts(limit: number): Promise<readonly DuePayout[]> {
      const rows = await database.query<{ external_payout_id: string; seller_account: string }>(
        `WITH due AS (
           SELECT external_payout_id FROM payouts WHERE next_check_at <= clock_now() ORDER BY next_check_at LIMIT $1 FOR UPDATE SKIP LOCKED
         )
         UPDATE payouts p SET next_check_at = clock_now()
             + least(greatest(clock_now() - p.updated_at, interval '10 minutes'), interval '1 day')
           FROM due WHERE p.external_payout_id = due.external_payout_id RETURNING p.external_payout_id, p.seller_account`,
        [limit],
      );
      return rows.map((row) => ({ externalPayoutId: row.external_payout_id, sellerAccount: row.seller_account }));
    },

    /** It was read as it is here; what follows of that. @returns undefined: its contents are not to be read now */
    payoutRead: (payout: PayoutFacts): Promise<PayoutToList | undefined> =>
      database.transaction((query) => whatFollows(query, payout)),

    /**
     * One page of its contents, read after this one. @returns whether it was taken: another page, or another status of the payout, has come
     * meanwhile where it was not.
     */
    savePayoutContents: (
      { externalPayoutId: id, status }: Pick<PayoutFacts, 'externalPayoutId' | 'status'>,
      after: string | null,
      page: PayoutContents,
    ): Promise<boolean> =>
      database.transaction(async (query) => {
        const [row] = await query<{ seller_account: string; others: number }>(
          `UPDATE payouts SET contents_after = $4, others = CASE WHEN $3::text IS NULL THEN 0 ELSE others END + $5,
             contents = CASE WHEN $4::text IS NULL THEN 'listed' ELSE contents END, contents_detail = NULL,
             next_check_at = CASE WHEN $4::text IS NULL THEN ${LAST_LOOK} ELSE next_check_at END, refused_since = NULL
           WHERE external_payout_id = $1 AND status = $2 AND contents = 'unread' AND contents_after IS NOT DISTINCT FROM $3
           RETURNING seller_account, others`,
          [id, status, after, page.next, page.others],
        );
        if (!row) return false;
        await saveTransfers(query, id, page);
        if (page.next === null) await tellContents(query, id, row);
        return true;
      }),

    /** It keeps its next date, or ends where nothing will come of asking again. */
    payoutUnread: (id: string, { why, detail }: PayoutUnread): Promise<void> =>
      database.transaction(async (query) => {
        await query(
          `UPDATE payouts SET refused_since = CASE WHEN $2 = 'refused' THEN coalesce(refused_since, clock_now()) END, contents_detail = $3
           WHERE external_payout_id = $1 AND contents = 'unread'`,
          [id, why, detail],
        );
        const [ended] = await query<{ seller_account: string }>(
          `UPDATE payouts p SET contents = CASE WHEN contents = 'unread' THEN 'unreadable' ELSE contents END, next_check_at = NULL
           WHERE external_payout_id = $1 AND next_check_at IS NOT NULL AND ($2 = 'gone' OR ($2 = 'refused' AND (
             contents <> 'unread' OR refused_since <= clock_now() - interval '${REFUSAL_HORIZON_DAYS} days'
             OR EXISTS (SELECT 1 FROM sellers s WHERE s.account = p.seller_account AND s.state = 'gone'))))
           RETURNING seller_account`,
          [id, why],
        );
        if (ended) await tell(query, ended.seller_account, 'payout_unreadable', { external_payout_id: id, detail });
      }),

    /** The seller let us in again: what could not be read is read now. */
    payoutsReadableAgain: (account: string): Promise<void> =>
      database.transaction(async (query) => {
        await query(
          `UPDATE payouts SET contents = 'unread', contents_detail = NULL, contents_after = NULL, refused_since = NULL, next_check_at = clock_now()
           WHERE seller_account = $1 AND contents = 'unreadable'`,
          [account],
        );
        await payoutEventsReadableAgain(query, account);
      }),
  };
}

const DAYS = (count: number) => `interval '${count} days'`;

/** Nothing is left to read of a payout whose end is for good; one that was paid is looked at once more when it cannot fail any longer. */
const LAST_LOOK = `CASE WHEN status = 'paid' AND coalesce(arrival_at, made_at) + ${DAYS(MAY_FAIL_DAYS)} > clock_now()
  THEN coalesce(arrival_at, made_at) + ${DAYS(MAY_FAIL_DAYS)} END`;

/** Whether its contents are to be read now, and when it is looked at again. */
async function whatFollows(
  query: Query,
  { externalPayoutId: id, status, list }: PayoutFacts,
): Promise<PayoutToList | undefined> {
  const [row] = await query<{ contents: string; contents_after: string | null }>(
    'SELECT contents, contents_after FROM payouts WHERE external_payout_id = $1 AND status = $2 FOR UPDATE',
    [id, status],
  );
  if (!row) return undefined;
  const set = (assignments: string) => query(`UPDATE payouts SET ${assignments} WHERE external_payout_id = $1`, [id]);
  if (row.contents !== 'unread') {
    await set(`next_check_at = ${LAST_LOOK}, refused_since = NULL`);
    return undefined;
  }
  if (status === 'pending' || status === 'in_transit') {
    // Its event tells sooner; where that is lost, a day after it should have arrived, and then as often as what is not read.
    await set(
      `refused_since = NULL, next_check_at = greatest(next_check_at, coalesce(arrival_at, clock_now()) + interval '1 day')`,
    );
    return undefined;
  }
  if (status === 'canceled' || list === 'none') {
    await set(`contents = 'not_told', next_check_at = ${LAST_LOOK}, refused_since = NULL`);
    return undefined;
  }
  if (list === 'complete') return { after: row.contents_after };
  await set(
    `refused_since = NULL,
     contents = CASE WHEN made_at < clock_now() - ${DAYS(LIST_HORIZON_DAYS)} THEN 'not_told' ELSE contents END,
     contents_detail = CASE WHEN made_at < clock_now() - ${DAYS(LIST_HORIZON_DAYS)} THEN 'Stripe has not finished its list in ${LIST_HORIZON_DAYS} days'
       ELSE 'Stripe has not finished its list yet' END,
     next_check_at = CASE WHEN made_at < clock_now() - ${DAYS(LIST_HORIZON_DAYS)} THEN NULL ELSE next_check_at END`,
  );
  return undefined;
}

async function saveTransfers(query: Query, id: string, { transfers }: PayoutContents): Promise<void> {
  if (transfers.length === 0) return;
  await query(
    `INSERT INTO payout_transfers (external_payout_id, balance_transaction_id, stripe_transfer_id, amount, currency)
     SELECT $1, * FROM unnest($2::text[], $3::text[], $4::numeric[], $5::text[]) ON CONFLICT DO NOTHING`,
    [
      id,
      transfers.map(({ balanceTransactionId }) => balanceTransactionId),
      transfers.map(({ stripeTransferId }) => stripeTransferId),
      transfers.map(({ amount }) => amount.toString()),
      transfers.map(({ currency }) => currency),
    ],
  );
}

/** In the seller's story, and in that of each of his transfers that it took to his bank. */
async function tellContents(query: Query, id: string, row: { seller_account: string; others: number }): Promise<void> {
  const told = await query<{ id: string }>(
    `INSERT INTO operation_events (item_kind, item_id, kind, detail)
     SELECT 'transfer', t.id::text, 'in_payout', jsonb_strip_nulls(jsonb_build_object('external_payout_id', p.external_payout_id,
       'status', p.status, 'arrival_at', p.arrival_at, 'failure_code', p.failure_code))
     FROM payout_transfers x JOIN payouts p USING (external_payout_id)
       JOIN seller_transfers t ON t.stripe_transfer_id = x.stripe_transfer_id AND t.seller_account = p.seller_account
     WHERE x.external_payout_id = $1 ORDER BY t.id RETURNING item_id AS id`,
    [id],
  );
  await tell(query, row.seller_account, 'payout_contents', {
    external_payout_id: id,
    transfers: told.length,
    others: row.others,
  });
}

const tell = (query: Query, account: string, what: string, detail: Readonly<Record<string, unknown>>) =>
  recordEvent(query, { kind: 'seller', id: account, what, detail });
