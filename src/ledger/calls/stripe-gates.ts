import type { Database } from '../database.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { type Query, recordEvent } from '../transition.js';

/** More are not started in a minute, and a statement that changes many more would not end in time. */
const MOST_AT_ONCE = 1_000;

/** One of an endpoint's tokens and one of all endpoints' together, this time. */
export interface Token {
  readonly number: number;
  readonly taken: string;
  readonly overallNumber: number;
  readonly overallTaken: string;
}

/** Requests a second: to one endpoint, and to all of them together. */
export interface TokenLimits {
  readonly perEndpoint: number;
  readonly overall: number;
}

export interface TakenToken {
  /** Undefined: all are out. */
  readonly token: Token | undefined;
  /** Until the request may be sent, or the next question makes sense. */
  readonly inMs: number;
}

type TokenRow = { token: number | null; taken: string; overall_token: number; overall_taken: string; in_ms: number };

const tokenOf = ({ token, taken, overall_token: overallNumber, overall_taken: overallTaken }: TokenRow) =>
  token === null ? undefined : { number: token, taken, overallNumber, overallTaken };

/** What stands before every request to Stripe: the budget, fair turns, parking, the pinned account, waits for a balance. */
export function createStripeGates(database: Database) {
  return {
    /** Milliseconds until this seller's next call should begin. */
    async takeTurn(sellerAccount: string, perSecond: number): Promise<number> {
      const [row] = await database.query<{ ms: number }>('SELECT take_seller_turn($1, $2) AS ms', [
        sellerAccount,
        perSecond,
      ]);
      return row?.ms ?? 0;
    },

    /**
     * One of the tokens of an endpoint that allows so many requests a second, with one of all endpoints together, by
     * Postgres' running clock; fewer where a person has set a lower rate. The commit is not waited for on disk, here and at the return: what a crash forgets is over
     * before Postgres is back.
     */
    async takeToken(endpoint: string, { perEndpoint, overall }: TokenLimits): Promise<TakenToken> {
      const [row] = await database.query<TokenRow>(
        `SELECT token, taken, overall_token, overall_taken,
             greatest(0, extract(epoch FROM send_at - clock_timestamp()) * 1000)::float8 AS in_ms
           FROM set_config('synchronous_commit', 'off', true),
             (SELECT coalesce((SELECT per_second FROM stripe_rate), $3::int) AS most) by_hand,
             take_stripe_token($1, least($2::int, by_hand.most), least($3::int, by_hand.most))`,
        [endpoint, perEndpoint, overall],
      );
      if (!row) throw new Error('take_stripe_token gave no answer');
      return { token: tokenOf(row), inMs: row.in_ms };
    },

    /** @param countedMs so long ago, at least, Stripe has counted the request; both tokens are free a second after that */
    async returnToken(endpoint: string, token: Token, countedMs: number): Promise<void> {
      await database.query(
        `SELECT return_stripe_token($1, $2, $3, $4, $5, $6) FROM set_config('synchronous_commit', 'off', true)`,
        [endpoint, token.number, token.taken, token.overallNumber, token.overallTaken, countedMs],
      );
    },

    /** The first use pins. @returns false: this key belongs to another account or mode */
    async pinStripeAccount(account: { accountId: string; livemode: boolean }): Promise<boolean> {
      await database.query('INSERT INTO stripe_account (account_id, livemode) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        account.accountId,
        account.livemode,
      ]);
      const [pinned] = await database.query<{ account_id: string; livemode: boolean }>(
        'SELECT account_id, livemode FROM stripe_account',
      );
      return pinned?.account_id === account.accountId && pinned.livemode === account.livemode;
    },

    async parkProvider(provider: string, detail: string): Promise<void> {
      await database.query('SELECT park_provider($1, $2)', [provider, detail]);
    },

    /** What was parked is due at once; the sweep starts it at the pace of turns. */
    async unparkProvider(provider: string): Promise<void> {
      await database.query(`SELECT note_provider($1, 'ok', NULL)`, [provider]);
      for (const table of ['seller_transfers', 'reversals']) {
        // Whoever holds a row now asks about the provider again by himself; what is left is due within a minute anyway.
        await database.query(
          `UPDATE ${table} SET next_check_at = clock_now() WHERE id IN (
             SELECT id FROM ${table} WHERE last_answer = 'parked' AND next_check_at > clock_now()
               AND attention_reason IS NULL ORDER BY next_check_at LIMIT ${MOST_AT_ONCE} FOR UPDATE SKIP LOCKED)`,
        );
      }
    },

    /** Wakes this seller's oldest waiting reversal: its balance has risen, or may have. */
    balanceRose: (sellerAccount: string): Promise<readonly MarketplaceItem[]> =>
      database.transaction(async (query) => {
        const gates = await query<{ currency: string }>(
          `UPDATE seller_gates SET probe_at = clock_now(), probe_every = ${FIRST_PROBE}
           WHERE (seller_account, currency) IN (SELECT seller_account, currency FROM seller_gates
             WHERE seller_account = $1 ORDER BY currency FOR UPDATE) RETURNING currency`,
          [sellerAccount],
        );
        const woken: MarketplaceItem[] = [];
        for (const { currency } of gates) woken.push(...(await wakeOldest(query, sellerAccount, currency)));
        if (woken.length > 0) await recordEvent(query, { kind: 'seller', id: sellerAccount, what: 'balance_rose' });
        return woken;
      }),
  };
}

