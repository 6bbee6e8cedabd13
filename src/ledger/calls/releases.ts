import { surelyUnmoved } from '../../domain/calls/certainty.js';
import type { DisputeId, OrderId, RefundId, TransferId } from '../../domain/ids.js';
import type { TransferStatus } from '../../domain/marketplace/marketplace-status.js';
import { type HeldFor, heldInWords, type ReleaseKind } from '../../domain/marketplace/releases.js';
import { dropAttention, pendingRequest, withdrawRequests } from '../decisions/decision-rows.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { lockSharesOf } from '../marketplace/seller-shares.js';
import { mustMove, type Query, recordEvent } from '../transition.js';

/**
 * Shares that wait for their release: for somebody's word, or for a date. What is released is sent as soon as no dispute and no refund
 * of its order is open. Every function here that writes runs in a transaction that holds the order.
 */

/** Of `seller_transfers` (SQL): it has a release, and nothing of it has left us. */
const RELEASES = `release_kind <> 'immediately' AND completed_at IS NULL AND written_off_at IS NULL AND status <> 'cancelled'
  AND certainty IN ('not_sent', 'absent')`;

/** What stops a released share of the order `of` (SQL): a bank may take the money, or the buyer get it back. What a person is asked about has not ended. */
const openDispute = (of: string): string =>
  `SELECT id FROM disputes x WHERE order_id = ${of} AND (holds OR attention_reason IS NOT NULL
     OR (status IN ('inquiry', 'open') AND NOT ${putAsideSince('dispute', 'x.changed_at')})) ORDER BY id LIMIT 1`;
const openRefund = (of: string): string =>
  `SELECT id FROM refunds x WHERE order_id = ${of} AND status IN ('pending', 'review')
     AND (attention_reason IS NOT NULL OR NOT ${putAsideSince('refund', 'x.created_at')}) ORDER BY id LIMIT 1`;

/** Of an item `x` (SQL): a person has said that nothing more of it is a matter of the sellers, and it is as it was then. */
const putAsideSince = (kind: 'dispute' | 'refund', since: string): string =>
  `EXISTS (SELECT 1 FROM decisions w WHERE w.item_kind = '${kind}' AND w.item_id = x.id AND w.action = 'write_off' AND w.state = 'applied'
     AND coalesce(w.approved_at, w.requested_at) >= ${since})`;

type Stop = Extract<HeldFor, { readonly kind: 'dispute' | 'refund' }>;

async function stopOf(query: Query, order: OrderId): Promise<Stop | undefined> {
  const [row] = await query<{ dispute: DisputeId | null; refund: RefundId | null }>(
    `SELECT (${openDispute('$1')}) AS dispute, (${openRefund('$1')}) AS refund`,
    [order],
  );
  if (row?.dispute) return { kind: 'dispute', id: row.dispute };
  return row?.refund ? { kind: 'refund', id: row.refund } : undefined;
}

/** What decides when a transfer may be sent; milliseconds by the ledger's clock. */
export interface ReleaseRow {
  readonly id: TransferId;
  readonly order_id: OrderId;
  readonly release_kind: ReleaseKind;
  readonly release_at: Date | null;
  readonly released: boolean;
  readonly release_in_ms: number | null;
}

/** Of a transfer `x`, for {@link ReleaseRow}. */
export const RELEASE = `x.release_kind, x.release_at, x.released_at IS NOT NULL AS released,
    (extract(epoch FROM x.release_at - clock_now()) * 1000)::float8 AS release_in_ms`;

/** What a transfer waits for that is not released, or whose order is in dispute or about to be refunded. A date that has come releases it. */
export async function waitsForRelease(
  query: Query,
  row: ReleaseRow & { readonly certainty: Parameters<typeof surelyUnmoved>[0] },
): Promise<HeldFor | undefined> {
  // What may have been sent goes on as it was.
  if (row.release_kind === 'immediately' || !surelyUnmoved(row.certainty)) return undefined;
  if (!row.released) {
    if (row.release_in_ms === null || row.release_at === null) return { kind: 'release' };
    if (row.release_in_ms > 0) return { kind: 'date', until: row.release_at.toISOString() };
    await release(query, row.id, { by: 'its date' });
  }
  return await stopOf(query, row.order_id);
}

interface ReleasedBy {
  /** A principal, or what released it by itself. */
  readonly by: string;
  readonly [detail: string]: unknown;
}

/** It may be sent from now on; once, whoever says it again. */
export async function release(query: Query, id: TransferId, detail: ReleasedBy): Promise<void> {
  const rows = await query(
    `UPDATE seller_transfers SET released_at = clock_now(), next_check_at = CASE WHEN next_check_at IS NOT NULL THEN clock_now() END
     WHERE id = $1 AND release_kind <> 'immediately' AND released_at IS NULL RETURNING id`,
    [id],
  );
  if (rows.length > 0) await recordEvent(query, { kind: 'transfer', id, what: 'released', detail });
}

/** Nobody is asked any more why nobody released it. @returns whether that was the question */
async function answerOverdue(query: Query, id: TransferId, reason: string): Promise<boolean> {
  const asked = reason === 'approval_pending' ? (await pendingRequest(query, 'transfer', id))?.asked_reason : reason;
  if (asked !== 'release_overdue') return false;
  await withdrawRequests(query, 'transfer', id, 'it was released');
  await dropAttention(query, 'seller_transfers', id);
  return true;
}

