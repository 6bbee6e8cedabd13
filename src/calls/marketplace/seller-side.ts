import type { SellerSide } from '../../domain/marketplace/marketplace.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { UnreadSellerSide } from '../../ledger/marketplace/seller-sides.js';
import type { PinnedStripe } from './pinned-reads.js';

export interface SellerSideDependencies {
  readonly ledger: Pick<Ledger, 'noteSellerSide'>;
  readonly stripe: PinnedStripe;
}

/** @returns why it could not be read now; undefined: it was */
export type ReadSellerSide = (of: UnreadSellerSide) => Promise<string | undefined>;

/**
 * What a reversal was for its seller, whose balance may have another currency than the transfer: Stripe converts at the rate of the
 * day, so what is taken of him is not what this part had brought him. Read for people; nothing is sent because of it.
 */
export function createReadSellerSide({ ledger, stripe }: SellerSideDependencies): ReadSellerSide {
  return async ({ id, sellerAccount, stripeTransferId, stripeReversalId }) => {
    const calls = stripe.inLane('seller-sides');
    const read = await calls.readTransfer(stripeTransferId);
    if (read.kind !== 'found') return read.detail;
    const { transfer, reversals } = read.value;
    const reversal = reversals.find((one) => one.stripeReversalId === stripeReversalId);
    const { destinationPayment: payment } = transfer;
    const refund = reversal?.destinationPaymentRefund;
    if (reversal === undefined || payment === undefined || refund === undefined)
      return `Stripe does not say what ${stripeReversalId} is in the account of its seller`;
    const got = await calls.movementOf(sellerAccount, payment);
    if (got.kind !== 'found' || got.value === null) return got.kind === 'found' ? NOT_BOOKED : got.detail;
    if (got.value.currency === transfer.currency) {
      await ledger.noteSellerSide(id, null);
      return undefined;
    }
    const gave = await calls.movementOf(sellerAccount, refund);
    if (gave.kind !== 'found' || gave.value === null) return gave.kind === 'found' ? NOT_BOOKED : gave.detail;
    if (gave.value.currency !== got.value.currency || reversal.currency !== transfer.currency)
      return `${payment} is in ${got.value.currency} and ${refund} in ${gave.value.currency}: they are not compared`;
    const side: SellerSide = {
      currency: got.value.currency,
      got: (got.value.amount * reversal.amount) / transfer.amount,
      gave: -gave.value.amount,
    };
    await ledger.noteSellerSide(id, side);
    return undefined;
  };
}

const NOT_BOOKED = 'it is not in the balance of its seller yet';
