import type { Ledger } from '../src/ledger/ledger.js';
import type { MoneyItem, NewWebhookEvent } from '../src/ledger/marketplace-types.js';
import type { Stripe } from '../src/providers/stripe/client.js';

export interface WebhookDependencies {
  readonly ledger: Pick<Ledger, 'itemOfWebhook' | 'finishWebhook' | 'balanceRose' | 'savePayout'>;
  /** undefined: payouts are left to a process that can read them. */
  readonly stripe: Stripe | undefined;
  readonly wake: (items: readonly MoneyItem[]) => void;
}

/**
 * An event is only a hint: what it names is read from the provider again. Where that is a payment or a refund, its
 * workflow reads it and finishes the event; whatever is left unfinished is found by the sweep.
 */
export function createWebhookProcessor({ ledger, stripe, wake }: WebhookDependencies) {
  return async function processWebhook(event: NewWebhookEvent): Promise<void> {
    const item = await ledger.itemOfWebhook(event);
    if (item && (item.kind === 'payment' || item.kind === 'refund')) {
      wake([item]);
      return;
    }
    if (event.provider === 'stripe' && event.account !== null) {
      if (event.type === 'balance.available') {
        wake(await ledger.balanceRose(event.account));
        await ledger.finishWebhook(event, 'woke');
        return;
      }
      if (event.type.startsWith('payout.') && event.objectId !== null) {
        if (!stripe) return;
        const answer = await stripe.inLane(event.account).readPayout(event.objectId, event.account);
        if (answer.kind === 'found') await ledger.savePayout(answer.value);
        if (answer.kind === 'found' || answer.kind === 'missing') await ledger.finishWebhook(event, answer.kind);
        return;
      }
    }
    // Known transfers are read by the calls that need them; everything else is not about money of ours.
    await ledger.finishWebhook(event, item ? 'noted' : 'not_ours');
  };
}
