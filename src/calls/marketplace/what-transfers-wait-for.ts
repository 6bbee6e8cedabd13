import type { CallAnswer } from '../../domain/calls/answers.js';
import { DEAUTHORISED, type SellerStanding, standingOf } from '../../domain/marketplace/seller-standing.js';
import type { ClaimedTransfer } from '../../ledger/calls/call-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { MarketplaceItem } from '../../ledger/marketplace/marketplace-types.js';
import type { Stripe, StripeCalls } from '../../providers/stripe/client.js';

export interface WaitingDependencies {
  readonly ledger: Pick<Ledger, 'balanceShows' | 'balanceUnread' | 'sellerShows' | 'sellerUnread'>;
  readonly stripe: Pick<Stripe, 'inLane'>;
  readonly wake: (items: readonly MarketplaceItem[]) => void;
}

/** What Stripe says of a seller; undefined: it did not say. Whoever does not let us in any more has deauthorised us. */
export async function standingAt(
  stripe: Pick<StripeCalls, 'readSeller'>,
  account: string,
): Promise<SellerStanding | undefined> {
  const answer = await stripe.readSeller(account);
  if (answer.kind === 'found') return standingOf(answer.value);
  const isOut = answer.kind === 'missing' || (answer.kind === 'misdirected' && answer.scope === 'seller');
  return isOut ? DEAUTHORISED : undefined;
}

/** Reads whether a wait is over; what is over goes on. */
export async function readForWaiting(
  of: 'platform_balance' | 'seller',
  sellerAccount: string,
  { ledger, stripe, wake }: WaitingDependencies,
): Promise<void> {
  if (of === 'seller') {
    const standing = await standingAt(stripe.inLane('probe'), sellerAccount);
    if (standing) wake(await ledger.sellerShows(sellerAccount, standing));
    else await ledger.sellerUnread(sellerAccount);
    return;
  }
  const balance = await stripe.inLane('probe').readPlatformBalance();
  if (balance.kind === 'found') wake(await ledger.balanceShows(balance.value, false));
  else await ledger.balanceUnread();
}

/**
 * A no that is about the seller: he waits, or he has gone. Where Stripe calls him able, it is a failure like others, which a person
 * hears of in the end: what is missing then may be the charge that the transfer was to be drawn from, and the next one is not.
 */
export async function judge(
  { sellerAccount }: Pick<ClaimedTransfer, 'sellerAccount'>,
  why: 'not_able' | 'missing',
  { ledger, stripe, wake }: WaitingDependencies,
): Promise<CallAnswer> {
  const standing = await standingAt(stripe.inLane('probe'), sellerAccount);
  if (standing) wake(await ledger.sellerShows(sellerAccount, standing));
  if (standing?.state === 'gone') return { kind: 'refused', why: 'gone' };
  if (why === 'missing') return { kind: 'refused', why: standing ? 'refused' : 'missing' };
  return standing?.state === 'able' ? { kind: 'refused', why: 'refused' } : { kind: 'not_able' };
}
