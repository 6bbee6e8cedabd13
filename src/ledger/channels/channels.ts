import type { ChainState } from '../../domain/channels/chain-answers.js';
import type {
  AtomicStore,
  Channel,
  ChannelHints,
  ChannelId,
  ChannelTerms,
  FoundChannel,
  Voucher,
  VoucherStanding,
} from '../../domain/channels/channel.js';
import { isPublic } from '../../domain/channels/channel.js';
import type { Database } from '../database.js';
import type { Lease } from '../settlements/settlement-types.js';
import { CHANNEL_COLUMNS, type ChannelRow, channelOf, columnsOf, stateOf } from './channel-row.js';
import type { AnsweringVoucher, ChannelPayment, CloseOutcome, Judge, PayOutcome } from './channel-types.js';

type Query = Database['query'];
type Row = ChannelRow & { [column: string]: unknown };

export function createChannels(database: Database) {
  return {
    /** The channel that a request could be paid from, if it is still open on these terms; the newest where several are. */
    async findReusableChannel(hints: ChannelHints, terms: ChannelTerms): Promise<FoundChannel | undefined> {
      const { channelId = null, payer = null, identity = null } = hints;
      const [row] = await database.query<Row & { voucher_used: boolean }>(
        `SELECT ${CHANNEL_COLUMNS}, EXISTS (SELECT 1 FROM channel_vouchers v WHERE v.channel_id = channels.channel_id
             AND v.cumulative = channels.accepted AND v.request_id IS NOT NULL) AS voucher_used
         FROM channels
         WHERE (channel_id = $1 OR ($1 IS NULL AND identity = $2) OR ($1 IS NULL AND $2 IS NULL AND payer = $3))
           AND chain_id = $4 AND escrow = $5 AND payee = $6 AND token = $7
           AND NOT finalized AND close_requested_at IS NULL
         ORDER BY updated_at DESC LIMIT 1`,
        [channelId, identity, payer?.toLowerCase() ?? null, terms.chainId, terms.escrow, terms.payee, terms.token],
      );
      return row && { channel: channelOf(row), voucherUsed: row.voucher_used };
    },

    async findChannel(id: ChannelId): Promise<Channel | undefined> {
      const [row] = await database.query<Row>(`SELECT ${CHANNEL_COLUMNS} FROM channels WHERE channel_id = $1`, [id]);
      return row && channelOf(row);
    },

    /** How a voucher finds its channel, as of now: nothing is locked, so only what never changes back may be judged by it. */
    async standingOf({ channelId, cumulative, challengeId }: AnsweringVoucher): Promise<VoucherStanding | undefined> {
      const [row] = await database.query<Row & { used: boolean; own: boolean }>(
        `SELECT ${CHANNEL_COLUMNS},
           EXISTS (SELECT 1 FROM channel_vouchers v WHERE v.channel_id = channels.channel_id
             AND v.cumulative = $2 AND v.request_id IS NOT NULL) AS used,
           EXISTS (SELECT 1 FROM channel_vouchers v WHERE v.channel_id = channels.channel_id AND v.challenge_id = $3) AS own
         FROM channels WHERE channel_id = $1`,
        [channelId, cumulative.toString(), challengeId],
      );
      return row && { channel: channelOf(row), used: row.used, answersOwnChallenge: row.own };
    },

    /**
     * Accepts a voucher and reserves what the response may cost, in one transaction that holds the channel: requests on
     * one channel, whichever servers they reach, are counted one after the other, and none is served beyond what was
     * signed. Each voucher pays for one response; one that arrives after a higher one still does, if it was never used.
     */
    payFromChannel(payment: ChannelPayment, judge: Judge): Promise<PayOutcome> {
      return database.transaction((query) => pay(query, payment, judge));
    },

    /**
     * Makes the payer's close durable: from here on nothing is paid from the channel. Whoever calls this opens
     * the capture that closes it at once; what is missed the sweep opens.
     * @param proven it is the payer who closes, and not somebody who read the voucher on chain
     */
    requestClose(voucher: Voucher, proven: boolean, judge: Judge): Promise<CloseOutcome> {
      return database.transaction((query) => close(query, { voucher, proven }, judge));
    },

    /**
     * What the chain says now; amounts never shrink, because an answer may come late. A channel that is gone there while it
     * still owes us something is closed here like one whose payer asks for it: its capture finds out what became of it, and
     * no grace is left to wait for. A close that was asked for on chain is taken back by a top-up alone, which a deposit shows
     * that has grown since: an answer that comes late never opens the channel again.
     */
    async recordChainState(id: ChannelId, chain: ChainState): Promise<void> {
      await database.query(
        `UPDATE channels SET deposit = greatest(deposit, $2), settled = least(greatest(settled, $3), greatest(deposit, $2)),
           chain_close_at = CASE WHEN $2 = 0 THEN coalesce(chain_close_at, clock_now() - interval '15 minutes')
             WHEN $4::double precision IS NOT NULL THEN to_timestamp($4 / 1000)
             WHEN $2 > deposit THEN NULL ELSE chain_close_at END,
           next_check_at = CASE WHEN chain_close_at IS NULL AND ($4 IS NOT NULL OR $2 = 0) AND NOT finalized
             THEN clock_now() ELSE next_check_at END,
           finalized = finalized OR ($2 = 0 AND spent <= greatest(settled, $3)), chain_read_at = clock_now()
         WHERE channel_id = $1`,
        [id, chain.deposit.toString(), chain.settled.toString(), chain.closeRequestedAtMs],
      );
    },
  };
}

