import type { OrderId, ReversalId, TransferId } from '../../domain/ids.js';
import type { SellerBalance, SellerStoryLine } from '../../domain/marketplace/seller-balance.js';
import type { Database } from '../database.js';

/** As many as are answered at once. */
const LONGEST = 200;

/** What a seller owes, by currency, with how it came about. */
export function createSellerBalances(database: Database) {
  return {
    /** Amounts of different currencies are never added up. */
    async sellerBalances(account: string): Promise<readonly SellerBalance[]> {
      const rows = await database.query<{ [Name in keyof SellerBalance]: string }>(
        `SELECT r.currency, coalesce(sum(r.amount) FILTER (WHERE r.status IN ('pending', 'waiting_balance', 'permanently_failed')), 0) AS owed,
           coalesce(sum(r.amount) FILTER (WHERE r.status = 'waiting_balance' AND r.debt_since IS NOT NULL), 0) AS "toOffset",
           coalesce(sum(k.amount) FILTER (WHERE k.status = 'reserved'), 0) AS "onItsWay",
           coalesce(sum(r.amount) FILTER (WHERE r.offset_done), 0) AS offset,
           coalesce(sum(r.amount) FILTER (WHERE r.status = 'reversed' AND NOT r.offset_done), 0) AS taken,
           coalesce(sum(r.amount) FILTER (WHERE r.status = 'written_off' AND NOT r.voided), 0) AS "givenUp"
         FROM reversals r LEFT JOIN debt_offsets k ON k.reversal_id = r.id AND k.status <> 'reopened'
         WHERE r.seller_account = $1 GROUP BY r.currency ORDER BY r.currency`,
        [account],
      );
      return rows.map((row) => ({
        currency: row.currency,
        owed: BigInt(row.owed),
        toOffset: BigInt(row.toOffset),
        onItsWay: BigInt(row.onItsWay),
        offset: BigInt(row.offset),
        taken: BigInt(row.taken),
        givenUp: BigInt(row.givenUp),
      }));
    },

    /** What happened to his newest reversals, newest first. */
    async sellerStory(account: string): Promise<readonly SellerStoryLine[]> {
      const rows = await database.query<{
        at: Date;
        what: string;
        reversal: ReversalId;
        order: OrderId;
        transfer: TransferId;
        kept_of: TransferId | null;
        amount: string;
        currency: string;
      }>(
        `SELECT e.at, e.kind AS what, r.id AS reversal, r.order_id AS "order", r.transfer_id AS transfer,
           CASE WHEN e.kind IN ('offset_reserved', 'offset_reopened') THEN e.detail ->> 'transfer' ELSE e.detail ->> 'offset' END AS kept_of,
           coalesce(e.detail ->> 'amount', r.amount::text) AS amount, r.currency
         FROM (SELECT * FROM reversals WHERE seller_account = $1 ORDER BY created_at DESC, id DESC LIMIT ${LONGEST}) r
           JOIN operation_events e ON e.item_kind = 'reversal' AND e.item_id = r.id::text
         WHERE e.kind = ANY ($2) ORDER BY e.at DESC, e.seq DESC LIMIT ${LONGEST}`,
        [account, TOLD],
      );
      return rows.map(({ at, kept_of: keptOf, amount, ...row }) => ({
        ...row,
        at: at.toISOString(),
        keptOf,
        amount: BigInt(amount),
      }));
    },
  };
}

/** Of the stories of reversals, what changes what he owes, and how. */
const TOLD = [
  'demanded',
  'waiting_balance',
  'permanently_failed',
  'split',
  'owed',
  'seller_owes',
  'offset_reserved',
  'offset_reopened',
  'reversed',
  'voided',
  'written_off',
];
