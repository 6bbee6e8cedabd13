import type { ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Stripe } from '../../providers/stripe/client.js';
import type { StripeAccountCheck } from './stripe-call-types.js';

export interface StripeAccountDependencies {
  readonly ledger: Pick<Ledger, 'pinStripeAccount' | 'parkProvider' | 'unparkProvider'>;
  readonly stripe: Stripe;
}

/**
 * The key in use must belong to the account and mode this ledger is pinned to: another account would know none of our
 * transfers, and every item would look lost. Asked once per process, and again after Stripe was parked.
 */
export function createStripeAccountCheck({ ledger, stripe }: StripeAccountDependencies): StripeAccountCheck {
  let verified = false;
  let asking: ReturnType<StripeAccountCheck['verify']> | undefined;

  async function ask(): ReturnType<StripeAccountCheck['verify']> {
    const answer = await stripe.inLane('probe').readAccount();
    if (answer.kind === 'missing') return { kind: 'unclear', detail: answer.detail };
    if (answer.kind !== 'found') return answer;
    verified = await ledger.pinStripeAccount(answer.value);
    if (verified) return undefined;
    return {
      kind: 'misdirected',
      scope: 'provider',
      detail: `STRIPE_SECRET_KEY belongs to ${answer.value.accountId} (${answer.value.livemode ? 'live' : 'test'} mode), not to the account of this ledger: nothing was sent; set the right key`,
    };
  }

  /** Many calls ask at once; one of them asks for all. */
  function askForAll(): ReturnType<StripeAccountCheck['verify']> {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  }

  return {
    async verify() {
      if (verified) return undefined;
      return await askForAll();
    },

    async confirm(scope, sellerAccount) {
      if (scope === 'provider') return await askForAll();
      const answer = await stripe.inLane('probe').readBalance(sellerAccount);
      return answer.kind === 'found' || answer.kind === 'missing' ? undefined : answer;
    },

    async probe(provider, sellerAccount) {
      verified = false;
      const refused = provider === 'stripe' ? await ask() : await sellerRefused(sellerAccount);
      if (refused) {
        await ledger.parkProvider(provider, refused.detail);
        return false;
      }
      await ledger.unparkProvider(provider);
      return true;
    },
  };

  async function sellerRefused(sellerAccount: string): Promise<{ detail: string } | undefined> {
    const answer: ReadAnswer<unknown> = await stripe.inLane('probe').readBalance(sellerAccount);
    return answer.kind === 'found' ? undefined : { detail: answer.detail };
  }
}