async function locked(query: Query, id: ChannelId): Promise<Row | undefined> {
  const [row] = await query<Row>(`SELECT ${CHANNEL_COLUMNS} FROM channels WHERE channel_id = $1 FOR UPDATE`, [id]);
  return row;
}

async function pay(query: Query, payment: ChannelPayment, judge: Judge): Promise<PayOutcome> {
  const { voucher, reservation } = payment;
  const row = await locked(query, voucher.channelId);
  if (row === undefined) return { kind: 'unknown_channel' };
  const channel = channelOf(row);
  if (channel.finalized || channel.closing) return { kind: 'gone', channel };
  if (channel.chainAgeMs > payment.oldestChainReadMs) return { kind: 'stale', channel };
  // Read after the lock was given, so that it shows what the transaction before this one did.
  const presented = await presentedVoucher(query, voucher);
  if (reservation && presented?.used) return { kind: 'voucher_used', channel };
  if (reservation && !(await leaseHolds(query, reservation.lease))) return { kind: 'lease_lost' };
  const forMs = reservation ? await noRoomForMs(query, channel.payer, reservation.releasedLimit) : null;
  if (forMs !== null) return { kind: 'limited', forMs };

  const store = oneChannelStore(row, presented === undefined && voucher.cumulative < channel.accepted);
  const refusal = await judge(store);
  if (refusal !== undefined) return { kind: 'refused', refusal, channel };
  const accepted = voucher.cumulative > channel.accepted ? voucher.cumulative : channel.accepted;
  const amount = reservation?.amount ?? 0n;
  if (accepted - channel.spent < amount) return { kind: 'insufficient', channel };

  await writeAccepted(query, { ...payment, row, store, accepted });
  const after = await locked(query, voucher.channelId);
  if (after === undefined) throw new Error(`channel ${voucher.channelId} vanished while it was held`);
  return { kind: 'paid', channel: channelOf(after) };
}

interface Accepted extends ChannelPayment {
  readonly row: Row;
  readonly store: OneChannelStore;
  readonly accepted: bigint;
}

async function writeAccepted(
  query: Query,
  { row, store, accepted, identity, voucher, reservation }: Accepted,
): Promise<void> {
  const judged = columnsOf(voucher.channelId, store.state(reservation === null ? 0 : 1));
  // Whoever shows a public voucher may be anybody: who owns the channel is not learnt from it, nor what its payer was asked.
  const anybodys = isPublic(voucher.cumulative, channelOf(row));
  await query(
    `UPDATE channels SET state = $2, accepted = $3, identity = coalesce($4, identity),
       next_check_at = least(next_check_at, clock_now() + interval '1 minute') WHERE channel_id = $1`,
    [row.channel_id, judged.state, accepted.toString(), anybodys ? null : identity],
  );
  await query(
    `INSERT INTO channel_vouchers AS v (channel_id, cumulative, signature, request_id, challenge_id) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (channel_id, cumulative) DO UPDATE SET request_id = coalesce(v.request_id, excluded.request_id),
       challenge_id = coalesce(excluded.challenge_id, v.challenge_id)`,
    [
      row.channel_id,
      voucher.cumulative.toString(),
      voucher.signature,
      reservation?.id ?? null,
      anybodys ? null : voucher.challengeId,
    ],
  );
  if (reservation === null) return;
  await query(
    `INSERT INTO channel_requests (id, channel_id, payer, route, reserved, status, lease_id, epoch, close_token, deadline)
     VALUES ($1, $2, $9, $3, $4, 'reserved', $5, $6, $7, clock_now() + $8 * interval '1 millisecond')`,
    [
      reservation.id,
      row.channel_id,
      reservation.route,
      reservation.amount.toString(),
      reservation.lease.id,
      reservation.lease.epoch,
      reservation.closeToken,
      reservation.longestMs,
      row.payer,
    ],
  );
}

