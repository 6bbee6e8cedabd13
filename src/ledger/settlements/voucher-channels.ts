import type { SettlementId } from '../../domain/ids.js';
import { authServerOf } from '../../domain/settlements/settlement-providers.js';
import type { Database } from '../database.js';
import type { Sealer } from '../sealer.js';
import { SEALED_PLACE, sha256 } from './settlement-row.js';
import type {
  ChannelClose,
  ChannelManagement,
  ChannelTopUp,
  TopUpOutcome,
  VoucherCloseOutcome,
} from './settlement-types.js';

export function createVoucherChannels(database: Database, sealer: Sealer) {
  /** What both have, as the SQL functions read it. */
  const sealedFacts = ({ body, ...managed }: ChannelManagement) => {
    const sealed = sealer.seal(body, SEALED_PLACE(managed.id));
    return {
      sealed: sealed.bytes,
      facts: {
        id: managed.id,
        key: managed.key,
        identity: managed.identity,
        content_sha256: managed.contentSha256,
        protocol: managed.protocol,
        provider: authServerOf(managed.protocol),
        asset: managed.asset,
        decimals: managed.decimals,
        route: managed.route,
        lookup: managed.lookup,
        context: managed.context,
        sealed_key_id: sealed.keyId,
        body_sha256: sha256(body),
      },
    };
  };
  return {
    /**
     * The charge that is the next of this one's channel to be settled, up to this one. `due`: it can be claimed, and is this one,
     * or nobody has done it in time.
     *
     * @returns undefined also where there is none, or no waiting for it: its provider fails, or it failed itself a moment ago
     */
    async firstInTurn(id: SettlementId): Promise<{ readonly id: SettlementId; readonly due: boolean } | undefined> {
      const [first] = await database.query<{ id: SettlementId; due: boolean }>(
        `SELECT f.id, f.sealed_kind = 'body' AND NOT f.held AND (f.late OR f.id = s.id) AS due
         FROM settlements s CROSS JOIN LATERAL (
           SELECT id, status, attempts, sealed_kind, next_check_at <= clock_now() AS late,
             coalesce(runner_until >= clock_now(), false) AS held
           FROM settlements WHERE voucher_channel = s.voucher_channel AND voucher_place <= s.voucher_place
             AND status IN ('open', 'pending') AND blocked_by IS NULL
           ORDER BY voucher_channel, voucher_place LIMIT 1) f
         WHERE s.id = $1 AND s.status = 'pending' AND (f.status = 'open' OR f.attempts = 0 OR f.late OR f.held)
           AND NOT EXISTS (SELECT FROM provider_breakers b WHERE b.provider = s.provider AND b.state <> 'closed')`,
        [id],
      );
      return first;
    },

    /** See the SQL function. The close is sent by the settlement's workflow, when all before it is decided. */
    async closeVoucherChannel({
      voucher,
      challengeId,
      givenToPayer,
      ...close
    }: ChannelClose): Promise<VoucherCloseOutcome> {
      const { sealed, facts } = sealedFacts(close);
      const [row] = await database.query<{ outcome: VoucherCloseOutcome['kind']; id: SettlementId | null }>(
        'SELECT outcome, id FROM close_voucher_channel($1, $2, $3)',
        [
          JSON.stringify({
            ...facts,
            voucher_channel: voucher.channel,
            voucher_cumulative: voucher.cumulative,
            voucher_challenge: challengeId,
          }),
          sealed,
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

    /** See the SQL function. */
    async beginTopUp({ body, ...topUp }: ChannelTopUp): Promise<TopUpOutcome> {
      const { sealed, facts } = sealedFacts({ body, ...topUp });
      const [row] = await database.query<{ outcome: TopUpOutcome }>('SELECT begin_channel_top_up($1, $2) AS outcome', [
        JSON.stringify({ ...facts, tops_up: topUp.channel }),
        sealed,
      ]);
      if (!row) throw new Error('begin_channel_top_up gave no answer');
      return row.outcome;
    },
  };
}
