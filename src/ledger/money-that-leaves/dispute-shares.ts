import type { DisputeId, OrderId, WithdrawalId } from '../../domain/ids.js';
import {
  type DisputeMovement,
  type DisputeRules,
  type DisputeStatus,
  isTaken,
  type Withdrawal,
} from '../../domain/marketplace/disputes.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { makeGood } from '../marketplace/restorations.js';
import { restoreShares, settleShares } from '../marketplace/share-out.js';
import { type Query, recordEvent } from '../transition.js';

/** Every function here runs in a transaction that holds the order's row. */

/** One withdrawal as the ledger has it. */
interface KnownWithdrawal {
  readonly id: WithdrawalId;
  readonly source: string;
  readonly amount: string;
  readonly fee: string;
  readonly platform_bears: boolean;
  readonly said_back: boolean;
  readonly backAt: string | null;
}

export async function withdrawalsNow(query: Query, dispute: DisputeId): Promise<readonly KnownWithdrawal[]> {
  const rows = await query<Omit<KnownWithdrawal, 'backAt'> & { back_at: Date | null }>(
    'SELECT id, source, amount, fee, platform_bears, said_back, back_at FROM dispute_withdrawals WHERE dispute_id = $1 ORDER BY out_at, id',
    [dispute],
  );
  return rows.map(({ back_at, ...row }) => ({ ...row, backAt: back_at?.toISOString() ?? null }));
}

/** What became of one withdrawal now. `borne`: by the sellers from now on. */
export interface Recorded {
  readonly id: WithdrawalId;
  readonly what: 'out' | 'borne' | 'back';
}

interface Read {
  /** Every movement of the record, and the stretches that they come to. */
  readonly movements: readonly Pick<DisputeMovement, 'id'>[];
  readonly read: readonly Withdrawal[];
  readonly status: DisputeStatus;
  readonly rules: DisputeRules;
}

interface OfDispute {
  readonly id: DisputeId;
  readonly order_id: OrderId;
  readonly order_currency: string;
}

/** What the processor's record holds and the ledger does not yet: new withdrawals, and the ends of old ones. */
export async function recordWithdrawals(
  query: Query,
  dispute: OfDispute,
  { movements, read, status, rules }: Read,
): Promise<readonly Recorded[]> {
  const recorded: Recorded[] = [];
  const known = await withdrawalsNow(query, dispute.id);
  const taken = isTaken(rules.policy, status);
  // What persons said before the record could be read is in the record now.
  let said: WithdrawalId | null = null;
  for (const row of known)
    if (row.backAt === null && row.source.startsWith(SAID)) {
      recorded.push(await end(query, dispute.id, row.id, null));
      said = row.id;
    }
  // Before another movement of the same moment was there, this one began another stretch.
  const held = new Set(movements.map(({ id }) => id));
  const isLate = known.some(({ source }) => !source.startsWith(SAID) && !held.has(movementOf(source)));
  for (const row of known)
    if (!isLate && row.backAt === null && !row.source.startsWith(SAID) && !read.some((stretch) => isOf(row, stretch)))
      recorded.push(await end(query, dispute.id, row.id, null));
  for (const stretch of read) {
    const begun = known.findLast((one) => isOf(one, stretch));
    const isOut = stretch.backAt === null;
    const row = begun?.said_back && isOut ? undefined : begun;
    const id = row?.id ?? (await insert(query, dispute, { stretch, taken, rules, said: isOut ? said : null }));
    if (!row && isOut) said = null;
    if (!row) recorded.push({ id, what: 'out' });
    if (row?.platform_bears === true && row.backAt === null && stretch.backAt === null && taken) {
      await query('UPDATE dispute_withdrawals SET platform_bears = false WHERE id = $1', [id]);
      recorded.push({ id, what: 'borne' });
    }
    if (stretch.backAt !== null && (row?.backAt ?? null) === null)
      recorded.push(await end(query, dispute.id, id, stretch.backAt));
  }
  return recorded;
}

/** Of a source: what persons have said. */
const SAID = 'decision/';

/** One that was said to be back, and by the record is not, or that began another stretch, has another row for the same movement. */
const AGAIN = '/again/';
const movementOf = (source: string): string => source.split(AGAIN)[0] ?? source;
const isOf = ({ source, amount }: KnownWithdrawal, stretch: Withdrawal): boolean =>
  movementOf(source) === stretch.movementId && BigInt(amount) === stretch.amount;

