import type { PayoutFacts } from '../../domain/calls/payout-answers.js';
import type { ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { DuePayout, PayoutUnread } from '../../ledger/marketplace/payout-contents.js';
import type { PinnedStripe } from './pinned-reads.js';

export interface PayoutDependencies {
  readonly ledger: Pick<Ledger, 'savePayout' | 'payoutRead' | 'savePayoutContents' | 'payoutUnread'>;
  readonly stripe: PinnedStripe;
}

/** Reads a payout and, once it has ended, what it contained, page by page: each is kept, so that a long list needs no second beginning. */
export function createPayoutReading({ ledger, stripe }: PayoutDependencies) {
  /** @returns why not all of it could be read */
  return async function readPayout({ externalPayoutId: id, sellerAccount }: DuePayout): Promise<string | undefined> {
    const calls = stripe.inLane(sellerAccount);
    const read = await calls.readPayout(id, sellerAccount);
    if (read.kind !== 'found') return await unread(id, read);
    await ledger.savePayout(read.value);
    let page = await ledger.payoutRead(read.value);
    while (page) {
      const contents = await calls.payoutContents(id, sellerAccount, page.after);
      if (contents.kind !== 'found') return await unread(id, contents);
      const saved = await ledger.savePayoutContents(read.value, page.after, contents.value);
      page = saved && contents.value.next !== null ? { after: contents.value.next } : undefined;
    }
    return undefined;
  };

  async function unread(
    id: PayoutFacts['externalPayoutId'],
    answer: Exclude<ReadAnswer<unknown>, { kind: 'found' }>,
  ): Promise<string> {
    const { detail } = answer;
    await ledger.payoutUnread(id, { why: whyUnread(answer), detail });
    return detail;
  }
}

/** What is concluded of a payout that was not read. */
export function whyUnread(answer: Exclude<ReadAnswer<unknown>, { kind: 'found' }>): PayoutUnread['why'] {
  if (answer.kind === 'missing') return 'gone';
  // Of a key that is refused altogether nothing is concluded about one seller.
  return answer.kind === 'misdirected' && answer.scope === 'seller' ? 'refused' : 'later';
}
