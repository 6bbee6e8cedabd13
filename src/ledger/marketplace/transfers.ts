import { parseReversalId, parseTransferId, type ReversalId, type TransferId } from '../../domain/ids.js';
import type { Reversal, Seller, SellerTransfer } from '../../domain/marketplace/marketplace.js';
import type { SellerState } from '../../domain/marketplace/seller-standing.js';
import type { Database } from '../database.js';
import { newestIds, pageOfIds } from '../list-conditions.js';
import { conditionsOf } from './marketplace-conditions.js';
import { TRANSFER_COLUMNS, type TransferRow, toTransfer } from './marketplace-rows.js';
import type { MarketplaceFilter } from './marketplace-types.js';
import { type ReversalRow, SELECT_REVERSALS, toReversal } from './reversal-row.js';

/** Seller transfers and their reversals, as they are. */
export function createTransferReader(database: Database) {
  return {
    async findTransfer(id: TransferId): Promise<SellerTransfer | undefined> {
      const [row] = await database.query<TransferRow>(
        `SELECT ${TRANSFER_COLUMNS} FROM seller_transfers WHERE id = $1`,
        [id],
      );
      return row && toTransfer(row);
    },

    /** Newest first. */
    async listTransfers(filter: MarketplaceFilter): Promise<readonly SellerTransfer[]> {
      const key = idOfKey(filter.key, parseTransferId);
      if (key === 'unknown') return [];
      const conditions = conditionsOf({ ...filter, key }, { key: (id) => `id = ${id}` });
      const rows = await database.query<TransferRow>(
        pageOfIds(
          `SELECT ${TRANSFER_COLUMNS} FROM seller_transfers`,
          'id',
          newestIds('seller_transfers', conditions, filter),
        ),
        conditions.values,
      );
      return rows.map(toTransfer);
    },

    /** undefined: nothing was ever to be sent to this account. */
    async findSeller(account: string): Promise<Seller | undefined> {
      const [known] = await database.query<SellerRow>(SELLER, [account]);
      if (!known) return undefined;
      const [rows, sums] = await Promise.all([
        database.query<TransferRow>(
          `SELECT ${TRANSFER_COLUMNS} FROM seller_transfers WHERE seller_account = $1 AND ${WAITS_OR_ASKS} ORDER BY id DESC LIMIT 200`,
          [account],
        ),
        database.query<{ currency: string; waiting: string; with_person: string }>(
          `SELECT currency, coalesce(sum(amount) FILTER (WHERE attention_reason IS NULL), 0) AS waiting,
             coalesce(sum(amount) FILTER (WHERE attention_reason IS NOT NULL), 0) AS with_person
           FROM seller_transfers WHERE seller_account = $1 AND ${WAITS_OR_ASKS} GROUP BY currency ORDER BY currency`,
          [account],
        ),
      ]);
      return {
        account,
        ...standingNow(known),
        transfers: rows.map(toTransfer),
        sums: sums.map(({ currency, waiting, with_person: withPerson }) => ({
          currency,
          waiting: BigInt(waiting),
          withPerson: BigInt(withPerson),
        })),
      };
    },

    async reversalsOfTransfer(id: TransferId): Promise<readonly Reversal[]> {
      const rows = await database.query<ReversalRow>(`${SELECT_REVERSALS} WHERE v.transfer_id = $1 ORDER BY v.place`, [
        id,
      ]);
      return rows.map(toReversal);
    },

    async findReversal(id: ReversalId): Promise<Reversal | undefined> {
      const [row] = await database.query<ReversalRow>(`${SELECT_REVERSALS} WHERE v.id = $1`, [id]);
      return row && toReversal(row);
    },

    /** Newest first; ids of reversals have no order, so the cursor stands for its row's date and id. */
    async listReversals(filter: MarketplaceFilter): Promise<readonly Reversal[]> {
      const key = idOfKey(filter.key, parseReversalId);
      if (key === 'unknown') return [];
      const conditions = conditionsOf({ ...filter, key }, { key: (id) => `id = ${id}` })
        .where(filter.since, (since) => `created_at >= ${since}`)
        .where(filter.until, (until) => `created_at < ${until}`)
        .where(
          filter.before,
          (before) => `(created_at, id) < (SELECT b.created_at, b.id FROM reversals b WHERE b.id = ${before})`,
        );
      const most = conditions.value(filter.limit);
      const rows = await database.query<ReversalRow>(
        `${SELECT_REVERSALS} WHERE v.id = ANY (ARRAY(
           SELECT id FROM reversals ${conditions.sql()} ORDER BY created_at DESC, id DESC LIMIT ${most}))
         ORDER BY v.created_at DESC, v.id DESC`,
        conditions.values,
      );
      return rows.map(toReversal);
    },
  };
}

interface SellerRow {
  [column: string]: unknown;
  state: SellerState | null;
  reason: string | null;
  since: Date | null;
  /** Stripe does not let us in to his account since then. */
  parked_since: Date | null;
}

/** While he is parked nothing is sent to him, whatever was read of him before. */
function standingNow({
  state,
  reason,
  since,
  parked_since: parked,
}: SellerRow): Pick<Seller, 'state' | 'reason' | 'since'> {
  if ((state ?? 'able') === 'able' && parked)
    return { state: 'waiting', reason: 'parked', since: parked.toISOString() };
  return { state: state ?? 'able', reason, since: since?.toISOString() ?? null };
}

const SELLER = `SELECT s.state, s.reason, s.since, coalesce(b.paused_at, b.opened_at) AS parked_since
  FROM (SELECT $1::text AS account) x LEFT JOIN sellers s ON s.account = x.account
    LEFT JOIN provider_breakers b ON b.provider = 'stripe:' || x.account AND b.state <> 'closed'
  WHERE s.account IS NOT NULL OR EXISTS (SELECT 1 FROM seller_transfers WHERE seller_account = x.account)`;

/** Not with the seller, and not on its way by itself now. */
const WAITS_OR_ASKS = `completed_at IS NULL
  AND (attention_reason IS NOT NULL OR status IN ('held', 'waiting_platform_balance', 'waiting_seller'))`;

/** The key of any generation finds its item, also when a later one is in use: it begins with the item's id. */
function idOfKey<Id extends string>(
  key: string | undefined,
  parse: (text: string) => Id | undefined,
): Id | 'unknown' | undefined {
  return key === undefined ? undefined : (parse(key.replace(/:g[0-9]+$/, '')) ?? 'unknown');
}
