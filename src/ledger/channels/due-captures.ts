import { type CaptureFacts, type CapturePolicy, type ChannelId, captureDue } from '../../domain/channels/channel.js';
import type { Database } from '../database.js';
import type { createCaptures, OpenCaptureOutcome } from './captures.js';
import { CHANNEL_COLUMNS, type ChannelRow, channelOf } from './channel-row.js';

interface FactsRow extends ChannelRow {
  [column: string]: unknown;
  reserved_requests: string;
  covered_cumulative: string | null;
  covered_signature: string | null;
  close_cumulative: string | null;
  unsettled_ms: string | null;
  chain_close_ms: string | null;
}

const FACTS = `${CHANNEL_COLUMNS}, close_cumulative,
  floor(extract(epoch FROM clock_now() - unsettled_since) * 1000)::bigint AS unsettled_ms,
  floor(extract(epoch FROM clock_now() - chain_close_at) * 1000)::bigint AS chain_close_ms,
  (SELECT count(*) FROM channel_requests r WHERE r.channel_id = channels.channel_id AND r.status = 'reserved') AS reserved_requests,
  covered.cumulative AS covered_cumulative, covered.signature AS covered_signature`;

const COVERED = `LEFT JOIN LATERAL (SELECT v.cumulative, v.signature FROM channel_vouchers v
  WHERE v.channel_id = channels.channel_id AND v.cumulative <= channels.earned ORDER BY v.cumulative DESC LIMIT 1) covered ON true`;

export type CaptureOutcome =
  | OpenCaptureOutcome
  | { readonly kind: 'not_due'; readonly facts: CaptureFacts | undefined };

async function readFacts(query: Database['query'], id: ChannelId): Promise<CaptureFacts | undefined> {
  const [row] = await query<FactsRow>(`SELECT ${FACTS} FROM channels ${COVERED} WHERE channels.channel_id = $1`, [id]);
  return row && factsOf(row);
}

export function createDueCaptures(database: Database, openCapture: ReturnType<typeof createCaptures>) {
  return {
    /** Channels that are to be looked at, the longest waiting first. */
    async channelsToLookAt(limit: number): Promise<CaptureFacts[]> {
      const rows = await database.query<FactsRow>(
        `SELECT ${FACTS} FROM channels ${COVERED} WHERE channels.next_check_at <= clock_now()
         ORDER BY channels.next_check_at LIMIT $1`,
        [limit],
      );
      return rows.map(factsOf);
    },

    /**
     * Channels of which something could be lost on chain and that were not read for a while, longest first: what owes us, what
     * is still being served, and what is closing, whose payer may hurry it there, or take it back. Each is given out
     * once and not again within a minute, so that one whose read comes to nothing never stands before the others.
     */
    async channelsToRead(limit: number): Promise<ChannelId[]> {
      const rows = await database.query<{ channel_id: ChannelId }>(
        `UPDATE channels SET chain_asked_at = clock_now() WHERE channel_id IN (
           SELECT channel_id FROM channels
           WHERE NOT finalized AND (earned > settled OR spent > earned OR close_requested_at IS NOT NULL)
             AND chain_read_at <= clock_now() - CASE WHEN close_requested_at IS NULL THEN interval '5 minutes' ELSE interval '1 minute' END
             AND (chain_asked_at IS NULL OR chain_asked_at <= clock_now() - interval '1 minute')
           ORDER BY chain_read_at LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING channel_id`,
        [limit],
      );
      return rows.map(({ channel_id }) => channel_id);
    },

    /** Opens the capture that is due now, if one is; the channel is held, so that its amount is right when it is frozen. */
    captureWhenDue(id: ChannelId, policy: CapturePolicy): Promise<CaptureOutcome> {
      return database.transaction(async (query): Promise<CaptureOutcome> => {
        await query('SELECT 1 FROM channels WHERE channel_id = $1 FOR UPDATE', [id]);
        const facts = await readFacts(query, id);
        const capture = facts && captureDue(facts, policy);
        return capture ? openCapture(query, capture) : { kind: 'not_due', facts };
      });
    },

    /** Looked at: the next look is so much later, unless somebody has moved it nearer since the facts were read. */
    async lookAgainIn(id: ChannelId, ms: number): Promise<void> {
      await database.query(
        `UPDATE channels SET next_check_at = clock_now() + $2 * interval '1 millisecond'
         WHERE channel_id = $1 AND NOT finalized AND next_check_at <= clock_now()`,
        [id, ms],
      );
    },

    /** Vouchers below what is captured can pay for nothing and capture nothing; claims past their time bar nobody. */
    async pruneChannels(limit: number): Promise<number> {
      const vouchers = await database.query(
        `DELETE FROM channel_vouchers WHERE (channel_id, cumulative) IN (
           SELECT v.channel_id, v.cumulative FROM channels c JOIN channel_vouchers v USING (channel_id)
           WHERE v.cumulative <= c.settled AND v.cumulative < c.accepted LIMIT $1) RETURNING 1`,
        [limit],
      );
      const claims = await database.query(
        `DELETE FROM atomic_store WHERE key IN (SELECT key FROM atomic_store WHERE expires_at <= clock_now() LIMIT $1)
         RETURNING 1`,
        [limit],
      );
      return vouchers.length + claims.length;
    },
  };
}

function factsOf(row: FactsRow): CaptureFacts {
  return {
    channel: channelOf(row),
    reservedRequests: Number(row.reserved_requests),
    coveredVoucher: voucherOf(row.covered_cumulative, row.covered_signature),
    closeVoucher: voucherOf(row.close_cumulative, row.close_signature),
    chainCloseForMs: row.chain_close_ms === null ? null : Number(row.chain_close_ms),
    unsettledForMs: row.unsettled_ms === null ? null : Number(row.unsettled_ms),
  };
}

const voucherOf = (cumulative: string | null, signature: string | null) =>
  cumulative === null || signature === null ? null : { cumulative: BigInt(cumulative), signature };
