import type { SettlementId } from '../domain/ids.js';
import { authServerOf } from '../domain/settlement-providers.js';
import type { Database } from './database.js';
import type { ChannelClose, ChannelTopUp, VoucherCloseOutcome } from './ledger-types.js';
import type { Sealer } from './sealer.js';
import { sha256 } from './sessions.js';
import { SEALED_PLACE } from './settlement-row.js';

export function createVoucherChannels(database: Database, sealer: Sealer) {
  return {
    /** See the SQL function. The close is sent by the settlement's workflow, when all before it is decided. */
    async closeVoucherChannel({
      body,
      challengeId,
      givenToPayer,
      ...close
    }: ChannelClose): Promise<VoucherCloseOutcome> {
      const sealed = sealer.seal(body, SEALED_PLACE(close.id));
      const [row] = await database.query<{ outcome: VoucherCloseOutcome['kind']; id: SettlementId | null }>(
        'SELECT outcome, id FROM close_voucher_channel($1, $2, $3)',
        [
          JSON.stringify({
            id: close.id,
            key: close.key,
            identity: close.identity,
            content_sha256: close.contentSha256,
            protocol: close.protocol,
            provider: authServerOf(close.protocol),
            asset: close.asset,
            decimals: close.decimals,
            route: close.route,
            lookup: close.lookup,
            context: close.context,
            sealed_key_id: sealed.keyId,
            body_sha256: sha256(body),
            voucher_channel: close.voucher.channel,
            voucher_cumulative: close.voucher.cumulative,
            voucher_challenge: challengeId,
          }),
          sealed.bytes,
          givenToPayer,
        ],
      );
      if (!row) throw new Error('close_voucher_channel gave no answer');
      if (row.outcome !== 'closing') return { kind: row.outcome };
      if (row.id === null) throw new Error('a close has no settlement');
      return { kind: 'closing', id: row.id };
    },

    /** Whether this challenge was answered by a voucher of the channel: then only its payer was given it. */
    async answeredByVoucher(channel: string, challengeId: string): Promise<boolean> {
      const rows = await database.query(
        'SELECT 1 FROM settlements WHERE voucher_channel = $1 AND voucher_challenge = $2 LIMIT 1',
        [channel, challengeId],
      );
      return rows.length === 1;
    },

    /** A top-up is settled before it is answered, and owes nothing where it is refused. False: it came before. */
    async beginTopUp({ body, channel, ...topUp }: ChannelTopUp): Promise<boolean> {
      const sealed = sealer.seal(body, SEALED_PLACE(topUp.id));
      const rows = await database.query(
        `WITH begun AS (
           INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap, spent,
               route, lookup, context, sealed, sealed_kind, sealed_key_id, body_sha256, erase_at, workflow_id, next_check_at, closed_at, tops_up)
             VALUES ($1::uuid, $2, $3, $4, 'session', $5, $6, 'pending', $7, $8, 0, 0, $9, $10, $11, $12, 'body', $13, $14,
               erase_date(NULL), 'settlement/' || $1::uuid::text, clock_now() + interval '15 seconds', clock_now(), $15)
             ON CONFLICT DO NOTHING RETURNING id, key
         ) INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key)
           SELECT 'settlement', id, 'channel_top_up', 'not_sent', key FROM begun RETURNING 1`,
        [
          topUp.id,
          topUp.key,
          topUp.identity,
          topUp.contentSha256,
          topUp.protocol,
          authServerOf(topUp.protocol),
          topUp.asset,
          topUp.decimals,
          topUp.route,
          JSON.stringify(topUp.lookup),
          JSON.stringify(topUp.context),
          sealed.bytes,
          sealed.keyId,
          sha256(body),
          channel,
        ],
      );
      return rows.length === 1;
    },
  };
}
