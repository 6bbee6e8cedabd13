import type { Certainty } from '../../domain/calls/certainty.js';
import type { RefundId } from '../../domain/ids.js';
import type { Database } from '../database.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { recordEvent } from '../transition.js';
import type { Held } from './hyperswitch-rows.js';
import { ASKED_EVERY, MOST_AT_ONCE } from './waiting-transfers.js';

export interface RefundWait extends Held<RefundId> {
  readonly certainty: Certainty;
  readonly detail: string;
  /** What the platform's balance was short of; null: it was not read, or has another currency. */
  readonly missing: bigint | null;
}

/** Refunds that Stripe has not sent, because the platform's balance is too low for them. */
export function createWaitingRefunds(database: Database) {
  return {
    /** Gives the claim back: nobody is to blame, and it is tried again when Stripe tells of money, or an hour later. */
    refundWaits: ({ id, runner, certainty, detail, missing }: RefundWait): Promise<void> =>
      database.transaction(async (query) => {
        const [row] = await query(
          `UPDATE refunds SET certainty = $3, detail = $4, last_answer = 'waiting', waiting_since = coalesce(waiting_since, clock_now()),
             waiting_detail = $4, waiting_missing = $5, runner = NULL, runner_until = NULL,
             next_check_at = clock_now() + ${ASKED_EVERY} + interval '15 seconds'
           WHERE id = $1 AND runner = $2 AND status = 'pending' AND certainty <> 'done' RETURNING id`,
          [id, runner, certainty, detail, missing?.toString() ?? null],
        );
        if (!row) return;
        const told = { detail, ...(missing === null ? {} : { missing: `${missing}` }) };
        await recordEvent(query, { kind: 'refund', id, what: 'waiting_platform_balance', certainty, detail: told });
      }),

    /**
     * A refund of the same payment that somebody made at the provider since this one was asked for, and that no person has been asked about
     * since: it may be the same money. Retry is the word that it is not. @returns their names there
     */
    async refundsMadeSince(id: RefundId): Promise<readonly string[]> {
      const rows = await database.query<{ name: string }>(
        `SELECT coalesce(o.connector_refund_id, o.id::text) AS name FROM refunds r
           JOIN refunds o ON o.payment_id = r.payment_id AND o.origin = 'provider' AND o.created_at > r.created_at AND o.status <> 'failed'
         WHERE r.id = $1 AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.item_kind = 'refund' AND d.item_id = r.id
           AND d.action = 'retry' AND d.state = 'applied' AND d.requested_at > o.created_at) ORDER BY o.id`,
        [id],
      );
      return rows.map(({ name }) => name);
    },

    /** Stripe has told of money: all of them are looked at, the oldest first. @returns what to start */
    async refundsThatWait(): Promise<readonly MarketplaceItem[]> {
      const rows = await database.query<{ id: RefundId }>(
        `UPDATE refunds SET next_check_at = clock_now() WHERE next_check_at IS NOT NULL AND id IN
           (SELECT id FROM refunds WHERE waiting_since IS NOT NULL AND status = 'pending' AND runner IS NULL
            ORDER BY id LIMIT ${MOST_AT_ONCE} FOR UPDATE SKIP LOCKED) RETURNING id`,
      );
      return rows.map(({ id }) => ({ kind: 'refund', id }));
    },
  };
}
