import { surelyUnmoved } from '../../domain/calls/certainty.js';
import { isWaiting } from '../../domain/marketplace/marketplace-status.js';
import type { SellerStanding, SellerState } from '../../domain/marketplace/seller-standing.js';
import type { Database } from '../database.js';
import { NO_ATTENTION } from '../decisions/decision-rows.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { type Query, recordEvent } from '../transition.js';
import { attentionOf, type ClaimRefusal } from './claim-refusals.js';
import { leavePlace } from './platform-queue.js';
import { lookAgain } from './stripe-calls.js';
import type { LockedTransfer } from './transfer-row.js';
import {
  A_DAY_MS,
  ASKED_EVERY,
  askNow,
  dateOldest,
  MOST_AT_ONCE,
  oldestIn,
  startWaiting,
  stopWaiting,
} from './waiting-transfers.js';

const STATUS = 'waiting_seller' as const;
/** Where Stripe did not say, it is asked again. */
const READ_AGAIN = `interval '1 minute'`;

interface SellerRow {
  [column: string]: unknown;
  state: SellerState;
  reason: string | null;
  due_ms: number;
}

const SELLER = `SELECT state, reason, (extract(epoch FROM read_next_at - clock_now()) * 1000)::float8 AS due_ms FROM sellers WHERE account = $1`;
/** Nothing of it has left us, and it is still to be sent. */
const UNSENT = `completed_at IS NULL AND written_off_at IS NULL AND amount > 0 AND certainty IN ('not_sent', 'absent')
  AND status <> 'cancelled'`;

/** Sellers who cannot receive now, or not any more. */
export function createSellerQueue(database: Database) {
  return {
    /**
     * Whether anything hangs on what this seller can do: Stripe tells of accounts all day.
     * @param left it tells that he has left, which matters of whoever ever was a seller
     */
    async sellerMatters(account: string, left: boolean): Promise<boolean> {
      const [row] = await database.query(
        `SELECT 1 FROM sellers WHERE account = $1 AND state <> 'able'
         UNION ALL SELECT 1 FROM seller_transfers WHERE seller_account = $1 AND ($2 OR ${UNSENT}) LIMIT 1`,
        [account, left],
      );
      return row !== undefined;
    },

    /** What Stripe says of him now. @returns what to start: what waited for him, or has to be asked about */
    sellerShows: (account: string, standing: SellerStanding): Promise<readonly MarketplaceItem[]> =>
      database.transaction((query) => sellerShows(query, account, standing)),

    /** Stripe did not say. */
    async sellerUnread(account: string): Promise<void> {
      await database.query(
        `UPDATE sellers SET read_next_at = least(read_next_at, clock_now() + ${READ_AGAIN}) WHERE account = $1`,
        [account],
      );
    },
  };
}

async function sellerShows(query: Query, account: string, standing: SellerStanding): Promise<MarketplaceItem[]> {
  const { state, reason } = standing;
  // Locked by its name, because it may not be there yet.
  await query(`SELECT pg_advisory_xact_lock(hashtextextended('seller ' || $1, 0))`, [account]);
  const [was] = await query<SellerRow>(SELLER, [account]);
  if (!was && state === 'able') return [];
  const changed = was?.state !== state || was.reason !== reason;
  // Before the seller's own row: whoever claims a transfer holds that one first, too.
  const started = state === 'gone' || !was ? [] : await wake(query, account, WOKEN[state]);
  await query(
    `INSERT INTO sellers AS s (account, state, reason, read_next_at) VALUES ($1, $2, $3, clock_now() + ${ASKED_EVERY})
     ON CONFLICT (account) DO UPDATE SET state = $2, reason = $3, read_at = clock_now(), read_next_at = excluded.read_next_at,
       since = CASE WHEN s.state = $2 THEN s.since ELSE clock_now() END`,
    [account, state, reason],
  );
  if (changed) await recordEvent(query, { kind: 'seller', id: account, what: `seller_${state}`, detail: { reason } });
  // Whoever was woken looks by himself: a row that is written twice would wait for its order, whose holder may wait for it.
  if (state === 'waiting' && started.length === 0)
    await dateOldest(query, { id: '', status: STATUS, seller_account: account, currency: '' }, STATUS);
  return state === 'gone' && changed ? await askAbout(query, account) : started;
}

const ASKED_AS_GONE = `attention_reason = 'seller_gone'`;
/** What was asked because he had gone is no question any more. */
const WOKEN = {
  able: `(${ASKED_AS_GONE} OR (status = '${STATUS}' AND attention_reason IS NULL))`,
  waiting: ASKED_AS_GONE,
} as const;

/** What waited for him goes on; turns and tokens pace it. */
async function wake(query: Query, account: string, which: string): Promise<MarketplaceItem[]> {
  const rows = await query<{ id: string }>(
    `UPDATE seller_transfers SET ${NO_ATTENTION}, next_retry_at = NULL, next_check_at = clock_now() WHERE id IN (
       SELECT id FROM seller_transfers WHERE seller_account = $1 AND completed_at IS NULL AND ${which} ORDER BY id FOR UPDATE) RETURNING id`,
    [account],
  );
  return itemsOf(rows);
}

/**
 * He has received, perhaps before he could not any more: his account is read now, and that alone ends a wait. @returns what to start
 */