export interface Parked {
  readonly provider: string;
  readonly afterMs: number;
  /** This caller asks, read-only, whether it is over. */
  readonly probe: boolean;
}

/** What a person has paused has no probe; whether it is resumed is asked this often, of Postgres alone. */
const ASK_AGAIN = `interval '1 minute'`;

/** Whether Stripe, or this seller at it, is parked. One caller at a time may probe. */
export async function parked(query: Query, sellerAccount: string): Promise<Parked | undefined> {
  const [row] = await query<{ provider: string; after_ms: number }>(
    `SELECT provider, (extract(epoch FROM least(probe_at, clock_now() + ${ASK_AGAIN}) - clock_now()) * 1000)::float8 AS after_ms
     FROM provider_breakers
     WHERE provider IN ('stripe', 'stripe:' || $1) AND state <> 'closed' ORDER BY provider LIMIT 1`,
    [sellerAccount],
  );
  if (!row) return undefined;
  if (row.after_ms > 0) return { provider: row.provider, afterMs: row.after_ms, probe: false };
  const taken = await query(
    `UPDATE provider_breakers SET state = 'half_open', probe_at = clock_now() + interval '30 seconds'
     WHERE provider = $1 AND state <> 'closed' AND probe_at <= clock_now() RETURNING provider`,
    [row.provider],
  );
  return { provider: row.provider, afterMs: 1_000, probe: taken.length === 1 };
}

const A_DAY_MS = 86_400_000;
/** A balance is asked about after a minute first, at most hourly later: `balance.available` comes sooner. */
const FIRST_PROBE = `interval '1 minute'`;
const LAST_PROBE = `interval '1 hour'`;

/**
 * Closes the seller's gate. The one that asked while it was closed keeps it closed for longer; calls that were on their way
 * before it closed say nothing new.
 */
export async function closeGate(
  query: Query,
  { sellerAccount, currency, probed }: { sellerAccount: string; currency: string; probed: boolean },
): Promise<void> {
  await query(
    `INSERT INTO seller_gates AS g (seller_account, currency, probe_at, probe_every)
     VALUES ($1, $2, clock_now() + ${FIRST_PROBE}, ${FIRST_PROBE})
     ON CONFLICT (seller_account, currency) DO UPDATE SET
       probe_every = CASE WHEN $3 THEN least(g.probe_every * 2, ${LAST_PROBE}) ELSE g.probe_every END,
       probe_at = CASE WHEN $3 THEN clock_now() + least(g.probe_every * 2, ${LAST_PROBE})
         ELSE greatest(g.probe_at, clock_now() + ${FIRST_PROBE}) END`,
    [sellerAccount, currency, probed],
  );
  await redateOldest(query, sellerAccount, currency);
}

