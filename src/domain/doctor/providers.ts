import { type Finding, fail, ok, warn } from './finding.js';

/** What one harmless read of a provider brought. */
export interface ProviderProbe {
  readonly provider: 'auth-server' | 'stripe' | 'hyperswitch' | 'chain';
  readonly outcome: 'well' | 'refused' | 'strange' | 'no_answer';
  readonly detail: string;
  /** Its own clock, where it told: Unix milliseconds, exact to a second. */
  readonly itsClockMs: number | null;
  /** Ours when the answer came. */
  readonly atMs: number;
  /** Whose key it is, in words; null: that was not told. */
  readonly account: string | null;
  /** Of Stripe: payouts of the platform leave by themselves. */
  readonly automaticPayouts?: boolean;
}

/** Whose key it is, in the words that the ledger has for the pinned account. */
export const stripeAccountInWords = (accountId: string, livemode: boolean): string =>
  `${accountId} (${livemode ? 'live' : 'test'})`;
export const hyperswitchAccountInWords = (merchantId: string, profileId: string | null): string =>
  `merchant ${merchantId}${profileId === null ? '' : `, profile ${profileId}`}`;

/** @param pinned whose account the ledger belongs to, in the same words; null: it is not known yet */
export function providerFindings(probe: ProviderProbe, pinned: string | null): readonly Finding[] {
  const { provider, outcome, detail, account, automaticPayouts } = probe;
  if (outcome !== 'well') return [fail('providers', `${provider}: ${detail}`, CURES[outcome](provider))];
  if (account !== null && pinned !== null && account !== pinned)
    return [
      fail(
        'providers',
        `${provider}: the key is of ${account}, and this ledger belongs to ${pinned}`,
        'set the key of the account that the ledger belongs to: with another one nothing is sent and nothing concluded',
      ),
    ];
  return [
    ok('providers', `${provider}: ${detail}${account === null ? '' : `, as ${account}`}`),
    ...(automaticPayouts
      ? [
          warn(
            'providers',
            'stripe: payouts of the platform leave by themselves, and take away what transfers wait for',
            "set the platform's payouts to manual in Stripe's dashboard, or leave a balance (docs/runbooks/platform-balance.md)",
          ),
        ]
      : []),
  ];
}

const SETTINGS = {
  'auth-server': 'AUTH_SERVER_URL',
  stripe: 'STRIPE_SECRET_KEY',
  hyperswitch: 'HYPERSWITCH_API_KEY and HYPERSWITCH_BASE_URL',
  chain: 'TEMPO_RPC_URL and TEMPO_CHAIN_ID',
} as const;
const RUNBOOKS = {
  'auth-server': 'docs/runbooks/provider-outage.md',
  stripe: 'docs/runbooks/stripe-key-rotated-or-revoked.md',
  hyperswitch: 'docs/runbooks/payment-needs-attention.md',
  chain: 'docs/runbooks/provider-outage.md',
} as const;

const CURES: Readonly<
  Record<Exclude<ProviderProbe['outcome'], 'well'>, (provider: ProviderProbe['provider']) => string>
> = {
  refused: (provider) => `it does not let us in: set ${SETTINGS[provider]} right, then restart (${RUNBOOKS[provider]})`,
  strange: (provider) => `something else answers in its place: check ${SETTINGS[provider]} (${RUNBOOKS[provider]})`,
  no_answer: (provider) =>
    `nothing is lost: what waits goes on when it answers; check the network from here, and ${SETTINGS[provider]}`,
};

/** Further apart, ages of keys and signatures of events begin to be misjudged. */
const WARN_MS = 5_000;
const FAIL_MS = 60_000;

/** @param itsClockMs exact to a second where it comes from a header */
export function clockFinding(whose: string, itsClockMs: number, oursMs: number): Finding {
  const apart = Math.abs(itsClockMs - oursMs);
  const says = `${whose}: ${apart < 1_000 ? 'less than a second' : `${Math.round(apart / 1_000)} s`} ${itsClockMs < oursMs ? 'behind' : 'ahead of'} this machine`;
  if (apart <= WARN_MS) return ok('clocks', says);
  return (apart > FAIL_MS ? fail : warn)('clocks', says, 'set both machines by NTP: ages of keys are judged by clocks');
}