/** `as_it_was`: it was released before, or never had to be. */
export type ReleaseOutcome = 'released' | 'as_it_was' | 'cancelled' | 'given_up';

/** By somebody's word; also the answer to the question why nobody had said it. */
export async function releaseHeld(query: Query, id: TransferId, detail: ReleasedBy): Promise<ReleaseOutcome> {
  await lockSharesOf(query, 'seller_transfers', id);
  const [row] = await query<HeldRow>(
    `SELECT order_id, status, release_kind, released_at IS NOT NULL AS released, written_off_at IS NOT NULL AS given_up, attention_reason
     FROM seller_transfers WHERE id = $1 FOR UPDATE`,
    [id],
  );
  if (!row) throw new Error(`transfer ${id} is not in the ledger`);
  if (row.status === 'cancelled') return await releaseInItsPlace(query, id, detail);
  if (row.given_up) return 'given_up';
  if (row.release_kind === 'immediately' || row.released) return 'as_it_was';
  await release(query, id, detail);
  const asksNothing = row.attention_reason === null || (await answerOverdue(query, id, row.attention_reason));
  if (asksNothing && (await stopOf(query, row.order_id)) === undefined) await letGo(query, id);
  return 'released';
}

/**
 * Nothing of it is left to be sent. What is paid again of it waits for the same release, and whoever gives the word may know nothing of a
 * dispute that was won since: it is about the same goods.
 */
async function releaseInItsPlace(query: Query, id: TransferId, detail: ReleasedBy): Promise<ReleaseOutcome> {
  const rows = await query<{ id: TransferId }>(
    `SELECT x.id FROM seller_transfers x JOIN seller_transfers t ON t.order_id = x.order_id AND t.seller_account = x.seller_account
       AND t.release_kind = x.release_kind AND t.release_at IS NOT DISTINCT FROM x.release_at
     WHERE t.id = $1 AND x.origin = 'compensation' AND x.release_kind <> 'immediately' AND x.status <> 'cancelled' AND x.written_off_at IS NULL
     ORDER BY x.id`,
    [id],
  );
  const outcomes = new Set<ReleaseOutcome>();
  for (const one of rows) outcomes.add(await releaseHeld(query, one.id, { ...detail, in_place_of: id }));
  if (outcomes.has('released')) return 'released';
  return outcomes.has('as_it_was') ? 'as_it_was' : 'cancelled';
}

/** To be sent after all. */
export async function letGo(query: Query, id: TransferId): Promise<void> {
  await mustMove(query, 'seller_transfers', { id, from: 'held', to: 'pending', set: 'next_check_at = clock_now()' });
  await recordEvent(query, { kind: 'transfer', id, what: 'let_go' });
}

interface HeldRow {
  readonly [column: string]: unknown;
  readonly order_id: OrderId;
  readonly status: TransferStatus;
  readonly release_kind: ReleaseKind;
  readonly released: boolean;
  readonly given_up: boolean;
  readonly attention_reason: string | null;
}

/** A dispute or a refund of the order may have ended: what is released, and waited for that, is looked at now. @returns what to start */
export async function followReleases(query: Query, order: OrderId): Promise<MarketplaceItem[]> {
  if ((await stopOf(query, order)) !== undefined) return [];
  const rows = await query<{ id: TransferId }>(
    `UPDATE seller_transfers SET next_check_at = clock_now(),
       next_retry_at = CASE WHEN last_answer = 'later' THEN NULL ELSE next_retry_at END
     WHERE id IN (SELECT id FROM seller_transfers WHERE order_id = $1 AND ${RELEASES} AND released_at IS NOT NULL
       AND status IN ('held', 'failed', 'permanently_failed') AND attention_reason IS NULL AND (runner IS NULL OR runner_until < clock_now()) ORDER BY id FOR UPDATE) RETURNING id`,
    [order],
  );
  return rows.map(({ id }) => ({ kind: 'transfer', id }));
}

export interface HeldForRow {
  readonly dispute: DisputeId | null;
  readonly refund: RefundId | null;
  readonly due: boolean;
}

/** Of `seller_transfers`: why it is held, where it is; a dispute that keeps all that is unsent of the order comes first. */
export const HELD_FOR = `CASE WHEN status = 'held' THEN jsonb_build_object(
    'dispute', coalesce((SELECT id FROM disputes d WHERE d.order_id = seller_transfers.order_id AND d.holds ORDER BY id LIMIT 1),
      CASE WHEN release_kind <> 'immediately' THEN (${openDispute('seller_transfers.order_id')}) END),
    'refund', CASE WHEN release_kind <> 'immediately' THEN (${openRefund('seller_transfers.order_id')}) END,
    'due', release_kind = 'immediately' OR released_at IS NOT NULL OR coalesce(release_at <= clock_now(), false)) END AS held_for`;

export function toHeldFor(row: {
  readonly held_for: HeldForRow | null;
  readonly release_at: Date | null;
}): HeldFor | null {
  const { held_for: held, release_at: at } = row;
  if (held === null) return null;
  if (!held.due) return at === null ? { kind: 'release' } : { kind: 'date', until: at.toISOString() };
  if (held.dispute !== null) return { kind: 'dispute', id: held.dispute };
  return held.refund === null ? null : { kind: 'refund', id: held.refund };
}

export const whyHeld = (held: HeldFor): string => `it is held ${heldInWords(held)}`;
