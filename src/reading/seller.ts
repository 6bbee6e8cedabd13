import type { Seller } from '../domain/marketplace/marketplace.js';
import { type SellerAnswer, sellerAnswer } from '../domain/marketplace/marketplace-answer.js';
import type { Ledger } from '../ledger/ledger.js';

/** What is read of a seller. */
export type SellerLedger = Pick<Ledger, 'reversalsOfTransfers' | 'sellerBalances' | 'sellerStory'>;

/** A seller as the API and `makegood seller --json` tell of him: what he waits for, what he owes and how it came about. */
export async function tellOfSeller(ledger: SellerLedger, seller: Seller): Promise<SellerAnswer> {
  const [reversals, balances, story] = await Promise.all([
    ledger.reversalsOfTransfers(seller.transfers.map(({ id }) => id)),
    ledger.sellerBalances(seller.account),
    ledger.sellerStory(seller.account),
  ]);
  return sellerAnswer(seller, { reversals, balances, story });
}