const OLDEST = `SELECT id FROM reversals WHERE seller_account = $1 AND currency = $2 AND status = 'waiting_balance' AND debt_since IS NULL
  ORDER BY place LIMIT 1`;

/**
 * Only the oldest waiting reversal has a date; the others are found by it, and by a daily look. Whoever holds its row now
 * is about to ask for the gate and sees the new date there: waiting for him would be a deadlock. It belongs to another
 * order, so it is never written twice in one transaction: the second write would lock what it refers to.
 */
export async function redateOldest(query: Query, sellerAccount: string, currency: string): Promise<void> {
  await query(
    `UPDATE reversals r SET next_check_at = g.probe_at, next_retry_at = g.probe_at FROM seller_gates g
     WHERE g.seller_account = $1 AND g.currency = $2 AND r.next_check_at IS DISTINCT FROM g.probe_at
       AND r.id IN (SELECT id FROM reversals WHERE id = (${OLDEST}) FOR UPDATE SKIP LOCKED)`,
    [sellerAccount, currency],
  );
}

/** A probe succeeded, or money came: the next one is due now; where none waits any more, the gate opens. */
export async function wakeOldest(query: Query, sellerAccount: string, currency: string): Promise<MarketplaceItem[]> {
  const [oldest] = await query<{ id: string }>(OLDEST, [sellerAccount, currency]);
  if (oldest) {
    await query('UPDATE seller_gates SET probe_at = clock_now() WHERE seller_account = $1 AND currency = $2', [
      sellerAccount,
      currency,
    ]);
    await redateOldest(query, sellerAccount, currency);
    return [{ kind: 'reversal', id: oldest.id }];
  }
  await query('DELETE FROM seller_gates WHERE seller_account = $1 AND currency = $2', [sellerAccount, currency]);
  return [];
}

/**
 * Whether this reversal may ask Stripe although its seller's balance was too low: only the oldest of those that wait, with
 * itself, and only when a probe is due. @returns 0: it may; otherwise how long it waits
 */
export async function gateHoldsMs(
  query: Query,
  reversal: { id: string; sellerAccount: string; currency: string; holdMs: number },
): Promise<number> {
  const { id, sellerAccount, currency, holdMs } = reversal;
  const [gate] = await query<{ after_ms: number }>(
    `SELECT (extract(epoch FROM probe_at - clock_now()) * 1000)::float8 AS after_ms FROM seller_gates
     WHERE seller_account = $1 AND currency = $2 FOR UPDATE`,
    [sellerAccount, currency],
  );
  if (!gate) return 0;
  // Asked once the gate is held, by a statement of its own: whoever held it before may have changed who is the oldest.
  const [place] = await query<{ first: boolean | null }>(
    `SELECT (SELECT x.place <= w.place FROM reversals w WHERE w.id = (${OLDEST})) AS first FROM reversals x WHERE x.id = $3`,
    [sellerAccount, currency, id],
  );
  if (place?.first === null) {
    // Nobody waits any more: the gate is left from those who were given up.
    await query('DELETE FROM seller_gates WHERE seller_account = $1 AND currency = $2', [sellerAccount, currency]);
    return 0;
  }
  // The oldest wakes the next one; the others only look once a day.
  if (!place?.first) return A_DAY_MS;
  if (gate.after_ms > 0) return Math.max(gate.after_ms, 1_000);
  await query(
    `UPDATE seller_gates SET probe_at = clock_now() + $3 * interval '1 millisecond' WHERE seller_account = $1 AND currency = $2`,
    [sellerAccount, currency, holdMs],
  );
  return 0;
}
