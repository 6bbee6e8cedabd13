import { ATTENTION_REASONS } from '../../src/domain/decisions/attention.js';
import { DECIDABLE_KINDS } from '../../src/domain/decisions/decisions.js';
import type { MarketplaceKind } from '../../src/domain/marketplace/marketplace.js';
import type { Figures, MarketplaceFigures } from '../../src/ledger/figure-types.js';
import { NO_FIGURES } from '../support/api.js';

export interface State {
  /** What Postgres would count in each minute; undefined: it does not answer. */
  readonly figures: (minute: number) => Partial<Figures> | undefined;
  readonly temporal?: boolean;
  /** Prometheus' own `up`; null: no target at all. */
  readonly scraped?: 0 | 1 | null;
}

/** The sweep ends every minute; nothing is wrong. */
const calm = (minute: number): Partial<Figures> => ({
  sweeps: ['settlement-x402', 'reversal'].map((name) => ({ name, lastSuccess: minute * 60 })),
});

const late = (from: number, change: Partial<Figures>) => (minute: number) =>
  minute < from ? calm(minute) : { ...calm(minute), ...change };

const always = (change: Partial<Figures>) => late(0, change);

const attention = (oldestSeconds: number, kind = 'settlement', reason = 'uncollectable') => [
  { kind, reason, count: 1, oldestSeconds },
];
/** Everything that anything can wait for. */
const EVERY_QUESTION = DECIDABLE_KINDS.flatMap((kind) =>
  ATTENTION_REASONS.flatMap((reason) => attention(300, kind, reason)),
);
const unsettled = (oldestSeconds: number): Figures['unsettled'] =>
  [{ protocol: 'x402', asset: '0xusdc', decimals: 6, count: 1, amount: '3000', oldestSeconds }] as never;
const failures = (count: number): Figures['firstFailures'] => [{ protocol: 'x402', reason: 'server_error', count }];
const breaker = (state: 'closed' | 'open' | 'half_open', provider = 'auth-server:atxp', returns = 0) => [
  { provider, state, reason: 'outage', returns },
];
const marketplace = (change: Partial<MarketplaceFigures>): Partial<Figures> => ({
  marketplace: { ...NO_FIGURES.marketplace, ...change },
});
const open = (kind: MarketplaceKind, status: string, oldestSeconds: number): Partial<Figures> =>
  marketplace({ open: [{ kind, status, currency: 'USD', count: 1, amount: '600', oldestSeconds }] });
const unknown = (count: number): Partial<Figures> =>
  marketplace({ unknown: [{ kind: 'reversal', count, oldestSeconds: 60 }] });
const readsWait = (waitSeconds: number, lane = 'in_turn') => marketplace({ reads: [{ lane, waitSeconds }] });
const unprocessed = (oldestSeconds: number): Partial<Figures> =>
  marketplace({ webhooks: [{ provider: 'stripe', count: 1, oldestSeconds }] });

const destination = (failingSeconds: number, gone = false): Partial<Figures> => ({
  destinations: [{ id: 'webhook:ops.example.com:1a2b3c4d', waiting: 1, failingSeconds, gone }],
});

