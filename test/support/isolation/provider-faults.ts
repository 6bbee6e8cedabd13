import { ENDPOINTS as HYPERSWITCH_ENDPOINTS } from '../../../sandbox/hyperswitch/faults.js';
import { ENDPOINTS as STRIPE_ENDPOINTS } from '../../../sandbox/stripe/http/endpoints.js';
import { METHOD_NAMES } from '../../../sandbox/tempo/http/rpc.js';
import type { Providers } from './providers.js';

export const PROVIDERS = ['auth server', 'chain', 'Hyperswitch', 'Stripe'] as const;
export type Provider = (typeof PROVIDERS)[number];
export const PROVIDER_FAULTS = ['hung', 'refusing', 'slow'] as const;
export type ProviderFault = (typeof PROVIDER_FAULTS)[number];

/** Longer than anybody's patience. */
const HANG_MS = 60_000;
const SLOW_MS = 3_000;

/** Makes one provider ill: it takes calls and never answers, refuses connections, or answers after seconds. */
export async function injectFault(providers: Providers, provider: Provider, what: ProviderFault): Promise<void> {
  const standIn = standInOf(providers, provider);
  if (what === 'refusing') return await standIn.die();
  if (what === 'hung') standIn.disturb('hang_before_commit', HANG_MS);
  else standIn.disturb('slow', SLOW_MS);
}

/** Only reads of payouts never come back; everything else at Stripe is well. */
export function hangPayouts({ stripe }: Providers): void {
  stripe.setFaults([{ kinds: ['hang_before_commit'], on: ['payouts.read'], ms: HANG_MS }]);
}

/** Whatever was ill is well again. Calls that hang are cut off: for their callers to give up, a third of a minute would pass. */
export async function clearFaults(providers: Providers): Promise<void> {
  for (const standIn of [providers.authServer, providers.chain, providers.hyperswitch, providers.stripe]) {
    if (standIn.faults().length > 0) await standIn.die();
    standIn.setFaults([]);
    await standIn.revive();
  }
}

/** How many calls it has taken so far. */
export function callsOf({ authServer, chain, hyperswitch, stripe }: Providers, provider: Provider): number {
  switch (provider) {
    case 'auth server':
      return authServer.calls().totals.settleCalls;
    case 'chain':
      return chain.calls().totals.calls;
    case 'Hyperswitch':
      return hyperswitch.calls().calls.length;
    case 'Stripe':
      return stripe.calls().totals.calls;
  }
}

type Kind = 'hang_before_commit' | 'slow';

function standInOf({ authServer, chain, hyperswitch, stripe }: Providers, provider: Provider) {
  switch (provider) {
    case 'auth server':
      return {
        die: () => authServer.die(),
        disturb: (kind: Kind, ms: number) => authServer.setFaults([{ kinds: [kind], on: ['settle', 'verify'], ms }]),
      };
    case 'chain':
      return {
        die: () => chain.die(),
        disturb: (kind: Kind, ms: number) => chain.setFaults([{ kinds: [kind], on: [...METHOD_NAMES], ms }]),
      };
    case 'Hyperswitch':
      return {
        die: () => hyperswitch.die(),
        disturb: (kind: Kind, ms: number) =>
          hyperswitch.setFaults([{ kinds: [kind], on: [...HYPERSWITCH_ENDPOINTS], ms }]),
      };
    case 'Stripe':
      return {
        die: () => stripe.die(),
        disturb: (kind: Kind, ms: number) => stripe.setFaults([{ kinds: [kind], on: [...STRIPE_ENDPOINTS], ms }]),
      };
  }
}
