import type { ChannelId } from '../../domain/channels/channel.js';
import type { SettlementId } from '../../domain/ids.js';
import type { Delivery } from '../../domain/settlements/settlement-status.js';
import { type CloseState, closeStateIn } from '../close-state.js';
import type { Database } from '../database.js';
import type { ChangeOutcome, SessionChange } from '../settlements/settlement-types.js';

/**
 * The rows of one commit are taken channel by channel and in the order of their ids, so that two servers that close
 * requests on the same channels never wait for each other in a circle. The trigger moves the channels.
 */
const COMMIT = `
  WITH input AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::numeric[], $6::text[], $7::text[],
        $8::text[])
      AS t (id, lease, epoch, token, spent, by, delivery, released_by)
  ), mine AS (
    SELECT i.* FROM channel_requests r
      JOIN input i USING (id)
      JOIN server_leases l ON l.id = r.lease_id AND l.epoch = r.epoch
    WHERE r.status = 'reserved' AND r.close_token = i.token AND r.lease_id = i.lease AND r.epoch = i.epoch
      AND r.spent <= i.spent
    ORDER BY r.id FOR UPDATE OF r
  )
  UPDATE channel_requests r SET spent = m.spent,
    status = CASE WHEN m.by IS NULL THEN r.status WHEN m.spent > 0 THEN 'charged' ELSE 'released' END,
    delivery = CASE WHEN m.by IS NOT NULL AND m.spent > 0 THEN m.delivery END,
    closed_at = CASE WHEN m.by IS NOT NULL THEN clock_now() END, closed_by = m.by, released_by = m.released_by
  FROM mine m WHERE r.id = m.id AND r.status = 'reserved' RETURNING r.id`;

/** How a request ends whose own server does not end it: what was durable is earned, the rest of its reservation is given back. */
const ENDED_BY_SWEEP = `status = CASE WHEN spent > 0 THEN 'charged' ELSE 'released' END,
  delivery = CASE WHEN spent > 0 THEN 'unknown' END, closed_at = clock_now(), closed_by = 'sweep'`;

export interface AbandonedRequest {
  readonly id: SettlementId;
  readonly channelId: ChannelId;
  /** What was durable when its server was last heard of. */
  readonly spent: string;
}

export function createChannelRequests(database: Database) {
  return {
    /** As `commitSessions`, for requests that a channel pays for. @throws when it is not known whether it was committed */
    async commitChannelRequests(changes: readonly SessionChange[]): Promise<ChangeOutcome[]> {
      const of = <T>(read: (change: SessionChange) => T) => changes.map(read);
      const committed = await database.transaction(async (query) => {
        await query(
          `SELECT 1 FROM channels WHERE channel_id IN (SELECT channel_id FROM channel_requests WHERE id = ANY ($1))
           ORDER BY channel_id FOR UPDATE`,
          [of((change) => change.id)],
        );
        return query<{ id: SettlementId }>(COMMIT, [
          of((change) => change.id),
          of((change) => change.lease.id),
          of((change) => change.lease.epoch),
          of((change) => change.closeToken),
          of((change) => change.spent),
          of((change) => (change.kind === 'close' ? change.by : null)),
          of((change) => (change.kind === 'close' ? change.delivery : null)),
          of((change) => (change.kind === 'close' ? (change.releasedBy ?? null) : null)),
        ]);
      });
      const ids = new Set(committed.map((row) => row.id));
      return changes.map((change) => (ids.has(change.id) ? 'committed' : 'lost'));
    },

    /** As `closeState`. */
    channelRequestState: (id: SettlementId, closeToken: string): Promise<CloseState> =>
      closeStateIn(database, 'channel_requests', { id, closeToken }),

    /** As `giveUpSessions`: the next sweep closes what is still open, at its last durable amount. */
    async giveUpChannelRequests(requests: readonly { id: SettlementId; closeToken: string }[]): Promise<void> {
      await database.query(
        `UPDATE channel_requests r SET deadline = least(r.deadline, clock_now() - interval '1 minute')
         FROM unnest($1::uuid[], $2::uuid[]) AS g (id, token)
         WHERE r.id = g.id AND r.close_token = g.token AND r.status = 'reserved'`,
        [requests.map((request) => request.id), requests.map((request) => request.closeToken)],
      );
    },

    async recordChannelDeliveries(deliveries: readonly { id: SettlementId; delivery: Delivery }[]): Promise<void> {
      await database.query(
        `UPDATE channel_requests r SET delivery = d.delivery
         FROM unnest($1::uuid[], $2::text[]) AS d (id, delivery) WHERE r.id = d.id AND r.delivery = 'unknown'`,
        [deliveries.map((entry) => entry.id), deliveries.map((entry) => entry.delivery)],
      );
    },

    /** Reservations whose server is dead, or that are past their deadline; call it after the lapsed leases were ended. */
    async abandonedRequests(limit: number): Promise<AbandonedRequest[]> {
      const rows = await database.query<{ id: SettlementId; channel_id: ChannelId; spent: string }>(
        `SELECT r.id, r.channel_id, r.spent FROM channel_requests r JOIN server_leases l ON l.id = r.lease_id
         WHERE r.status = 'reserved' AND (l.epoch <> r.epoch OR r.deadline < clock_now() - interval '1 minute')
         ORDER BY r.id LIMIT $1`,
        [limit],
      );
      return rows.map((row) => ({ id: row.id, channelId: row.channel_id, spent: row.spent }));
    },

    /**
     * Ends what is still being served from a channel, each at its durable amount: the next write of its server is lost, and
     * the response with it. @returns how many
     */
    async endChannelRequests(channelId: ChannelId): Promise<number> {
      return database.transaction(async (query) => {
        await query('SELECT 1 FROM channels WHERE channel_id = $1 FOR UPDATE', [channelId]);
        const rows = await query(
          `UPDATE channel_requests SET ${ENDED_BY_SWEEP}
           WHERE channel_id = $1 AND status = 'reserved' RETURNING 1`,
          [channelId],
        );
        return rows.length;
      });
    },

    /** Closes one at the amount that was read; false when it moved meanwhile. */
    async closeAbandonedRequest({ id, channelId, spent }: AbandonedRequest): Promise<boolean> {
      return database.transaction(async (query) => {
        await query('SELECT 1 FROM channels WHERE channel_id = $1 FOR UPDATE', [channelId]);
        const rows = await query(
          `UPDATE channel_requests SET ${ENDED_BY_SWEEP}
           WHERE id = $1 AND status = 'reserved' AND spent = $2 RETURNING 1`,
          [id, spent],
        );
        return rows.length === 1;
      });
    },
  };
}
