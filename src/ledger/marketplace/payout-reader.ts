import type { TransferId } from '../../domain/ids.js';
import type { Payout, PayoutContentsState, PayoutOfTransfer, PayoutStatus } from '../../domain/marketplace/payouts.js';
import type { Database } from '../database.js';
import { Conditions, waitsForAPerson } from '../list-conditions.js';
import { type KeyPage, microseconds, type PageKey, pageOf } from '../reading/page-key.js';

export interface PayoutFilter extends KeyPage {
  readonly seller?: string | undefined;
  readonly status?: PayoutStatus | undefined;
  readonly currency?: string | undefined;
  readonly transferId?: string | undefined;
  readonly needsAttention?: boolean | undefined;
}

export type ListedPayout = Payout & { readonly key: PageKey };

/** Payouts as they are, with the transfers of ours that they contain. */
export function createPayoutReader(database: Database) {
  return {
    /** Newest first. */
    async listPayouts(filter: PayoutFilter): Promise<readonly ListedPayout[]> {
      const conditions = new Conditions()
        .where(filter.seller, (seller) => `seller_account = ${seller}`)
        .where(filter.status, (status) => `status = ${status}`)
        .where(filter.currency, (currency) => `currency = ${currency}`)
        .where(filter.transferId, (id) => `external_payout_id IN (${OF_TRANSFERS} WHERE t.id = ${id})`)
        .whether(filter.needsAttention, waitsForAPerson);
      const page = pageOf('created_at', 'external_payout_id', conditions, filter);
      const rows = await database.query<Row>(`SELECT ${COLUMNS} FROM payouts ${page}`, conditions.values);
      return rows.map(toPayout);
    },

    /** @param name Stripe's, or the one by which messages name it */
    async findPayout(name: string): Promise<Payout | undefined> {
      const [row] = await database.query<Row>(
        `SELECT ${COLUMNS} FROM payouts WHERE external_payout_id = $1 OR id = (CASE WHEN $1 ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN $1 END)::uuid`,
        [name],
      );
      return row && toPayout(row);
    },

    /** Of each transfer the payout it was in last; of the others Stripe has not said. */
    async payoutsOfTransfers(ids: readonly TransferId[]): Promise<ReadonlyMap<TransferId, PayoutOfTransfer>> {
      if (ids.length === 0) return new Map();
      const rows = await database.query<{
        transfer_id: TransferId;
        external_payout_id: string;
        status: PayoutStatus;
        arrival_at: Date | null;
      }>(
        `SELECT DISTINCT ON (t.id) t.id AS transfer_id, p.external_payout_id, p.status, p.arrival_at
         FROM seller_transfers t JOIN payout_transfers x ON x.stripe_transfer_id = t.stripe_transfer_id
           JOIN payouts p ON p.external_payout_id = x.external_payout_id AND p.seller_account = t.seller_account
         WHERE t.id = ANY ($1) ORDER BY t.id, p.made_at DESC NULLS LAST`,
        [ids],
      );
      return new Map(
        rows.map((row) => [
          row.transfer_id,
          { id: row.external_payout_id, status: row.status, arrivalAt: row.arrival_at?.toISOString() ?? null },
        ]),
      );
    },
  };
}

const OF_TRANSFERS = `SELECT x.external_payout_id FROM payout_transfers x JOIN seller_transfers t ON t.stripe_transfer_id = x.stripe_transfer_id`;

const COLUMNS = `${microseconds('created_at')} AS place, id, external_payout_id, seller_account, amount, currency, status, arrival_at,
  failure_code, automatic, contents, contents_detail, others, next_check_at, attention_reason, attention_since, attention_detail,
  failure_ended, created_at, coalesce((SELECT jsonb_agg(jsonb_build_object('transferId', t.id, 'stripeTransferId', x.stripe_transfer_id,
    'amount', x.amount::text, 'currency', x.currency) ORDER BY x.balance_transaction_id)
    FROM payout_transfers x LEFT JOIN seller_transfers t ON t.stripe_transfer_id = x.stripe_transfer_id AND t.seller_account = payouts.seller_account
    WHERE x.external_payout_id = payouts.external_payout_id), '[]') AS transfers`;

interface Row {
  [column: string]: unknown;
  place: string;
  id: string;
  external_payout_id: string;
  seller_account: string;
  amount: string;
  currency: string;
  status: PayoutStatus;
  arrival_at: Date | null;
  failure_code: string | null;
  automatic: boolean | null;
  contents: PayoutContentsState;
  contents_detail: string | null;
  others: number;
  next_check_at: Date | null;
  attention_reason: 'payout_failed' | null;
  attention_since: Date | null;
  attention_detail: string | null;
  failure_ended: Payout['failureEnded'];
  created_at: Date;
  transfers: readonly {
    readonly transferId: TransferId | null;
    readonly stripeTransferId: string;
    readonly amount: string;
    readonly currency: string;
  }[];
}

const toPayout = (row: Row): ListedPayout => ({
  key: { at: row.place, id: row.external_payout_id },
  id: row.external_payout_id,
  ownId: row.id,
  sellerAccount: row.seller_account,
  amount: BigInt(row.amount),
  currency: row.currency,
  status: row.status,
  arrivalAt: row.arrival_at?.toISOString() ?? null,
  failureCode: row.failure_code,
  automatic: row.automatic,
  contents: row.contents,
  contentsDetail: row.contents_detail,
  transfers: row.transfers.map((one) => ({ ...one, amount: BigInt(one.amount) })),
  others: row.others,
  nextCheckAt: row.next_check_at?.toISOString() ?? null,
  attention: row.attention_reason && {
    reason: row.attention_reason,
    since: row.attention_since?.toISOString() ?? '',
    detail: row.attention_detail ?? '',
  },
  failureEnded: row.failure_ended,
  createdAt: row.created_at.toISOString(),
});
