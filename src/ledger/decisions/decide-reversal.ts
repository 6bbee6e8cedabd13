import { mayHaveMoved } from '../../domain/calls/certainty.js';
import { actionsForWaiting, type ForeignAction } from '../../domain/decisions/decisions.js';
import type { ReversalId } from '../../domain/ids.js';
import { planShare } from '../../domain/marketplace/foreign-reversals.js';
import { finishReversal } from '../calls/finish-reversal.js';
import { fail, lockReversal } from '../calls/reversal-claims.js';
import { decideShare } from '../marketplace/foreign-shares.js';
import { lockOrderOf } from '../marketplace/seller-shares.js';
import { whyBeyondSent } from '../marketplace/sent-for-less.js';
import { mustMove, type Query } from '../transition.js';
import { type ActionHandler, type Decidable, inMinorUnits, needsAttention, type Said } from './decidable.js';
import {
  AGAIN,
  adopted,
  ENDED,
  isAbsent,
  isMarked,
  isProved,
  notProvedAbsent,
  PROOF,
  proveAbsent,
  unadoptable,
} from './decide-stripe-call.js';
import { OFFSET, TAKE_AVAILABLE, whyBusy } from './decide-taking-less.js';
import { dropAttention, NO_ATTENTION } from './decision-rows.js';
import { atStake, foreignOf, type ReversalRow, unseenOf } from './reversal-row.js';

type Row = ReversalRow;

/** Somebody else took something of the transfer: how much of it stands for this share is a person's word. */
const share = (action: ForeignAction): ActionHandler<Row> => ({
  ...(action === 'count_as_share' ? {} : { atStake }),
  missing(row, said) {
    const plan = planned(action, row, said);
    return 'refuse' in plan ? plan.refuse : undefined;
  },
  async apply({ query }, row, said) {
    const plan = planned(action, row, said);
    if ('refuse' in plan) throw new Error(`reversal ${row.id}: ${plan.refuse}`);
    if (mayHaveMoved(row.certainty) && isProved(row)) await proveAbsent(query, 'reversals', row.id);
    return await decideShare(query, await lockReversal(query, row.id), plan);
  },
});

function planned(action: ForeignAction, row: Row, { verified }: Said) {
  if (verified.kind !== 'taken_by_others')
    return { refuse: 'detail' in verified ? verified.detail : 'what others took was not read at Stripe' };
  if (verified.converted !== undefined)
    return {
      refuse: `its transfer is in ${verified.converted} at Stripe, and this share of it is in ${row.currency}: one is not counted as the other`,
    };
  const reversals = foreignOf(verified);
  const refuse = unseenOf(row, reversals);
  if (refuse !== undefined) return { refuse };
  return planShare(
    action,
    {
      amount: BigInt(row.amount),
      unsent: isProved(row),
      counted: BigInt(row.counted),
      countedElsewhere: BigInt(row.counted_elsewhere),
    },
    { reversals, decided: row.decided_of_others, left: BigInt(verified.left) },
  );
}

/** What stands for a share already, or was for something else, is not this one as well. */
function unadoptableReversal(row: Row, said: Said): string | undefined {
  const { verified } = said;
  if (verified.kind !== 'found' || verified.providerId === null) return unadoptable(row, said);
  if (verified.providerId in row.decided_of_others)
    return `${verified.providerId} has been decided about: it stands for another share, or for something else`;
  if (verified.unmarked && row.counted_without_id)
    return `${verified.providerId} may be what was counted as another share before ids were kept: retry looks, and asks how much of what others took is left for this one`;
  return unadoptable(row, said);
}

