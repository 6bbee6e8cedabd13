import { reversalKey } from '../../domain/calls/idempotency-keys.js';
import type { OrderId, ReversalId, TransferId } from '../../domain/ids.js';
import { reversalId } from '../../domain/marketplace/reversal-id.js';
import { smaller } from '../../domain/money.js';
import { newGeneration } from '../calls/stripe-calls.js';
import { redateOldest } from '../calls/stripe-gates.js';
import { NO_ATTENTION, withdrawRequests } from '../decisions/decision-rows.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import type { MarketplaceItem } from './marketplace-types.js';
import type { Cause, NamedShare, ShareRow } from './seller-shares.js';

export interface Demand {
  /** No more than this can come of rounding alone. */
  readonly cents: bigint;
  readonly row: ShareRow;
  readonly order: OrderId;
  readonly causes: readonly NamedShare[];
  readonly share: bigint;
}

/**
 * A share is to be taken back of a transfer that was sent, or may have been. One cause has one reversal of a transfer for
 * ever: where that was voided because it did not hold any more, it is taken up again for what it stood for. The others stand
 * for their own shares, and the last of them for what rounding down has left.
 * @returns the reversals to start, and what no cause lends its name to
 */
export async function demand(
  query: Query,
  { row, order, causes, share, cents }: Demand,
): Promise<{ readonly started: MarketplaceItem[]; readonly nameless: bigint }> {
  const started: ReversalId[] = [];
  let left = share;
  const free: NamedShare[] = [];
  for (const cause of causes) {
    const revived = await revive(query, cause, row, left);
    if (revived === 'none') free.push(cause);
    else {
      started.push(...revived.ids);
      left -= revived.taken;
    }
  }
  for (const [place, cause] of free.entries()) {
    const amount = cause.share < left && place < free.length - 1 ? cause.share : left;
    if (amount === 0n) continue;
    started.push(await insert(query, { cause, row, order, amount }));
    left -= amount;
  }
  if (left > 0n && left <= cents) left -= await resizeUnsent(query, row.id, left);
  await query('SELECT refresh_transfer($1)', [row.id]);
  return { started: started.map((id) => ({ kind: 'reversal', id })), nameless: left };
}

interface Insert {
  readonly cause: Pick<Cause, 'id' | 'kind'>;
  readonly row: ShareRow;
  readonly order: OrderId;
  readonly amount: bigint;
}

async function insert(query: Query, { cause, row, order, amount }: Insert): Promise<ReversalId> {
  const id = reversalId(cause.id, row.id);
  await query(
    `INSERT INTO reversals (id, ${CAUSE_COLUMN[cause.kind]}, transfer_id, order_id, seller_account, amount, currency, idempotency_key,
       next_retry_at, next_check_at, workflow_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_now(), clock_now(), 'reversal/' || $1::uuid)`,
    [id, cause.id, row.id, order, row.seller_account, amount.toString(), row.currency, reversalKey(id, 1)],
  );
  await tellDemanded(query, id, { [cause.kind]: cause.id, transfer: row.id, amount: amount.toString() });
  return id;
}

const CAUSE_COLUMN = { refund: 'refund_id', withdrawal: 'withdrawal_id' } as const;

/**
 * Rounding: the cents that no refund has a name for, or that are too much, are put onto a demand that was surely not sent.
 * Another amount is another call: what was frozen gets a new generation.
 * @returns `by` where there was one; else 0
 */
export async function resizeUnsent(query: Query, transfer: TransferId, by: bigint): Promise<bigint> {
  const [row] = await query<{ id: ReversalId; amount: string; generation: number; frozen: boolean }>(
    `SELECT r.id, r.amount, r.generation, r.params IS NOT NULL AS frozen FROM reversals r JOIN causes c ON c.id = coalesce(r.refund_id, r.withdrawal_id)
     WHERE r.transfer_id = $1 AND r.status IN ('pending', 'waiting_balance') AND r.certainty IN ('not_sent', 'absent')
       AND r.counted = 0 AND r.amount + $2 > 0 AND c.stands AND (r.runner IS NULL OR r.runner_until < clock_now())
     ORDER BY r.place DESC LIMIT 1 FOR UPDATE OF r`,
    [transfer, by.toString()],
  );
  if (!row) return 0n;
  await resize(query, row, BigInt(row.amount) + by);
  return by;
}

/** Surely unsent: another amount is another call, so what was frozen gets a new generation. */
async function resize(
  query: Query,
  row: { readonly id: ReversalId; readonly amount: string; readonly generation: number; readonly frozen: boolean },
  amount: bigint,
): Promise<void> {
  await query(`UPDATE reversals SET amount = $2${row.frozen ? `, ${newGeneration('$3')}` : ''} WHERE id = $1`, [
    row.id,
    amount.toString(),
    ...(row.frozen ? [reversalKey(row.id, row.generation + 1)] : []),
  ]);
  const detail = { was: row.amount, amount: amount.toString() };
  await recordEvent(query, { kind: 'reversal', id: row.id, what: 'rounded', detail });
}

interface VoidedPart {
  readonly id: ReversalId;
  readonly amount: string;
  readonly generation: number;
  readonly frozen: boolean;
  readonly given_up: boolean;
}