interface Closing {
  readonly voucher: Voucher;
  readonly proven: boolean;
}

async function close(query: Query, { voucher, proven }: Closing, judge: Judge): Promise<CloseOutcome> {
  const row = await locked(query, voucher.channelId);
  if (row === undefined) return { kind: 'unknown_channel' };
  const channel = channelOf(row);
  if (row.close_signature === voucher.signature) return { kind: 'closing', channel, again: true };
  if (channel.finalized || channel.closing) return { kind: 'gone', channel };
  if (!proven) return { kind: 'unproven', channel };
  const refusal = await judge(oneChannelStore(row, false));
  if (refusal !== undefined) return { kind: 'refused', refusal, channel };
  await query(
    `UPDATE channels SET close_requested_at = clock_now(), close_cumulative = $2, close_signature = $3,
       next_check_at = clock_now() WHERE channel_id = $1`,
    [row.channel_id, voucher.cumulative.toString(), voucher.signature],
  );
  return { kind: 'closing', channel: { ...channel, closing: true }, again: false };
}

async function presentedVoucher(
  query: Query,
  { channelId, cumulative }: Voucher,
): Promise<{ used: boolean } | undefined> {
  const [row] = await query<{ used: boolean }>(
    'SELECT request_id IS NOT NULL AS used FROM channel_vouchers WHERE channel_id = $1 AND cumulative = $2',
    [channelId, cumulative.toString()],
  );
  return row;
}

/** For so long no answer that may cost this payer nothing is begun; null: there is room. */
async function noRoomForMs(query: Query, payer: string, limit: number): Promise<number | null> {
  const [row] = await query<{ for_ms: number | null }>(
    'SELECT (extract(epoch FROM free_answers_full_for($1, $2)) * 1000)::float8 AS for_ms',
    [payer, limit],
  );
  return row?.for_ms ?? null;
}

async function leaseHolds(query: Query, lease: Lease): Promise<boolean> {
  const rows = await query(
    'SELECT 1 FROM server_leases WHERE id = $1 AND epoch = $2 AND ended_at IS NULL AND lapses_at > clock_now()',
    [lease.id, lease.epoch],
  );
  return rows.length === 1;
}

interface OneChannelStore extends AtomicStore {
  /** What to keep, with so many more units. */
  state(units: number): unknown;
}

/**
 * The store as a verification sees it while the channel's row is held: this one channel, in memory.
 * @param late the voucher is lower than the highest and was never presented: it is judged as if it had come first
 */
function oneChannelStore(row: ChannelRow, late: boolean): OneChannelStore {
  const held = stateOf(row);
  let current: unknown = late ? { ...held, highestVoucherAmount: 0n, highestVoucher: null } : held;
  const mine = (key: string) => key.toLowerCase() === row.channel_id;
  return {
    get: (key) => Promise.resolve(mine(key) ? current : null),
    put: (key) => Promise.reject(new Error(`a verification may not write ${key}`)),
    delete: (key) => Promise.reject(new Error(`a verification may not delete ${key}`)),
    tryClaim: () => Promise.resolve(true),
    update(key, change) {
      const wanted = change(mine(key) ? current : null);
      if (wanted.op === 'set' && mine(key)) current = wanted.value;
      return Promise.resolve(wanted.result);
    },
    state(more) {
      const judged = late ? held : (current as Record<string, unknown>);
      return { ...judged, units: (typeof held['units'] === 'number' ? held['units'] : 0) + more };
    },
  };
}
