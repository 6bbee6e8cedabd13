import type { TransferId } from '../../domain/ids.js';
import { isWaiting, type TransferStatus } from '../../domain/marketplace/marketplace-status.js';
import { askSoon } from '../calls/platform-queue.js';
import { releaseHeld } from '../calls/releases.js';
import { finishTransfer } from '../calls/transfer-calls.js';
import { lockTransfer } from '../calls/transfer-row.js';
import { dateOldest, stopWaiting } from '../calls/waiting-transfers.js';
import { reopenOffsets } from '../marketplace/debt-offsets.js';
import { noteForeignReversals } from '../marketplace/note-foreign-reversals.js';
import { lockOrderOf } from '../marketplace/seller-shares.js';
import { withholdDemands } from '../marketplace/share-out.js';
import { mustMove } from '../transition.js';
import { type Decidable, inMinorUnits, needsAttention } from './decidable.js';
import {
  AGAIN,
  adopted,
  type DecidableCall,
  ENDED,
  isAbsent,
  isMarked,
  notProvedAbsent,
  PROOF,
  proveAbsent,
  unadoptable,
} from './decide-stripe-call.js';
import { dropAttention, NO_ATTENTION } from './decision-rows.js';

type Row = DecidableCall & {
  readonly id: TransferId;
  readonly status: TransferStatus;
  readonly seller_account: string;
  /** Nobody has, although it waits for that. */
  readonly unreleased: boolean;
};

export const TRANSFER: Decidable<'transfer', Row> = {
  table: 'seller_transfers',
  async lock(query, id) {
    await lockOrderOf(query, 'seller_transfers', id);
    const [row] = await query<Row & { [column: string]: unknown }>(
      `SELECT id, order_id, seller_account, status, certainty, amount + offset_amount AS amount, currency, attention_reason, attention_detail,
         completed_at IS NOT NULL AS ready, release_kind <> 'immediately' AND released_at IS NULL AS unreleased, ${PROOF} FROM seller_transfers x WHERE id = $1 FOR UPDATE`,
      [id],
    );
    return row;
  },
  // A transfer that was ever completed is not sent again, whatever is asked about it.
  waits: (row, action) => isWaiting(row.status) || (needsAttention(row) && !(action === 'retry' && row.ready)),
  atStake: inMinorUnits,
  over: ({ certainty, status, amount }) =>
    certainty === 'done' || status === 'cancelled' || BigInt(amount) === 0n ? ENDED : undefined,
  async acknowledge({ query }, { id, status }) {
    await dropAttention(query, 'seller_transfers', id);
    return status;
  },
  actions: {
    retry: {
      missing: ({ unreleased }) =>
        unreleased ? 'nobody has released it, so it is not sent: resolve with release or write_off' : undefined,
      async apply({ query }, row) {
        await query(`UPDATE seller_transfers SET ${AGAIN} WHERE id = $1`, [row.id]);
        // What it waits for is asked; it is sent where that says that the wait is over.
        await query('UPDATE sellers SET read_next_at = clock_now() WHERE account = $1', [row.seller_account]);
        if (row.status === 'waiting_platform_balance') await askSoon(query, row.currency);
        if (isWaiting(row.status)) await dateOldest(query, row, row.status);
        return row.status;
      },
    },
    adopt: {
      missing: unadoptable,
      confirmed: isMarked,
      async apply({ query }, { id }, said) {
        if (said.verified.kind === 'found') await noteForeignReversals(query, id, said.verified.takenBack ?? []);
        const { status } = await finishTransfer(query, await lockTransfer(query, id), adopted(said));
        await dropAttention(query, 'seller_transfers', id);
        return status;
      },
    },
    release: {
      missing: ({ unreleased }) => (unreleased ? undefined : 'it is released already'),
      async apply({ query, decisionId }, { id }) {
        await dropAttention(query, 'seller_transfers', id);
        await releaseHeld(query, id, { by: 'a decision', decision: decisionId });
        return (await lockTransfer(query, id)).status;
      },
    },
    write_off: {
      missing: notProvedAbsent,
      confirmed: isAbsent,
      async apply({ query }, row) {
        const { id, order_id } = row;
        await proveAbsent(query, 'seller_transfers', id);
        // What its seller owed, and was to be kept of it, is owed again.
        await reopenOffsets(query, id, 'it was given up');
        // What is given up was never sent: it ends where every transfer ends that could not be.
        if (isWaiting(row.status)) await stopWaiting(query, row, 'pending');
        if (row.status === 'held')
          await mustMove(query, 'seller_transfers', {
            id,
            from: 'held',
            to: 'permanently_failed',
            set: 'written_off_at = clock_now()',
          });
        const status = isWaiting(row.status) ? 'pending' : row.status;
        if (status === 'pending') await mustMove(query, 'seller_transfers', { id, from: 'pending', to: 'failed' });
        if (status === 'pending' || status === 'failed')
          await mustMove(query, 'seller_transfers', { id, from: 'failed', to: 'permanently_failed' });
        await query(
          `UPDATE seller_transfers SET ${NO_ATTENTION}, written_off_at = clock_now(), next_retry_at = NULL, next_check_at = NULL WHERE id = $1`,
          [id],
        );
        await withholdDemands(query, order_id, id);
        return 'permanently_failed';
      },
    },
  },
};