interface Insert {
  readonly stretch: Withdrawal;
  readonly taken: boolean;
  readonly rules: DisputeRules;
  /** What persons had said was out of it. */
  readonly said: WithdrawalId | null;
}

async function insert(
  query: Query,
  dispute: OfDispute,
  { stretch, taken, rules, said }: Insert,
): Promise<WithdrawalId> {
  const { movementId, amount, outAt, restOf } = stretch;
  const known = await withdrawalsNow(query, dispute.id);
  const again = known.filter(({ source }) => movementOf(source) === movementId).length;
  const whole = known.findLast(({ source }) => movementOf(source) === (again === 0 ? restOf : movementId));
  // What is left of another one, or is out although it was said to be back, is borne as that was, and its fee with it.
  const fee = whole ? BigInt(whole.fee) : (rules.fees.get(dispute.order_currency) ?? 0n);
  return await insertWithdrawal(query, dispute, {
    source: again === 0 ? movementId : `${movementId}${AGAIN}${again}`,
    amount,
    fee,
    outAt: again === 0 ? outAt : null,
    platformBears: !taken && (whole?.platform_bears ?? true),
    continues: whole?.id ?? said,
  });
}

export interface NewWithdrawal {
  /** Of the record at the processor that it stands for. */
  readonly source: string;
  readonly amount: bigint;
  readonly fee: bigint;
  /** Null: now. */
  readonly outAt: string | null;
  readonly platformBears: boolean;
  readonly continues?: WithdrawalId | null;
}

export async function insertWithdrawal(
  query: Query,
  dispute: Pick<OfDispute, 'id' | 'order_id'>,
  { source, amount, fee, outAt, platformBears, continues = null }: NewWithdrawal,
): Promise<WithdrawalId> {
  const [row] = await query<{ id: WithdrawalId }>(
    `INSERT INTO dispute_withdrawals (id, dispute_id, order_id, source, amount, fee, out_at, platform_bears, continues)
     VALUES (new_uuid_v7(), $1, $2, $3, $4, $5, coalesce($6, clock_now()), $7, $8) RETURNING id`,
    [dispute.id, dispute.order_id, source, amount.toString(), fee.toString(), outAt, platformBears, continues],
  );
  if (!row) throw new Error(`a withdrawal of dispute ${dispute.id} was not stored`);
  await recordEvent(query, {
    kind: 'dispute',
    id: dispute.id,
    what: 'withdrawn',
    detail: {
      withdrawal: row.id,
      source,
      amount: amount.toString(),
      fee: fee.toString(),
      platform_bears: platformBears,
    },
  });
  return row.id;
}

/** @param at null: now */
async function end(query: Query, dispute: DisputeId, id: WithdrawalId, at: string | null): Promise<Recorded> {
  await query('UPDATE dispute_withdrawals SET back_at = coalesce($2, clock_now()) WHERE id = $1 AND back_at IS NULL', [
    id,
    at,
  ]);
  await recordEvent(query, { kind: 'dispute', id: dispute, what: 'reinstated', detail: { withdrawal: id } });
  return { id, what: 'back' };
}

/** Every withdrawal of the dispute that is out is back, by word. @returns which */
export async function endWithdrawals(query: Query, dispute: DisputeId): Promise<readonly Recorded[]> {
  const recorded: Recorded[] = [];
  for (const row of await withdrawalsNow(query, dispute))
    if (row.backAt === null) recorded.push(await end(query, dispute, row.id, null));
  const ids = recorded.map(({ id }) => id);
  await query('UPDATE dispute_withdrawals SET said_back = true WHERE id = ANY ($1)', [ids]);
  return recorded;
}

/**
 * Funds went out or came back: what was not sent in the name of what is back is voided, shares are brought to what is due, and what
 * a dispute took whose funds are back is paid again.
 */
export async function followFunds(
  query: Query,
  order: OrderId,
  recorded: readonly Recorded[],
): Promise<readonly MarketplaceItem[]> {
  const started: MarketplaceItem[] = [];
  for (const { id, what } of recorded) if (what === 'back') started.push(...(await restoreShares(query, order, id)));
  const newest = recorded.findLast(({ what }) => what !== 'back')?.id;
  started.push(...(await settleShares(query, order, newest)));
  started.push(...(await makeGood(query, order)));
  return started;
}
