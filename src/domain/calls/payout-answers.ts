/** A payout of a connected account as Stripe holds it; amounts in minor units of `currency`. */
export interface PayoutFacts {
  readonly externalPayoutId: string;
  readonly sellerAccount: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly status: 'paid' | 'pending' | 'in_transit' | 'canceled' | 'failed';
  readonly arrivalAt: string | null;
  readonly failureCode: string | null;
  /** Stripe made it by itself; only of those it says what they contain. */
  readonly automatic: boolean;
  /** `growing`: Stripe has not finished the list yet. `none`: there is none of this payout. */
  readonly list: 'complete' | 'growing' | 'none';
  readonly madeAt: string;
}

/** A page of what a payout contains, as far as it is a transfer of the platform's. */
export interface PayoutContents {
  readonly transfers: readonly PaidOutTransfer[];
  /** How many on this page are not. */
  readonly others: number;
  /** Where the next page begins; null: nothing follows. */
  readonly next: string | null;
}

/** As the seller got it, in the currency of his balance. */
export interface PaidOutTransfer {
  readonly balanceTransactionId: string;
  readonly stripeTransferId: string;
  readonly amount: bigint;
  readonly currency: string;
}
