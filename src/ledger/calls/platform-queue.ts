import { surelyUnmoved } from '../../domain/calls/certainty.js';
import type { TransferId } from '../../domain/ids.js';
import { isWaiting } from '../../domain/marketplace/marketplace-status.js';
import { DEFAULT_OFFSET_RULES, type OffsetRules } from '../../domain/marketplace/offsets.js';
import { thatFit } from '../../domain/marketplace/platform-queue.js';
import type { Database } from '../database.js';
import { leastSent, reopenOffsets } from '../marketplace/debt-offsets.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { questionedPayment } from '../marketplace/order-status.js';
import { lockSharesOf } from '../marketplace/seller-shares.js';
import { type Query, recordEventOfEach } from '../transition.js';
import type { ClaimRefusal } from './claim-refusals.js';
import { lookAgain } from './stripe-calls.js';
import { type LockedTransfer, lockTransfer, needsNoBalance, sourceOf } from './transfer-row.js';
import {
  A_DAY_MS,
  ASKED_EVERY,
  askNow,
  dateOldest,
  MOST_AT_ONCE,
  oldestIn,
  startWaiting,
} from './waiting-transfers.js';

const STATUS = 'waiting_platform_balance' as const;
/** For so long one that was let go has its place in what was shown; then it is judged again. */
const ADMITTED_FOR = `interval '10 minutes'`;
/** Whoever comes to wait has the balance read, but not more often than this. */
const READ_AGAIN = `interval '1 minute'`;
const SOON = `least(read_next_at, greatest(clock_now(), read_at + ${READ_AGAIN}))`;

interface GateRow {
  [column: string]: unknown;
  currency: string;
  doubted: boolean;
  due_ms: number;
}

const GATE = `SELECT currency, doubted, (extract(epoch FROM read_next_at - clock_now()) * 1000)::float8 AS due_ms FROM platform_gates`;

/** Transfers that wait for the platform's own balance at Stripe, by currency. */
export function createPlatformQueue(database: Database, rules = DEFAULT_OFFSET_RULES) {
  return {
    /**
     * The last question before a permit: others may wait for the same balance, and then this one waits with them. What is drawn from
     * a charge needs no balance, and what may have moved is never made to wait.
     * @returns why it waits, with its claim given back; undefined: it may go
     */
    admitTransfer: (id: TransferId, runner: string): Promise<{ afterMs: number; why: string } | undefined> =>
      database.transaction(async (query) => {
        await lockSharesOf(query, 'seller_transfers', id);
        const row = await lockTransfer(query, id);
        if (row.runner !== runner || row.admitted || !surelyUnmoved(row.certainty)) return undefined;
        if (sourceOf(row).kind === 'charge' || !(await isGated(query, row.currency))) return undefined;
        await query(`UPDATE platform_gates SET read_next_at = ${SOON} WHERE currency = $1 AND NOT doubted`, [
          row.currency,
        ]);
        await reopenOffsets(query, id, 'others wait for the same balance');
        await startWaiting(query, row, STATUS, 'others wait for the same balance');
        const [gate] = await query<GateRow>(`${GATE} WHERE currency = $1`, [row.currency]);
        return { afterMs: Math.max(gate?.due_ms ?? 0, 1_000), why: WAITS };
      }),

    /** Whether anybody waits, so that the balance is worth a read. */
    async waitsForBalance(): Promise<boolean> {
      const rows = await database.query('SELECT 1 FROM platform_gates LIMIT 1');
      return rows.length > 0;
    },

    /**
     * Lets go what fits into what Stripe shows, the oldest first, and notes what is missing for the rest. What a seller owes is kept of
     * his, and what is kept needs no balance.
     * @param available by currency; what is not named is nothing
     * @param told Stripe has told of money, so that a refusal of before says nothing any more
     * @returns what to start
     */
    balanceShows: (available: ReadonlyMap<string, bigint>, told: boolean): Promise<readonly MarketplaceItem[]> =>
      database.transaction(async (query) => {
        const gates = await query<GateRow>(`${GATE} ORDER BY currency FOR UPDATE`);
        const started: MarketplaceItem[] = [];
        for (const gate of gates) {
          const shown = available.get(gate.currency) ?? 0n;
          started.push(...(await admit(query, { gate, shown, doubted: gate.doubted && !told, rules })));
        }
        return started;
      }),

    /** Stripe did not say. */
    async balanceUnread(): Promise<void> {
      await database.transaction(async (query) => {
        const gates = await query<GateRow>(`${GATE} ORDER BY currency FOR UPDATE`);
        for (const { currency } of gates) {
          await query(
            `UPDATE platform_gates SET read_next_at = least(read_next_at, clock_now() + ${READ_AGAIN}) WHERE currency = $1`,
            [currency],
          );
          await dateOldest(query, inQueue(currency), STATUS);
        }
      });
    },
  };
}

