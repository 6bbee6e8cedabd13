import type { TransferStatus, WaitingStatus } from '../../domain/marketplace/marketplace-status.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { mustMove, type Query, recordEvent } from '../transition.js';

/**
 * The two queues that transfers wait in: of a currency for the platform's balance, of a seller until he can receive. What holds a
 * queue is locked after its transfers, and whoever holds it waits for no transfer: others are passed over.
 */

/** More are not started in a minute, and a statement that changes many more would not end in time. */
export const MOST_AT_ONCE = 1_000;
/** Stripe is asked at most this often whether a wait is over; its events come sooner. */
export const ASKED_EVERY = `interval '1 hour'`;
export const A_DAY_MS = 86_400_000;

const GATE = {
  waiting_platform_balance: { table: 'platform_gates', key: 'currency', of: 'currency' },
  waiting_seller: { table: 'sellers', key: 'account', of: 'seller_account' },
} as const;

export interface Waiting {
  readonly id: string;
  readonly status: TransferStatus;
  readonly seller_account: string;
  readonly currency: string;
}

const gateOf = (status: WaitingStatus, row: Waiting) => ({ ...GATE[status], name: row[GATE[status].of] });

/** The oldest in a queue, whose name is `$1`; nobody is asked about it. */
export const oldestIn = (status: WaitingStatus): string =>
  `SELECT id FROM seller_transfers WHERE completed_at IS NULL AND status = '${status}' AND ${GATE[status].of} = $1 AND attention_reason IS NULL ORDER BY id LIMIT 1`;

/** It is not sent now, and nobody is to blame. */
export async function startWaiting(query: Query, row: Waiting, status: WaitingStatus, detail: string): Promise<void> {
  await mustMove(query, 'seller_transfers', {
    id: row.id,
    from: row.status,
    to: status,
    set: `waiting_since = coalesce(waiting_since, clock_now()), waiting_detail = $4, admitted_until = NULL, last_answer = 'waiting',
      runner = NULL, runner_until = NULL, next_retry_at = NULL, next_check_at = clock_now() + interval '1 day'`,
    values: [detail],
  });
  await recordEvent(query, { kind: 'transfer', id: row.id, what: status, detail: { detail } });
  await dateOldest(query, row, status);
}

/** Only the oldest has a date: the others are found by what ends the wait, and by a daily look. */
export async function dateOldest(query: Query, row: Waiting, status: WaitingStatus): Promise<void> {
  const { table, key, name } = gateOf(status, row);
  await query(
    `UPDATE seller_transfers x SET next_check_at = g.read_next_at, next_retry_at = g.read_next_at FROM ${table} g
     WHERE g.${key} = $1 AND x.next_check_at IS DISTINCT FROM g.read_next_at
       AND coalesce(x.admitted_until <= clock_now(), true)
       AND x.id IN (SELECT id FROM seller_transfers WHERE id = (${oldestIn(status)}) FOR UPDATE SKIP LOCKED)`,
    [name],
  );
}

/** It is none of its own. */
const THE_QUEUES_DATE = 'next_retry_at = NULL';

/** It waits no more: about to be sent, cancelled or given up. The next one gets its date. */
export async function stopWaiting(
  query: Query,
  row: Waiting,
  to: 'pending' | 'cancelled',
  set = THE_QUEUES_DATE,
): Promise<void> {
  const status = row.status as WaitingStatus;
  await mustMove(query, 'seller_transfers', { id: row.id, from: row.status, to, set });
  await dateOldest(query, row, status);
}

/** What ends the wait is asked about at once. @returns what to start */
export async function askNow(query: Query, row: Waiting, status: WaitingStatus): Promise<MarketplaceItem[]> {
  const { table, key, name } = gateOf(status, row);
  await query(`UPDATE ${table} SET read_next_at = clock_now() WHERE ${key} = $1`, [name]);
  await dateOldest(query, row, status);
  const [oldest] = await query<{ id: string }>(oldestIn(status), [name]);
  return oldest ? [{ kind: 'transfer', id: oldest.id }] : [];
}