/** @returns what it takes back again, and by which of its parts; `none`: there is no such reversal yet */
async function revive(
  query: Query,
  cause: NamedShare,
  { id: transfer }: ShareRow,
  most: bigint,
): Promise<{ readonly taken: bigint; readonly ids: readonly ReversalId[] } | 'none'> {
  const parts = await query<VoidedPart & { [column: string]: unknown }>(
    `SELECT id, amount, generation, params IS NOT NULL AS frozen, voided AND status = 'written_off' AS given_up
     FROM reversals WHERE transfer_id = $1 AND ${CAUSE_COLUMN[cause.kind]} = $2 ORDER BY part FOR UPDATE`,
    [transfer, cause.id],
  );
  if (parts.length === 0) return 'none';
  let taken = 0n;
  const ids: ReversalId[] = [];
  for (const part of parts.filter(({ given_up }) => given_up)) {
    if (taken >= most) break;
    taken += await reviveOne(query, { part, cause, transfer, most: most - taken });
    ids.push(part.id);
  }
  return { taken, ids };
}

async function reviveOne(
  query: Query,
  {
    part: row,
    cause,
    transfer,
    most,
  }: {
    readonly part: VoidedPart;
    readonly cause: NamedShare;
    readonly transfer: TransferId;
    readonly most: bigint;
  },
): Promise<bigint> {
  const { id } = row;
  const amount = smaller(BigInt(row.amount), most);
  const frozen = row.frozen && amount < BigInt(row.amount);
  await mustMove(query, 'reversals', {
    id,
    from: 'written_off',
    to: 'pending',
    set: `voided = false, retry_count = 0, next_retry_at = clock_now(), next_check_at = clock_now(), amount = $4${frozen ? `, ${newGeneration('$5')}` : ''}`,
    values: [amount.toString(), ...(frozen ? [reversalKey(id, row.generation + 1)] : [])],
  });
  await tellDemanded(query, id, { [cause.kind]: cause.id, transfer, amount: amount.toString() });
  return amount;
}

const tellDemanded = (query: Query, id: ReversalId, detail: Readonly<Record<string, string>>): Promise<void> =>
  recordEvent(query, { kind: 'reversal', id, what: 'demanded', detail });

/** Due of a seller, and every cause of the order stands for something else of it already. */
export interface NamelessShare {
  readonly seller: string;
  readonly amount: bigint;
  readonly currency: string;
}

const ASKED_OF = { refund: 'refunds', withdrawal: 'disputes' } as const;

const NAMELESS = 'are due and cannot be taken back in the name of any refund or dispute';

/** Whether that is what is asked: arithmetic ends such a question, and no word of a provider. */
export const isAboutNameless = (detail: string | null): boolean => detail?.includes(NAMELESS) === true;

/** A person hears of all sellers at once: one refund or dispute has room for one question. */
export async function askAboutNameless(
  query: Query,
  { id, kind }: Pick<Cause, 'id' | 'kind'>,
  shares: readonly NamelessShare[],
): Promise<void> {
  const each = shares.map(({ seller, amount, currency }) => `${amount} ${currency} of ${seller}`);
  const detail = `${each.join(', ')} ${NAMELESS}; the next refund of the order takes them too`;
  await query(
    `UPDATE ${ASKED_OF[kind]} SET attention_reason = 'conflict', attention_since = coalesce(attention_since, clock_now()),
       attention_detail = $2, next_check_at = coalesce(next_check_at, clock_now() + interval '10 minutes')
     WHERE id = ${kind === 'refund' ? '$1' : '(SELECT dispute_id FROM dispute_withdrawals WHERE id = $1)'}`,
    [id, detail],
  );
}

/**
 * Nothing is due any more, and nothing was sent: given up by itself. The caller holds the row and has proof of absence.
 * @returns what has waited behind it
 */
export async function voidReversal(
  query: Query,
  row: { id: string; status: string },
  why: string,
): Promise<MarketplaceItem[]> {
  await mustMove(query, 'reversals', {
    id: row.id,
    from: row.status,
    to: 'written_off',
    set: `voided = true, debt_since = NULL, takes_available = false, runner = NULL, runner_until = NULL, next_retry_at = NULL, next_check_at = NULL, waiting_since = NULL,
      ${NO_ATTENTION}`,
  });
  await recordEvent(query, { kind: 'reversal', id: row.id, what: 'voided', detail: { why } });
  if (row.status === 'permanently_failed') await withdrawRequests(query, 'reversal', row.id, why);
  await query('SELECT refresh_transfer(transfer_id) FROM reversals WHERE id = $1', [row.id]);
  return await leavePlace(query, row);
}

/** It no longer goes first: neither among the reversals of its transfer nor among those that wait for its seller's balance. */
export async function leavePlace(
  query: Query,
  { id, status }: { id: string; status: string },
): Promise<MarketplaceItem[]> {
  if (status === 'waiting_balance') {
    const [gate] = await query<{ seller_account: string; currency: string }>(
      'SELECT seller_account, currency FROM reversals WHERE id = $1',
      [id],
    );
    if (gate) await redateOldest(query, gate.seller_account, gate.currency);
  }
  const [following] = await query<{ id: string }>(
    `UPDATE reversals SET next_check_at = clock_now() WHERE id = (
       SELECT id FROM reversals WHERE transfer_id = (SELECT transfer_id FROM reversals WHERE id = $1) AND id <> $1
         AND status = 'pending' AND runner IS NULL AND (next_retry_at IS NULL OR next_retry_at <= clock_now())
       ORDER BY place LIMIT 1) RETURNING id`,
    [id],
  );
  return following ? [{ kind: 'reversal', id: following.id }] : [];
}