/** [state, when it is looked at, what is firing then and nothing else; an alert for each series] */
export const PLANTED: readonly (readonly [
  what: string,
  state: State | State['figures'],
  minute: number,
  firing: readonly string[],
])[] = [
  ['nothing is wrong', calm, 60, []],
  ['a charge is 14 minutes old', always({ unsettled: unsettled(840) }), 60, []],
  ['a charge has been old for 4 minutes', late(30, { unsettled: unsettled(1000) }), 34, []],
  ['a charge has been old for 5 minutes', late(30, { unsettled: unsettled(1000) }), 35, ['MakegoodUnsettledOld']],
  ['an outcome has been unknown for 14 minutes', late(30, { unknown: 1 }), 44, []],
  ['an outcome has been unknown for 15 minutes', late(30, { unknown: 1 }), 45, ['MakegoodUnknownOutcome']],
  ['a credential expires', late(30, { expiring: 1 }), 31, ['MakegoodCredentialsExpiring']],
  ['a few settlements fail', (minute) => ({ ...calm(minute), firstFailures: failures(minute >= 30 ? 8 : 0) }), 35, []],
  [
    'many settlements fail, the first ones ever',
    (minute) => ({ ...calm(minute), firstFailures: failures(minute >= 30 ? 20 : 0) }),
    35,
    ['MakegoodSettleFailures'],
  ],
  [
    'many settlements failed an hour ago',
    (minute) => ({ ...calm(minute), firstFailures: failures(minute >= 5 ? 20 : 0) }),
    60,
    [],
  ],
  ['an item needs attention', late(30, { needsAttention: attention(300) }), 35, ['MakegoodNeedsAttention']],
  [
    'an item has needed attention for a day',
    late(30, { needsAttention: attention(86_500) }),
    35,
    ['MakegoodNeedsAttention', 'MakegoodNeedsAttentionOld'],
  ],
  [
    'anything waits for a person, of whatever kind and for whatever reason',
    late(30, { needsAttention: EVERY_QUESTION }),
    35,
    EVERY_QUESTION.map(() => 'MakegoodNeedsAttention'),
  ],
  [
    'a key that may not write has failed a thousand reversals',
    late(30, {
      needsAttention: [{ kind: 'reversal', reason: 'provider_config', count: 1_000, oldestSeconds: 300 }],
    }),
    35,
    ['MakegoodNeedsAttention'],
  ],
  [
    'a payment has waited for a person for a day',
    late(30, { needsAttention: attention(86_500, 'payment', 'payment_amount_differs') }),
    35,
    ['MakegoodNeedsAttention', 'MakegoodNeedsAttentionOld'],
  ],
  [
    'a session that cannot be read has waited for a person for a day',
    late(30, { needsAttention: attention(86_500, 'settlement', 'unreadable_session') }),
    35,
    ['MakegoodNeedsAttention', 'MakegoodNeedsAttentionOld'],
  ],
  ['a charge seems settled elsewhere', late(30, { suspectedElsewhere: 1 }), 30, ['MakegoodSuspectedElsewhere']],
  [
    'a delivery became unknown',
    (minute) => ({ ...calm(minute), deliveryUnknown: minute >= 30 ? 5 : 4 }),
    40,
    ['MakegoodDeliveryUnknown'],
  ],
  [
    'an answer that was settled first became due',
    (minute) => ({ ...calm(minute), answersDue: minute >= 30 ? 5 : 4 }),
    45,
    ['MakegoodAnswersDue'],
  ],
  ['answers have been due for long', always({ answersDue: 4 }), 60, []],
  ['deliveries have been unknown for long', always({ deliveryUnknown: 4 }), 60, []],
  ['a breaker has just opened', late(30, { breakers: breaker('open') }), 33, []],
  ['a breaker stays open', late(30, { breakers: breaker('open') }), 35, ['MakegoodProviderUnavailable']],
  [
    'a breaker tries and tries',
    (minute) => ({ ...calm(minute), breakers: breaker(minute % 2 ? 'half_open' : 'open') }),
    35,
    ['MakegoodProviderUnavailable'],
  ],
  ['a breaker is closed', always({ breakers: breaker('closed') }), 60, []],
  ['charges are parked', late(30, { parked: 2 }), 32, ['MakegoodSettlementsParked']],
  [
    'one part is not compared any more, and the others are',
    late(30, {
      compared: [
        { part: 'stripe-transfers', ageSeconds: 7_300 },
        { part: 'workflows', ageSeconds: 7_100 },
      ],
    }),
    38,
    ['MakegoodComparingStopped'],
  ],
  [
    'both sweeps stopped',
    (minute) => calm(Math.min(minute, 30)),
    38,
    ['MakegoodSweepNotSucceeding', 'MakegoodSweepNotSucceeding'],
  ],
  [
    'one of the sweeps stopped',
    (minute) => ({
      sweeps: [
        { name: 'settlement-x402', lastSuccess: minute * 60 },
        { name: 'reversal', lastSuccess: Math.min(minute, 30) * 60 },
      ],
    }),
    38,
    ['MakegoodSweepNotSucceeding'],
  ],
  [
    'the sweep has never ended',
    () => ({ sweeps: [{ name: 'settlement-x402', lastSuccess: null }] }),
    10,
    ['MakegoodSweepNotSucceeding'],
  ],
  [
    'a reversal needs attention, and a settlement for the same reason',
    late(30, {
      needsAttention: [
        { kind: 'reversal', reason: 'conflict', count: 1, oldestSeconds: 300 },
        { kind: 'settlement', reason: 'conflict', count: 1, oldestSeconds: 90_000 },
      ],
    }),
    35,
    ['MakegoodNeedsAttention', 'MakegoodNeedsAttention', 'MakegoodNeedsAttentionOld'],
  ],
  ['nobody has known of a reversal for 29 minutes', late(30, unknown(1)), 59, []],
  ['nobody has known of a reversal for 30 minutes', late(30, unknown(1)), 60, ['MakegoodOutcomeUnknown']],
  ['a reversal became known again', late(30, unknown(0)), 65, []],
  ['a refund takes a day', late(30, open('refund', 'pending', 86_000)), 40, []],
  ['a refund takes more than a day', late(30, open('refund', 'review', 86_500)), 35, ['MakegoodRefundsOld']],
  ['a transfer is retried', late(30, open('transfer', 'failed', 7_100)), 40, []],
  ['a seller is not paid for two hours', late(30, open('transfer', 'failed', 7_300)), 35, ['MakegoodTransfersOld']],
  ['a reversal is retried', late(30, open('reversal', 'pending', 7_100)), 40, []],
  ['a reversal is pending for two hours', late(30, open('reversal', 'pending', 7_300)), 35, ['MakegoodReversalsOld']],
  ['a reversal waits for a balance', late(30, open('reversal', 'waiting_balance', 600_000)), 40, []],
  [
    'a reversal has waited for a balance for a week',
    late(30, open('reversal', 'waiting_balance', 604_900)),
    35,
    ['MakegoodBalanceWaitLong'],
  ],
  ['transfers wait for the balance', late(30, open('transfer', 'waiting_platform_balance', 600_000)), 40, []],
  [
    'transfers have waited for the balance for a week',
    late(30, open('transfer', 'waiting_platform_balance', 604_900)),
    35,
    ['MakegoodPlatformBalanceLow'],
  ],
  ['a seller is being examined', late(30, open('transfer', 'waiting_seller', 1_200_000)), 40, []],
  [
    'a seller has not been able to receive for two weeks',
    late(30, open('transfer', 'waiting_seller', 1_210_000)),
    35,
    ['MakegoodSellerWaitLong'],
  ],
  ['a bank takes three months', late(30, open('dispute', 'open', 8_000_000)), 40, []],
  ['a dispute is older than four months', late(30, open('dispute', 'open', 10_368_100)), 35, ['MakegoodDisputesOld']],
  ['a bank transfer takes its time', late(30, open('payment', 'processing', 1_000_000)), 60, []],
  [
    'a payment has been processing for two weeks',
    late(30, open('payment', 'processing', 1_210_000)),
    35,
    ['MakegoodPaymentsOld'],
  ],
  ['reads of Hyperswitch wait a little', late(30, readsWait(2)), 60, []],
  [
    'reads of Hyperswitch wait for four minutes',
    (minute) => ({ ...calm(minute), ...readsWait(minute >= 30 && minute < 34 ? 4.9 : 0) }),
    40,
    [],
  ],
  [
    'a lane of reads of Hyperswitch stays full',
    (minute) => ({ ...calm(minute), ...readsWait(minute < 30 ? 0 : 4.9) }),
    42,
    ['MakegoodHyperswitchReadsWait'],
  ],
  [
    'the lane of reads before reversals is full, less so when it is looked at',
    (minute) => ({ ...calm(minute), ...readsWait(minute < 30 ? 0 : minute % 3 ? 4.9 : 1, 'first') }),
    50,
    ['MakegoodHyperswitchReadsWait'],
  ],
  ['a payment is never finished by its buyer', late(30, open('payment', 'pending', 900_000)), 60, []],
  ['Stripe refuses the key', late(30, { breakers: breaker('open', 'stripe') }), 32, ['MakegoodStripeParked']],
  ['Stripe was parked once', late(30, { breakers: breaker('closed', 'stripe') }), 60, []],
  [
    'Stripe refuses one seller',
    late(30, { breakers: breaker('half_open', 'stripe:acct_a') }),
    45,
    ['MakegoodSellerParked'],
  ],
  [
    'Stripe is parked again soon after it had let us in',
    late(30, { breakers: breaker('closed', 'stripe', 1) }),
    31,
    ['MakegoodParkComesBack'],
  ],
  ['events are processed within minutes', late(30, unprocessed(500)), 60, []],
  ['an event is not processed', late(30, unprocessed(700)), 35, ['MakegoodWebhooksUnprocessed']],
  ['a destination has failed for some minutes', late(30, destination(800)), 60, []],
  ['a destination fails', late(30, destination(1000)), 33, ['MakegoodNotificationsFail']],
  ['a destination is gone', late(30, destination(0, true)), 33, ['MakegoodNotificationsFail']],
  ['Temporal is away', { figures: calm, temporal: false }, 10, ['MakegoodDependencyDown']],
  ['Postgres is away', (minute) => (minute < 30 ? calm(minute) : undefined), 35, ['MakegoodDependencyDown']],
  ['the server cannot be scraped', { figures: calm, scraped: 0 }, 10, ['MakegoodServerDown']],
  ['no server is known', { figures: calm, scraped: null }, 10, ['MakegoodServerDown']],
];

/** Something of everything that a rule asks for. */
export const EVERY_SERIES: Partial<Figures> = {
  ...calm(0),
  compared: [{ part: 'workflows', ageSeconds: 1 }],
  unsettled: unsettled(1),
  needsAttention: attention(1),
  breakers: [...breaker('open'), ...breaker('open', 'stripe')],
  ...destination(1),
  marketplace: {
    ...NO_FIGURES.marketplace,
    ...open('reversal', 'pending', 1).marketplace,
    unknown: unknown(1).marketplace?.unknown ?? [],
    webhooks: unprocessed(1).marketplace?.webhooks ?? [],
    reads: readsWait(1).marketplace?.reads ?? [],
  },
};
