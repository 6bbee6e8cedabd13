import { accountOf, fundsOf, inOwnBalance } from '../accounts/accounts.js';
import { booked } from '../balance/bookings.js';
import { reversalObject, transferObject } from '../http/objects.js';
import { PAGE_PARAMS, pageOf } from '../http/paging.js';
import type { Values } from '../http/params.js';
import { answer, type Caller, type Plan, refusal, seconds } from '../http/plan.js';
import { accountInvalid, alreadyReversed, insufficient, missing, overRemainder } from '../http/problems.js';
import { newId, type ReversalEnd, type ReversalRecord, type TransferRecord } from '../state/records.js';
import { ownTransfer } from './transfers.js';

export const CREATE_REVERSAL = {
  amount: { kind: 'amount' },
  description: { kind: 'text' },
  metadata: { kind: 'metadata' },
  // Taken and of no effect: the stand-in knows no application fees.
  refund_application_fee: { kind: 'flag' },
} as const;

export const LIST_REVERSALS = PAGE_PARAMS;

/** Takes money back from the seller; without an amount, all that is left (docs.stripe.com/api/transfer_reversals/create). */
export function createReversal(caller: Caller, id: string, params: Values<typeof CREATE_REVERSAL>): Plan {
  const { store, world } = caller;
  const transfer = ownTransfer(caller, id);
  if (transfer === undefined) return refusal(missing('transfer', id, 'id'));
  const remainder = transfer.amount - transfer.amountReversed;
  const amount = params.amount ?? remainder;
  if (remainder === 0) return refusal(alreadyReversed(id));
  if (amount > remainder) return refusal(overRemainder(amount, remainder));
  const { currency, destination } = transfer;
  const seller = accountOf(store, destination, world.livemode);
  if (seller.access === 'revoked') return refusal(accountInvalid(destination));
  // docs.stripe.com/connect/separate-charges-and-transfers: the balance covers it, or the platform answers for it
  const taken = inOwnBalance(seller, { amount, currency });
  const covered = seller.liable || fundsOf(seller, taken.currency).available >= taken.amount;
  if (!covered && !seller.pendingReversals) return refusal(insufficient(destination, currency));
  const fields = { amount, metadata: params.metadata ?? {}, created: seconds(caller.nowMs) };
  if (!seller.pendingReversals) return reverse(caller, transfer, newReversal(transfer, fields));
  if (covered) return reverse(caller, transfer, newReversal(transfer, { ...fields, status: 'succeeded' }));
  const row = newReversal(transfer, { ...fields, status: 'pending' });
  return answer(reversalObject(row), [
    { table: 'reversal', row },
    { table: 'transfer', row: { ...transfer, amountReversed: transfer.amountReversed + amount } },
  ]);
}

/** What becomes of a pending one; what was reserved of the transfer is free again unless it succeeded. */
export function endReversal(caller: Caller, id: string, status: ReversalEnd): Plan {
  const row = caller.store.reversal(id);
  const transfer = row && caller.store.transfer(row.transfer);
  if (row?.status !== 'pending' || !transfer) return refusal(missing('pending transfer reversal', id, 'id'));
  const free = { ...transfer, amountReversed: transfer.amountReversed - row.amount };
  if (status === 'succeeded') return reverse(caller, free, { ...row, status });
  return answer(reversalObject({ ...row, status }), [
    { table: 'reversal', row: { ...row, status } },
    { table: 'transfer', row: free },
  ]);
}

function reverse(caller: Caller, transfer: TransferRecord, row: ReversalRecord): Plan {
  const { store, world } = caller;
  const { currency, destination } = transfer;
  const { amount, balanceTransaction, destinationPaymentRefund: refund } = row;
  // Today's rate, which is not that of the payment.
  const taken = inOwnBalance(accountOf(store, destination, world.livemode), { amount, currency });
  const after: TransferRecord = { ...transfer, amountReversed: transfer.amountReversed + amount };
  return answer(
    reversalObject(row),
    [
      { table: 'reversal', row },
      { table: 'transfer', row: after },
      ...booked(caller, [
        { account: destination, type: 'payment_refund', ...taken, amount: -taken.amount, source: refund },
        {
          id: balanceTransaction,
          account: world.platform,
          type: 'transfer_refund',
          amount,
          currency,
          source: row.id,
        },
      ]),
    ],
    [
      {
        // Also for a part of it; the object is the transfer (docs.stripe.com/api/events/types)
        type: 'transfer.reversed',
        account: null,
        livemode: world.livemode,
        object: () => transferObject(store, after),
        previous: { amount_reversed: transfer.amountReversed, reversed: false },
      },
    ],
  );
}

export const newReversal = (
  transfer: Pick<TransferRecord, 'id' | 'currency'>,
  fields: Pick<ReversalRecord, 'amount' | 'metadata' | 'created' | 'status'>,
): ReversalRecord => ({
  ...fields,
  id: newId('trr'),
  transfer: transfer.id,
  balanceTransaction: newId('txn'),
  currency: transfer.currency,
  destinationPaymentRefund: newId('pyr'),
});

export function listReversals(caller: Caller, id: string, params: Values<typeof LIST_REVERSALS>): Plan {
  if (ownTransfer(caller, id) === undefined) return refusal(missing('transfer', id, 'id'));
  const page = pageOf(
    {
      what: 'transfer reversal',
      url: `/v1/transfers/${id}/reversals`,
      oldestFirst: caller.store.reversalsOf(id),
      matches: () => true,
    },
    params,
    reversalObject,
  );
  return 'problem' in page ? refusal(page.problem) : answer(page);
}

export function readReversal(caller: Caller, transferId: string, id: string): Plan {
  if (ownTransfer(caller, transferId) === undefined) return refusal(missing('transfer', transferId, 'transfer'));
  const row = caller.store.reversal(id);
  if (row === undefined || row.transfer !== transferId) return refusal(missing('transfer reversal', id, 'id'));
  return answer(reversalObject(row));
}
