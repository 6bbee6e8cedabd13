import { captureBody, captureIdentity, captureLookup, TIP20_DECIMALS } from '../../domain/channels/capture.js';
import type { Capture } from '../../domain/channels/channel.js';
import type { Clock } from '../../domain/clock.js';
import { newSettlementId, type SettlementId } from '../../domain/ids.js';
import { TEMPO } from '../../domain/settlements/settlement-providers.js';
import type { Database } from '../database.js';
import type { Sealer } from '../sealer.js';
import { SEALED_PLACE, sha256 } from '../settlements/settlement-row.js';

export type OpenCaptureOutcome =
  | { readonly kind: 'opened'; readonly id: SettlementId }
  /** An earlier capture of this channel is not finished. */
  | { readonly kind: 'busy' }
  /** This very capture was settled, or a person gave it up. */
  | { readonly kind: 'decided' };

/**
 * Makes the settlement of a capture: its amount and its exact body are frozen from here on. Call it in the transaction that
 * holds the channel; whoever may look afterwards finds the row, and at most one of each channel is unfinished.
 */
export function createCaptures(sealer: Sealer, clock: Clock) {
  return async function openCapture(query: Database['query'], capture: Capture): Promise<OpenCaptureOutcome> {
    const id = newSettlementId(clock.nowMs());
    const body = captureBody(capture);
    const identity = captureIdentity(capture);
    const sealed = sealer.seal(body, SEALED_PLACE(id));
    // The unfinished one is looked for before the index would find it: a conflict would wait for whoever settles it, and he
    // waits for the channel.
    const [opened] = await query<{ id: SettlementId }>(
      `WITH opened AS (
         INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap,
             spent, payer, lookup, channel_id, sealed, sealed_kind, sealed_key_id, body_sha256, workflow_id, next_check_at, closed_at)
           SELECT $1::uuid, $2, $2, $3, 'channel', 'mpp', $4, 'pending', $5, $6, $7, $7, $8, $9, $10, $11, 'body', $12, $3,
             'settlement/' || $1::uuid::text, clock_now() + interval '15 seconds', clock_now()
           WHERE NOT EXISTS (SELECT 1 FROM settlements WHERE channel_id = $10 AND status IN ('pending', 'needs_attention'))
           ON CONFLICT DO NOTHING RETURNING id, key, certainty
       ), told AS (
         INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, detail)
           SELECT 'settlement', id, 'received', certainty, key, jsonb_build_object('spent', $7::text, 'capture', $9::jsonb) FROM opened
       )
       SELECT id FROM opened`,
      [
        id,
        identity,
        sha256(body),
        TEMPO,
        capture.channel.token,
        TIP20_DECIMALS,
        capture.newly.toString(),
        capture.channel.payer,
        JSON.stringify(captureLookup(capture)),
        capture.channel.id,
        sealed.bytes,
        sealed.keyId,
      ],
    );
    if (opened) return { kind: 'opened', id: opened.id };
    const [same] = await query(
      `SELECT 1 FROM settlements WHERE identity = $1 AND status IN ('settled', 'written_off')`,
      [identity],
    );
    return { kind: same ? 'decided' : 'busy' };
  };
}
