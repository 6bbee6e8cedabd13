import type { Figures } from '../ledger/figure-types.js';
import type { FigureMetric } from './metric.js';

/** Gauges of one list of figures, each with a value of its own for every member. */
const gaugeOf =
  <Item>(
    labels: readonly string[],
    items: (figures: Figures) => readonly Item[],
    labelled: (item: Item) => Readonly<Record<string, string>>,
  ) =>
  (name: string, help: string, value: (item: Item) => number): FigureMetric => ({
    name,
    help,
    type: 'gauge',
    labels,
    samples: (figures) => items(figures).map((item) => ({ labels: labelled(item), value: value(item) })),
  });

const openGauge = gaugeOf(
  ['kind', 'status', 'currency'],
  ({ marketplace }) => marketplace.open,
  ({ kind, status, currency }) => ({ kind, status, currency }),
);
const unknownGauge = gaugeOf(
  ['kind'],
  ({ marketplace }) => marketplace.unknown,
  ({ kind }) => ({ kind }),
);
const webhookGauge = gaugeOf(
  ['provider'],
  ({ marketplace }) => marketplace.webhooks,
  ({ provider }) => ({ provider }),
);
const readGauge = gaugeOf(
  ['lane'],
  ({ marketplace }) => marketplace.reads,
  ({ lane }) => ({ lane }),
);
const payoutGauge = gaugeOf(
  [],
  ({ marketplace }) => [marketplace.payouts],
  () => ({}),
);
/** Of Stripe itself and of single sellers at it. */
const stripeGauge = gaugeOf(
  ['provider'],
  ({ breakers }) => breakers.filter(({ provider }) => provider.startsWith('stripe')),
  ({ provider }) => ({ provider }),
);

/** Payments, refunds, sellers' transfers and reversals. */
export const MARKETPLACE_METRICS: readonly FigureMetric[] = [
  openGauge('makegood_open_count', 'Payments, refunds, transfers and reversals that are not finished.', (o) => o.count),
  openGauge('makegood_open_amount', 'Their amounts, in minor units of the currency.', ({ amount }) => Number(amount)),
  openGauge(
    'makegood_open_oldest_seconds',
    'Age of the oldest of them; of a wait for a balance, how long it has lasted.',
    ({ oldestSeconds }) => oldestSeconds,
  ),
  unknownGauge(
    'makegood_open_unknown_count',
    'Of which it is not known whether the money moved, while no call is at work.',
    ({ count }) => count,
  ),
  unknownGauge(
    'makegood_open_unknown_oldest_seconds',
    'Age of the oldest of them; 0 without one.',
    (u) => u.oldestSeconds,
  ),
  webhookGauge(
    'makegood_webhooks_unprocessed_count',
    'Events of providers that nobody has acted on yet.',
    (w) => w.count,
  ),
  webhookGauge(
    'makegood_webhooks_unprocessed_oldest_seconds',
    'How long the oldest of them has been waiting.',
    ({ oldestSeconds }) => oldestSeconds,
  ),
  payoutGauge(
    'makegood_payouts_unread_count',
    'Payouts of sellers that have ended and whose contents are not read yet.',
    ({ count }) => count,
  ),
  payoutGauge(
    'makegood_payouts_unread_oldest_seconds',
    'Since when the oldest of them has ended, as far as we know; 0 without one.',
    ({ oldestSeconds }) => oldestSeconds,
  ),
  stripeGauge(
    'makegood_provider_parked',
    '1 while Stripe, or one seller at it, does not let us in; nothing is sent there and no retries are used up.',
    ({ state }) => (state === 'closed' ? 0 : 1),
  ),
  stripeGauge(
    'makegood_provider_park_returns',
    'How often in a row Stripe, or one seller at it, was parked again within ten minutes after it had let us in.',
    ({ returns }) => returns,
  ),
  readGauge(
    'makegood_hyperswitch_read_wait_seconds',
    'How long the next read of Hyperswitch would wait for its turn, by lane; from 5 on reads are put off.',
    ({ waitSeconds }) => waitSeconds,
  ),
];
