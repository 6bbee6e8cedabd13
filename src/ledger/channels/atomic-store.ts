import { type AtomicChange, type AtomicStore, type ChannelId, parseChannelId } from '../../domain/channels/channel.js';
import type { Database } from '../database.js';
import { fromBigintJson, toBigintJson } from './bigint-json.js';
import { CHANNEL_COLUMNS, type ChannelRow, columnsOf, stateOf } from './channel-row.js';

type Query = Database['query'];

/**
 * The store of npm mppx on Postgres, for any number of servers: each key is one row, and a change holds its lock. Channels
 * (keys that are channel ids) live in `channels`, where the database itself refuses sums that do not add up; everything
 * else in `atomic_store`.
 */
export function createAtomicStore(database: Database): AtomicStore {
  async function update<Result>(key: string, change: (current: unknown) => AtomicChange<Result>): Promise<Result> {
    const place = placeOf(key);
    for (;;) {
      const outcome = await database.transaction(async (query) => {
        const current = await place.read(query, true);
        const wanted = change(current ?? null);
        if (wanted.op === 'delete' && current !== undefined) await place.remove(query);
        // Two that found nothing: the later one sees the row of the earlier and decides again.
        const written = wanted.op !== 'set' || (await place.write(query, wanted.value, current !== undefined));
        return written ? { result: wanted.result } : undefined;
      });
      if (outcome) return outcome.result;
    }
  }

  return {
    async get(key) {
      return (await placeOf(key).read(database.query, false)) ?? null;
    },
    async put(key, value) {
      await update(key, () => ({ op: 'set', value, result: undefined }));
    },
    async delete(key) {
      await placeOf(key).remove(database.query);
    },
    update,
    async tryClaim(key, expiresAtMs) {
      const rows = await database.query(
        `INSERT INTO atomic_store AS s (key, value, expires_at) VALUES ($1, $2, to_timestamp($3::double precision / 1000))
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at, updated_at = clock_now()
           WHERE s.expires_at <= clock_now() RETURNING 1`,
        [key, toBigintJson({ expires: expiresAtMs, type: 'mppx:replay' }), expiresAtMs],
      );
      return rows.length === 1;
    },
  };
}

interface Place {
  /** Undefined: there is nothing under this key. */
  read(query: Query, lock: boolean): Promise<unknown>;
  /** @returns false when somebody else wrote the key first */
  write(query: Query, value: unknown, exists: boolean): Promise<boolean>;
  remove(query: Query): Promise<void>;
}

function placeOf(key: string): Place {
  const channelId = parseChannelId(key);
  return channelId === undefined ? plainPlace(key) : channelPlace(channelId);
}

function plainPlace(key: string): Place {
  return {
    async read(query, lock) {
      const [row] = await query<{ value: string }>(
        `SELECT value FROM atomic_store WHERE key = $1 ${lock ? 'FOR UPDATE' : ''}`,
        [key],
      );
      return row && fromBigintJson(row.value);
    },
    async write(query, value, exists) {
      const rows = exists
        ? await query(
            'UPDATE atomic_store SET value = $2, expires_at = NULL, updated_at = clock_now() WHERE key = $1 RETURNING 1',
            [key, toBigintJson(value)],
          )
        : await query('INSERT INTO atomic_store (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1', [
            key,
            toBigintJson(value),
          ]);
      return rows.length === 1;
    },
    async remove(query) {
      await query('DELETE FROM atomic_store WHERE key = $1', [key]);
    },
  };
}

function channelPlace(id: ChannelId): Place {
  return {
    async read(query, lock) {
      const [row] = await query<ChannelRow & { [column: string]: unknown }>(
        `SELECT ${CHANNEL_COLUMNS} FROM channels WHERE channel_id = $1 ${lock ? 'FOR UPDATE' : ''}`,
        [id],
      );
      return row && stateOf(row);
    },
    write: (query, value, exists) => (exists ? writeState(query, id, value) : insertState(query, id, value)),
    async remove(query) {
      await query(
        'WITH gone AS (DELETE FROM channel_vouchers WHERE channel_id = $1) DELETE FROM channels WHERE channel_id = $1',
        [id],
      );
    },
  };
}

/** What was captured of a channel that is new to this ledger was earned before; nobody knows by what. */
async function insertState(query: Query, id: ChannelId, value: unknown): Promise<boolean> {
  const c = columnsOf(id, value);
  const rows = await query(
    `INSERT INTO channels (channel_id, state, chain_id, escrow, payer, payee, token, operator, deposit, accepted, spent,
       earned, settled, finalized, close_requested_at, next_check_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::numeric, $10, $11, $12::numeric, $12, $13,
       to_timestamp($14::double precision), CASE WHEN NOT $13 THEN clock_now() + interval '1 minute' END)
     ON CONFLICT DO NOTHING RETURNING 1`,
    [
      id,
      c.state,
      c.chainId,
      c.escrow,
      c.payer,
      c.payee,
      c.token,
      c.operator,
      c.deposit,
      c.accepted,
      c.spent,
      c.settled,
      c.finalized,
      c.closeSeconds,
    ],
  );
  return rows.length === 1;
}

/** The deposit of a closed channel is remembered, whatever the state says; one that has grown was topped up, which takes a close on chain back. */
async function writeState(query: Query, id: ChannelId, value: unknown): Promise<boolean> {
  const c = columnsOf(id, value);
  const rows = await query(
    `UPDATE channels SET state = $2, deposit = greatest(deposit, $3), accepted = $4, spent = $5, settled = $6,
       finalized = $7, close_requested_at = coalesce(close_requested_at, to_timestamp($8::double precision)),
       chain_close_at = CASE WHEN $3 > deposit THEN NULL ELSE chain_close_at END,
       chain_read_at = CASE WHEN $3 > deposit THEN clock_now() ELSE chain_read_at END
     WHERE channel_id = $1 RETURNING 1`,
    [id, c.state, c.deposit, c.accepted, c.spent, c.settled, c.finalized, c.closeSeconds],
  );
  return rows.length === 1;
}