export const REVERSAL: Decidable<'reversal', Row> = {
  table: 'reversals',
  async lock(query, id) {
    await lockOrderOf(query, 'reversals', id);
    await query(
      'SELECT 1 FROM seller_transfers WHERE id = (SELECT transfer_id FROM reversals WHERE id = $1) FOR UPDATE',
      [id],
    );
    const [row] = await query<Row & { [column: string]: unknown }>(
      `SELECT x.id, x.order_id, x.status, x.certainty, x.amount, x.currency, x.attention_reason, x.attention_detail,
         x.counted, x.others_shown, x.debt_since IS NOT NULL AS owed,
         t.amount AS transfer_share, t.sent_currency AS transfer_currency, t.sent_amount AS transfer_sent, t.stripe_transfer_id IS NOT NULL AS ready,
         (extract(epoch FROM x.runner_until - clock_now()) * 1000)::float8 AS held_ms, decided_of_others(x.transfer_id), ${PROOF},
         (SELECT coalesce(sum(counted), 0) FROM reversals WHERE transfer_id = x.transfer_id AND id <> x.id) AS counted_elsewhere,
         (SELECT coalesce(sum(r.amount - r.counted), 0) FROM reversals r JOIN causes c ON c.id = coalesce(r.refund_id, r.withdrawal_id)
            WHERE r.transfer_id = x.transfer_id AND r.id <> x.id AND r.debt_since IS NULL AND c.stands
              AND r.status IN ('pending', 'waiting_balance')) AS about_to_take,
         (SELECT bool_or(r.counted > coalesce((SELECT sum(d.amount) FROM foreign_decisions d WHERE d.reversal_id = r.id), 0))
            FROM reversals r WHERE r.transfer_id = x.transfer_id) AS counted_without_id
       FROM reversals x JOIN seller_transfers t ON t.id = x.transfer_id WHERE x.id = $1 FOR UPDATE OF x`,
      [id],
    );
    return row;
  },
  waits: (row, action) => needsAttention(row) || (row.status === 'waiting_balance' && isForWaiting(row, action)),
  atStake: inMinorUnits,
  over: ({ certainty, status }) =>
    certainty === 'done' || status === 'cancelled' || status === 'written_off' ? ENDED : undefined,
  async acknowledge({ query }, { id, status }) {
    await dropAttention(query, 'reversals', id);
    return status;
  },
  actions: {
    retry: {
      missing: (row) =>
        row.ready
          ? whyBusy(row)
          : 'its transfer has no id at Stripe: makegood backfill-transfer-ids finds it, then retry',
      async apply({ query }, { id, status }) {
        await mustMove(query, 'reversals', { id, from: status, to: 'pending', set: `${AGAIN}, debt_since = NULL` });
        await refreshTransferOf(query, id);
        const row = await lockReversal(query, id);
        // Asked at once: nobody else of its transfer is to find it there.
        const beyond = await whyBeyondSent(query, row, 'all');
        if (beyond === undefined) return 'pending';
        await fail(query, row, { reason: 'exceeds_remainder', detail: beyond });
        return 'permanently_failed';
      },
    },
    adopt: {
      missing: unadoptableReversal,
      confirmed: isMarked,
      async apply({ query }, { id }, said) {
        const tookWhole = said.verified.kind === 'found' && said.verified.tookWhole === true;
        const row = await lockReversal(query, id);
        const { status } = await finishReversal(query, row, { stripeReversalId: adopted(said), tookWhole });
        if (!tookWhole) await dropAttention(query, 'reversals', id);
        return status;
      },
    },
    count_as_share: share('count_as_share'),
    take_missing: share('take_missing'),
    take_all: share('take_all'),
    take_available: TAKE_AVAILABLE,
    offset: OFFSET,
    write_off: {
      missing: (row, said) => whyBusy(row) ?? whyWaits(row, said) ?? notProvedAbsent(row, said),
      confirmed: isAbsent,
      async apply({ query }, { id, status }) {
        await proveAbsent(query, 'reversals', id);
        await mustMove(query, 'reversals', {
          id,
          from: status,
          to: 'written_off',
          set: `${NO_ATTENTION}, debt_since = NULL, takes_available = false, next_retry_at = NULL, next_check_at = NULL`,
        });
        await refreshTransferOf(query, id);
        return 'written_off';
      },
    },
  },
};

/** What waits by itself can be decided about in these ways; what is owed is asked of Stripe again, or given up, by a word as well. */
const isForWaiting = ({ owed }: Row, action: string): boolean =>
  (actionsForWaiting(owed) as readonly string[]).includes(action);

function whyWaits({ status, owed }: Row, { offsets }: Said): string | undefined {
  if (status !== 'waiting_balance' || owed) return undefined;
  const now = offsets?.on === true ? 'take_available or offset, or offset first and then write_off' : 'take_available';
  return `it waits for the seller's balance by itself: ${now}`;
}

const refreshTransferOf = (query: Query, id: ReversalId) =>
  query('SELECT refresh_transfer(transfer_id) FROM reversals WHERE id = $1', [id]);