const WAITS = "waits for the platform's balance";

const inQueue = (currency: string) => ({ id: '', status: STATUS, currency, seller_account: '' });

/** The gate of those who were all sent, cancelled or given up opens by itself. */
async function isGated(query: Query, currency: string): Promise<boolean> {
  const [gate] = await query(`${GATE} WHERE currency = $1 FOR UPDATE`, [currency]);
  if (!gate) return false;
  const [waiting] = await query(
    `SELECT 1 FROM seller_transfers WHERE status = '${STATUS}' AND currency = $1 AND attention_reason IS NULL LIMIT 1`,
    [currency],
  );
  if (waiting) return true;
  await query('DELETE FROM platform_gates WHERE currency = $1', [currency]);
  return false;
}

interface Admission {
  readonly gate: GateRow;
  readonly shown: bigint;
  readonly doubted: boolean;
  readonly rules: OffsetRules;
}

async function admit(
  query: Query,
  { gate: { currency }, shown, doubted, rules }: Admission,
): Promise<MarketplaceItem[]> {
  if (!(await isGated(query, currency))) return [];
  const free = shown - (await spokenFor(query, currency));
  const left = free > 0n ? free : 0n;
  const rows = await query<{ id: string; amount: string }>(
    `SELECT x.id, n.amount FROM seller_transfers x JOIN (${leastSent(WAITING, currency, rules)}) n ON n.id = x.id
     WHERE ${WAITING} AND n.amount <= $2
     ORDER BY ${doubted ? LEAST_TRIED : 'x.id'} LIMIT ${MOST_AT_ONCE} FOR UPDATE OF x SKIP LOCKED`,
    [currency, left.toString()],
  );
  const waiting = rows.map(({ id, amount }) => ({ id, amount: BigInt(amount) }));
  // A balance that is doubted says nothing of what needs none.
  const whollyKept = waiting.filter(({ amount }) => amount === 0n);
  const others = waiting.filter(({ amount }) => amount > 0n);
  const chosen = [...whollyKept, ...thatFit(others, left, doubted ? 1 : MOST_AT_ONCE - whollyKept.length)];
  await query(
    `UPDATE seller_transfers SET admitted_until = clock_now() + ${ADMITTED_FOR}, next_retry_at = NULL, next_check_at = clock_now()
     WHERE id = ANY ($1)`,
    [chosen.map(({ id }) => id)],
  );
  await query(
    `UPDATE platform_gates SET available = $2, read_at = clock_now(), read_next_at = clock_now() + ${ASKED_EVERY}, doubted = $3
     WHERE currency = $1`,
    [currency, shown.toString(), doubted],
  );
  await dateOldest(query, inQueue(currency), STATUS);
  const ids = chosen.map(({ id }) => id);
  await recordEventOfEach(
    query,
    { kind: 'transfer', what: 'balance_suffices', detail: { available: `${shown}` } },
    ids,
  );
  return ids.map((id) => ({ kind: 'transfer', id }));
}

/** Whoever waits for something else as well would take the place of those behind it, again and again. */
const MAY_GO = `NOT EXISTS (SELECT 1 FROM provider_breakers b WHERE b.provider = 'stripe:' || x.seller_account AND b.state <> 'closed')
  AND NOT EXISTS (${questionedPayment('x.order_id')})`;
/** Of `seller_transfers x`: in the queue of the currency `$1`, and to be let go as soon as it fits. */
const WAITING = `x.status = '${STATUS}' AND x.currency = $1 AND x.attention_reason IS NULL AND x.runner IS NULL
  AND coalesce(x.admitted_until <= clock_now(), true) AND ${MAY_GO}`;
/** What was refused although it fitted says nothing of smaller ones: where one alone tries, it is another one each time. */
const LEAST_TRIED = 'x.attempts, n.amount, x.id';

