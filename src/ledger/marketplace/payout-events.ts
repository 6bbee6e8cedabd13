import { REFUSAL_HORIZON_DAYS } from '../../domain/marketplace/payouts.js';
import type { Database } from '../database.js';
import { type Query, recordEvent, recordEventOfEach } from '../transition.js';
import type { Finishing } from './marketplace-types.js';

/** An event of a payout that Stripe does not let us read. */
export interface RefusedPayout {
  readonly id: string;
  readonly account: string;
  readonly detail: string;
}

/** Events of payouts whose seller does not let us in: each ends as its payout does, whether that was ever read or not. */
export function createPayoutEvents(database: Database) {
  return {
    /**
     * It is asked about for some days, or not again where the seller is known to have gone; then it ends, and says so in its own story and in
     * the seller's. Nothing happens where it has become due anew since.
     */
    payoutEventRefused: (
      { provider, eventId, round }: Finishing,
      { id, account, detail }: RefusedPayout,
    ): Promise<void> =>
      database.transaction(async (query) => {
        const [row] = await query<{ type: string; gone: boolean }>(
          `SELECT type, EXISTS (SELECT 1 FROM sellers WHERE account = $4 AND state = 'gone') AS gone FROM webhook_events
           WHERE provider = $1 AND event_id = $2 AND processed_at IS NULL AND next_check_at = $3::timestamptz FOR UPDATE`,
          [provider, eventId, round ?? null, account],
        );
        if (!row) return;
        const name = `${provider}/${eventId}`;
        const told = { kind: 'webhook', id: name } as const;
        const refused = await refusedFor(query, name);
        if (refused === 'never') await recordEvent(query, { ...told, what: 'refused', detail: { detail } });
        if (refused !== 'too_long' && !row.gone) return;
        await query(
          `UPDATE webhook_events SET processed_at = clock_now(), outcome = 'unreadable', next_check_at = NULL
           WHERE provider = $1 AND event_id = $2`,
          [provider, eventId],
        );
        await recordEvent(query, { ...told, what: 'processed', detail: { outcome: 'unreadable', detail } });
        const what = { event: name, type: row.type, external_payout_id: id, detail };
        await recordEvent(query, { kind: 'seller', id: account, what: ENDED, detail: what });
      }),
  };
}

/** In the seller's story; by it the events are found again. */
const ENDED = 'payout_event_unreadable';

/** How long Stripe has refused it, since somebody last had reason to hope that it would not. */
async function refusedFor(query: Query, name: string): Promise<'never' | 'not_long' | 'too_long'> {
  const [row] = await query<{ too_long: boolean | null }>(
    `SELECT min(at) <= clock_now() - interval '${REFUSAL_HORIZON_DAYS} days' AS too_long FROM operation_events
     WHERE item_kind = 'webhook' AND item_id = $1 AND kind = 'refused' AND place > coalesce((SELECT max(place) FROM operation_events
       WHERE item_kind = 'webhook' AND item_id = $1 AND kind IN ('processed', 'replayed', 'readable_again')), 0)`,
    [name],
  );
  if (!row || row.too_long === null) return 'never';
  return row.too_long ? 'too_long' : 'not_long';
}

/** The seller let us in again: what has ended is asked about now, and whoever was refused before ends nothing any more. */
export async function payoutEventsReadableAgain(query: Query, account: string): Promise<void> {
  const events = await query<{ name: string }>(
    `WITH again AS (
       SELECT provider, event_id FROM webhook_events WHERE provider = 'stripe' AND type LIKE 'payout.%' AND account = $1
         AND (next_check_at IS NOT NULL OR outcome = 'unreadable') AND event_id IN (
           SELECT event_id FROM webhook_events WHERE next_check_at IS NOT NULL AND account = $1
           UNION SELECT substr(detail ->> 'event', length('stripe/') + 1) FROM operation_events
             WHERE item_kind = 'seller' AND item_id = $1 AND kind = '${ENDED}')
       ORDER BY event_id FOR UPDATE)
     UPDATE webhook_events e SET processed_at = NULL, outcome = NULL, next_check_at = clock_now() FROM again
     WHERE (e.provider, e.event_id) = (again.provider, again.event_id) RETURNING e.provider || '/' || e.event_id AS name`,
    [account],
  );
  const names = events.map(({ name }) => name);
  await recordEventOfEach(query, { kind: 'webhook', what: 'readable_again' }, names);
}
