import { startHyperswitchSandbox } from '../../sandbox/hyperswitch/start.js';
import type { Clock } from '../../src/domain/clock.js';
import { startFundedStripe } from './marketplace/funded-stripe.js';

/** What most tests want of Hyperswitch: buyers pay and refunds succeed at once. */
export const AT_ONCE = { pay: { to: 'succeeded', afterMs: 0 }, refund: { to: 'succeeded', afterMs: 0 } } as const;

/**
 * Both providers of the marketplace by one clock; Hyperswitch carries out at once whatever it is asked.
 * @param linked payments are made at the same Stripe account; default: by a connector elsewhere
 */
export async function startStandIns(clock: Clock, { linked = false }: { readonly linked?: boolean } = {}) {
  const stripe = await startFundedStripe({ clock });
  const behind = linked ? { stripe: { url: stripe.url } } : {};
  const hyperswitch = await startHyperswitchSandbox({ clock, auto: AT_ONCE, ...behind });
  return {
    stripe,
    hyperswitch,
    async close() {
      await hyperswitch.close();
      await stripe.close();
    },
  };
}