/** What was let go and is not answered, and what is on its way now: Stripe may not have counted it yet. */
async function spokenFor(query: Query, currency: string): Promise<bigint> {
  const [sum] = await query<{ amount: string }>(
    `SELECT coalesce(sum(amount), 0) AS amount FROM seller_transfers
     WHERE currency = $1 AND completed_at IS NULL AND next_check_at IS NOT NULL
       AND (admitted_until > clock_now() OR (runner_until > clock_now() AND certainty IN ('in_flight', 'unknown')
         AND NOT coalesce(params::jsonb ? 'source_transaction', false)))`,
    [currency],
  );
  return BigInt(sum?.amount ?? 0);
}

/** Why one that waits is not sent now; undefined: it may be, or it waits for something else. */
export async function balanceRefusal(query: Query, row: LockedTransfer): Promise<ClaimRefusal | undefined> {
  if (row.status !== STATUS || row.admitted || needsNoBalance(row)) return undefined;
  const [gate] = await query<GateRow>(`${GATE} WHERE currency = $1 FOR UPDATE`, [row.currency]);
  if (!gate) return undefined;
  if (gate.due_ms <= 0) {
    await query(`UPDATE platform_gates SET read_next_at = clock_now() + ${ASKED_EVERY} WHERE currency = $1`, [
      row.currency,
    ]);
    return { kind: 'read', of: 'platform_balance', sellerAccount: row.seller_account };
  }
  const [oldest] = await query<{ id: string }>(oldestIn(STATUS), [row.currency]);
  const afterMs = oldest?.id === row.id ? gate.due_ms : A_DAY_MS;
  await lookAgain(query, 'seller_transfers', row.id, afterMs);
  return { kind: 'waiting', afterMs, why: WAITS };
}

/**
 * Stripe has refused it for want of a balance. Where the balance had been shown to be enough, nothing else goes on that picture:
 * one at a time then, an hour later or when Stripe tells of money.
 */
export async function waitForBalance(query: Query, row: LockedTransfer, detail: string): Promise<void> {
  await query(
    `INSERT INTO platform_gates AS g (currency, read_next_at, doubted) VALUES ($1, clock_now(), false)
     ON CONFLICT (currency) DO UPDATE SET doubted = g.doubted OR $2,
       read_next_at = CASE WHEN $2 THEN clock_now() + ${ASKED_EVERY} ELSE g.read_next_at END`,
    [row.currency, row.was_admitted],
  );
  await startWaiting(query, row, STATUS, detail);
  // None of them twice: that would wait for its order, whose holder may wait for it.
  if (row.was_admitted)
    await query(
      `UPDATE seller_transfers x SET admitted_until = NULL, next_retry_at = NULL, next_check_at =
         CASE WHEN x.id = (${oldestIn(STATUS)}) THEN g.read_next_at ELSE clock_now() + interval '1 day' END
       FROM platform_gates g WHERE g.currency = $1 AND x.id IN (
         SELECT id FROM seller_transfers WHERE status = '${STATUS}' AND currency = $1 AND admitted_until > clock_now() AND id <> $2
         ORDER BY id FOR UPDATE SKIP LOCKED)`,
      [row.currency, row.id],
    );
}

/** The balance is read anew, a minute after the last time at the earliest, so that many who ask are no burst. */
export async function askSoon(query: Query, currency: string): Promise<void> {
  await query(`UPDATE platform_gates SET read_next_at = ${SOON} WHERE currency = $1`, [currency]);
}

/**
 * One that was let go is not sent now: what it would have taken may do for others, who are looked at soon. Called before the wait
 * of a row ends, which dates the next one.
 */
export async function leavePlace(query: Query, row: LockedTransfer): Promise<void> {
  if (!row.was_admitted) return;
  await query('UPDATE seller_transfers SET admitted_until = NULL WHERE id = $1', [row.id]);
  await askSoon(query, row.currency);
  if (!isWaiting(row.status)) await dateOldest(query, row, STATUS);
}

/** One that was let go has been sent: the next picture is worth a read once all of them are answered. @returns what to start */
export async function balanceSufficed(query: Query, row: LockedTransfer): Promise<MarketplaceItem[]> {
  if (!row.was_admitted) return [];
  await query('UPDATE seller_transfers SET admitted_until = NULL WHERE id = $1', [row.id]);
  if (!(await isGated(query, row.currency))) return [];
  await query('UPDATE platform_gates SET doubted = false WHERE currency = $1', [row.currency]);
  const [other] = await query(
    `SELECT 1 FROM seller_transfers WHERE currency = $1 AND completed_at IS NULL AND next_check_at IS NOT NULL
       AND admitted_until > clock_now() LIMIT 1`,
    [row.currency],
  );
  return other ? [] : await askNow(query, row, STATUS);
}
