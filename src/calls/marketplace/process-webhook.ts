import type { PaymentId, ReversalId, TransferId } from '../../domain/ids.js';
import { takenByOthers } from '../../domain/marketplace/foreign-reversals.js';
import { markOfReversal } from '../../domain/marketplace/ours-at-stripe.js';
import { StripeMoney } from '../../domain/marketplace/stripe-money.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Finishing, MarketplaceItem, NewWebhookEvent } from '../../ledger/marketplace/marketplace-types.js';
import { whyUnread } from './payouts.js';
import type { PinnedStripe } from './pinned-reads.js';
import { createToldSearch, LEFT_US } from './told-search.js';
import { standingAt } from './what-transfers-wait-for.js';

export interface WebhookDependencies {
  readonly ledger: Pick<
    Ledger,
    | 'itemOfWebhook'
    | 'webhookRound'
    | 'finishWebhook'
    | 'balanceRose'
    | 'waitsForBalance'
    | 'refundsThatWait'
    | 'balanceShows'
    | 'sellerMatters'
    | 'sellerShows'
    | 'savePayout'
    | 'payoutEventRefused'
    | 'payoutsReadableAgain'
    | 'reversedTransfer'
    | 'noteReversed'
    | 'adoptReversal'
    | 'paymentAtProcessor'
  >;
  /** undefined: payouts are left to a process that can read them. */
  readonly stripe: PinnedStripe | undefined;
  /** Looks for disputes and refunds of a payment. @returns why not all could be read; left out: Hyperswitch is not configured here */
  readonly searchPayment?: ((id: PaymentId) => Promise<string | undefined>) | undefined;
  readonly wake: (items: readonly MarketplaceItem[]) => void;
}

/** `left`: what the event is about could not be read now. */
export type Processed = 'acted' | 'left';

/**
 * An event is only a hint: what it names is read from the provider again. Where that is a payment or a refund, its
 * workflow reads it and finishes the event; whatever is left unfinished is found by the sweep.
 */
export function createWebhookProcessor({ ledger, stripe, searchPayment, wake }: WebhookDependencies) {
  const searchFor = createToldSearch({ ledger, stripe, searchPayment });
  return async function processWebhook(event: NewWebhookEvent): Promise<Processed> {
    const item = await ledger.itemOfWebhook(event);
    if (item && (item.kind === 'payment' || item.kind === 'refund' || item.kind === 'dispute')) {
      wake([item]);
      return 'acted';
    }
    const taken = { ...event, round: await ledger.webhookRound(event) };
    if (event.provider === 'stripe' && event.account !== null) {
      if (event.type === 'balance.available') {
        wake(await ledger.balanceRose(event.account));
        await ledger.finishWebhook(taken, 'woke');
        return 'acted';
      }
      if (event.type.startsWith('payout.') && event.objectId !== null)
        return await finished(taken, await readPayout(taken, event.objectId, event.account));
    }
    if (event.provider === 'stripe' && event.account === null && LEFT_US.test(event.type))
      return await finished(taken, await searchFor(event));
    if (event.provider === 'stripe' && event.account === null && event.type === 'balance.available')
      return await finished(taken, await readBalance());
    const seller = event.provider === 'stripe' ? sellerOf(event) : undefined;
    if (seller !== undefined && event.type === BACK) await ledger.payoutsReadableAgain(seller);
    if (seller !== undefined) return await finished(taken, await readSeller(seller, event.type === LEFT));
    const told = item?.kind === 'transfer' && event.type === 'transfer.reversed' ? await readReversed(item.id) : null;
    if (told === 'left') return 'left';
    // Other events of known transfers tell what their calls read by themselves; the rest is not about money of ours.
    await ledger.finishWebhook(taken, told ?? (item ? 'noted' : 'nothing_to_do'));
    return 'acted';
  };

  /** Nothing is known of what the event was about while it was not read: then it stays due. */
  async function finished(taken: Finishing, outcome: string): Promise<Processed> {
    if (outcome === 'left') return 'left';
    await ledger.finishWebhook(taken, outcome);
    return 'acted';
  }

  /** Where nobody lets us in, its event ends as the payout itself would. */
  async function readPayout(taken: Finishing, id: string, account: string): Promise<string> {
    const answer = await stripe?.inLane(account).readPayout(id, account);
    if (!answer) return 'left';
    if (answer.kind === 'found') {
      await ledger.savePayout(answer.value);
      return answer.kind;
    }
    const why = whyUnread(answer);
    if (why === 'refused') await ledger.payoutEventRefused(taken, { id, account, detail: answer.detail });
    return why === 'gone' ? answer.kind : 'left';
  }

  /** The platform's own: refunds and transfers may wait for it. */
  async function readBalance(): Promise<string> {
    const refunds = await ledger.refundsThatWait();
    wake(refunds);
    if (!(await ledger.waitsForBalance())) return refunds.length > 0 ? 'woke' : 'nothing_to_do';
    const answer = await stripe?.inLane('probe').readPlatformBalance();
    if (answer?.kind !== 'found') return 'left';
    wake(await ledger.balanceShows(answer.value, true));
    return 'woke';
  }

  async function readSeller(account: string, left: boolean): Promise<string> {
    if (!(await ledger.sellerMatters(account, left))) return 'nothing_to_do';
    const standing = stripe && (await standingAt(stripe.inLane('probe'), account));
    if (!standing) return 'left';
    wake(await ledger.sellerShows(account, standing));
    return standing.state;
  }

  /** Whoever reversed it: what bears our mark and has no look of its own any more is a late success. `left`: Stripe was not read, so the event stays due. */
  async function readReversed(id: string): Promise<'found' | 'missing' | 'noted' | 'left'> {
    const transfer = await ledger.reversedTransfer(id as TransferId);
    if (!transfer) return 'noted';
    if (!stripe) return 'left';
    const answer = await stripe.inLane(transfer.sellerAccount).readTransfer(transfer.stripeTransferId);
    if (answer.kind !== 'found') return answer.kind === 'missing' ? 'missing' : 'left';
    for (const reversal of answer.value.reversals) {
      const { stripeReversalId, amount, currency, state } = reversal;
      const operation = markOfReversal(reversal) ?? '';
      if (state !== 'done' || transfer.stripeIds.includes(stripeReversalId) || !transfer.unwatched.includes(operation))
        continue;
      const taken = StripeMoney.read(amount, currency);
      wake((await ledger.adoptReversal(operation as ReversalId, stripeReversalId, taken)).started);
    }
    wake(await ledger.noteReversed(id as TransferId, takenByOthers(answer.value, transfer)));
    return 'found';
  }
}

/** He has disconnected from the platform. */
const LEFT = 'account.application.deauthorized';
/** He lets us in, again or for the first time. */
const BACK = 'account.application.authorized';
const OF_SELLERS: ReadonlySet<string> = new Set(['account.updated', 'capability.updated', BACK, LEFT]);

/** Of which connected account an event tells what it can do. */
function sellerOf({ type, account, objectId }: NewWebhookEvent): string | undefined {
  if (!OF_SELLERS.has(type)) return undefined;
  return account ?? (objectId?.startsWith('acct_') ? objectId : undefined);
}