export async function sellerReceived(query: Query, row: LockedTransfer): Promise<MarketplaceItem[]> {
  const [waits] = await query(`SELECT 1 FROM sellers WHERE account = $1 AND state = 'waiting'`, [row.seller_account]);
  return waits ? await askNow(query, row, STATUS) : [];
}

/** Each is asked about when it is claimed next, which is now. */
async function askAbout(query: Query, account: string): Promise<MarketplaceItem[]> {
  const rows = await query<{ id: string }>(
    `UPDATE seller_transfers SET next_retry_at = NULL, next_check_at = clock_now() WHERE id IN (
       SELECT id FROM seller_transfers WHERE seller_account = $1 AND ${UNSENT} AND attention_reason IS NULL AND runner IS NULL
       ORDER BY id FOR UPDATE SKIP LOCKED) RETURNING id`,
    [account],
  );
  return itemsOf(rows);
}

/** What is more is due in the ledger, and the sweep starts it. */
const itemsOf = (rows: readonly { id: string }[]): MarketplaceItem[] =>
  rows.slice(0, MOST_AT_ONCE).map(({ id }) => ({ kind: 'transfer', id }));

/** Why nothing is sent to this seller now; undefined: nothing is known against it. What may have moved is never made to wait. */
export async function sellerRefusal(query: Query, row: LockedTransfer): Promise<ClaimRefusal | undefined> {
  if (!surelyUnmoved(row.certainty)) return undefined;
  const account = row.seller_account;
  if (row.shut_out) await doubt(query, account);
  const [seller] = await query<SellerRow>(`${SELLER} AND state <> 'able' FOR UPDATE`, [account]);
  if (!seller) return undefined;
  const detail = inWords(seller);
  if (seller.state === 'waiting' && row.status !== STATUS) {
    await leavePlace(query, row);
    if (isWaiting(row.status)) await stopWaiting(query, row, 'pending');
    const status = isWaiting(row.status) ? 'pending' : row.status;
    await startWaiting(query, { ...row, status }, STATUS, detail);
  }
  if (seller.due_ms <= 0) {
    await query(`UPDATE sellers SET read_next_at = clock_now() + ${ASKED_EVERY} WHERE account = $1`, [account]);
    return { kind: 'read', of: 'seller', sellerAccount: account };
  }
  if (seller.state === 'gone') return await askAboutGone(query, row, detail);
  const [oldest] = await query<{ id: string }>(oldestIn(STATUS), [account]);
  const afterMs = oldest?.id === row.id ? seller.due_ms : A_DAY_MS;
  await lookAgain(query, 'seller_transfers', row.id, afterMs);
  return { kind: 'waiting', afterMs, why: detail };
}

/** A park that does not end may be a seller who has left, of which no event told: his account is read, once an hour. */
async function doubt(query: Query, account: string): Promise<void> {
  await query(
    `INSERT INTO sellers AS s (account, state, reason, read_next_at) VALUES ($1, 'waiting', 'shut_out', clock_now())
     ON CONFLICT (account) DO UPDATE SET state = 'waiting', reason = 'shut_out', since = clock_now(), read_next_at = clock_now()
       WHERE s.state = 'able' AND s.read_at <= clock_now() - ${ASKED_EVERY}`,
    [account],
  );
}

/** A person is asked because he had gone: whether he is back is read from time to time. @returns undefined: nothing is due */
export async function lookForGone(
  query: Query,
  { seller_account: account }: LockedTransfer,
): Promise<ClaimRefusal | undefined> {
  const taken = await query(
    `UPDATE sellers SET read_next_at = clock_now() + ${ASKED_EVERY} WHERE account = $1 AND state = 'gone'
       AND read_next_at <= clock_now() RETURNING account`,
    [account],
  );
  return taken.length === 0 ? undefined : { kind: 'read', of: 'seller', sellerAccount: account };
}

async function askAboutGone(query: Query, row: LockedTransfer, detail: string): Promise<ClaimRefusal> {
  await leavePlace(query, row);
  await query(
    `UPDATE seller_transfers SET attention_reason = 'seller_gone', attention_since = clock_now(), attention_detail = $2,
       next_retry_at = NULL, next_check_at = clock_now() + interval '1 day' WHERE id = $1`,
    [row.id, detail],
  );
  if (isWaiting(row.status)) await dateOldest(query, row, row.status);
  return await attentionOf(query, 'seller_transfers', {
    ...row,
    attention_reason: 'seller_gone',
    attention_detail: detail,
  });
}

const inWords = ({ state, reason }: SellerRow): string =>
  state === 'gone'
    ? `the seller is gone at Stripe (${reason}): nothing was sent. Find out with him; retry asks Stripe again, write_off gives the share up`
    : `the seller cannot receive yet at Stripe (${reason})`;

/** Stripe has refused it because of its seller. What is known of him stays, where somebody read him already. */
export async function waitForSeller(query: Query, row: LockedTransfer, detail: string): Promise<void> {
  await query(
    `INSERT INTO sellers AS s (account, state, reason, read_next_at) VALUES ($1, 'waiting', 'refused', clock_now() + ${READ_AGAIN})
     ON CONFLICT (account) DO UPDATE SET state = 'waiting', reason = 'refused', since = clock_now(), read_next_at = excluded.read_next_at
       WHERE s.state = 'able'`,
    [row.seller_account],
  );
  await startWaiting(query, row, STATUS, detail);
}
