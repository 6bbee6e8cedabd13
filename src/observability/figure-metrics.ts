import { formatDecimal } from '../domain/money.js';
import { DRIFT_KINDS } from '../domain/reconciliation/drift.js';
import { PROTOCOLS } from '../domain/settlements/settlement-status.js';
import type { Figures } from '../ledger/figure-types.js';
import { MARKETPLACE_METRICS } from './marketplace-metrics.js';
import type { FigureMetric, Sample } from './metric.js';

/** What a first failure is counted under, as the ledger names the classes of answers. */
const FAILURE_REASONS = [
  'refused_insufficient',
  'refused_used',
  'refused_expired',
  'refused_other',
  'no_answer',
  'reset',
  'not_connected',
  'server_error',
  'unreadable',
  'busy',
  'misdirected',
] as const;

const single =
  (value: (figures: Figures) => number): FigureMetric['samples'] =>
  (figures) => [{ labels: {}, value: value(figures) }];

const gauge = (name: string, help: string, value: (figures: Figures) => number): FigureMetric => ({
  name,
  help,
  type: 'gauge',
  labels: [],
  samples: single(value),
});

/** Every figure about money; alerts and dashboards use these names. All of them come from Postgres at the scrape. */
export const FIGURE_METRICS: readonly FigureMetric[] = [
  {
    name: 'settle_failed_at_close_total',
    help: 'Settlements whose first settle call failed, by the class of its answer; most are collected later.',
    type: 'counter',
    labels: ['protocol', 'reason'],
    samples: firstFailures,
  },
  {
    name: 'makegood_unsettled_amount',
    help: 'Charged and not collected yet, in units of the asset.',
    type: 'gauge',
    labels: ['protocol', 'asset'],
    samples: ({ unsettled }) =>
      unsettled.map(({ protocol, asset, amount, decimals }) => ({
        labels: { protocol, asset },
        value: Number(formatDecimal(amount, decimals)),
      })),
  },
  gauge('makegood_unsettled_count', 'Settlements pending or waiting for a person.', ({ unsettled }) =>
    unsettled.reduce((sum, { count }) => sum + count, 0),
  ),
  gauge('makegood_unsettled_oldest_seconds', 'Age of the oldest unsettled charge; 0 without one.', ({ unsettled }) =>
    Math.max(0, ...unsettled.map(({ oldestSeconds }) => oldestSeconds)),
  ),
  gauge('makegood_unknown_count', 'Settlements of which it is not known whether the money moved.', (f) => f.unknown),
  gauge('makegood_expiring_count', 'Pending settlements whose credential expires within minutes.', (f) => f.expiring),
  gauge(
    'makegood_parked_count',
    'Pending settlements whose provider answers, but not as the provider we know.',
    (f) => f.parked,
  ),
  {
    name: 'makegood_needs_attention_count',
    help: 'Items that wait for an operator.',
    type: 'gauge',
    labels: ['kind', 'reason'],
    samples: ({ needsAttention }) =>
      needsAttention.map(({ kind, reason, count }) => ({ labels: { kind, reason }, value: count })),
  },
  {
    name: 'makegood_needs_attention_oldest_seconds',
    help: 'How long the oldest of them has been waiting.',
    type: 'gauge',
    labels: ['kind', 'reason'],
    samples: ({ needsAttention }) =>
      needsAttention.map(({ kind, reason, oldestSeconds }) => ({ labels: { kind, reason }, value: oldestSeconds })),
  },
  {
    name: 'makegood_drift_count',
    help: 'Where the ledger and a provider tell different things, by kind; every kind has a series.',
    type: 'gauge',
    labels: ['kind'],
    samples: ({ drift }) =>
      DRIFT_KINDS.map((kind) => ({ labels: { kind }, value: drift.find((one) => one.kind === kind)?.count ?? 0 })),
  },
  {
    name: 'makegood_drift_oldest_seconds',
    help: 'How long the oldest of them has been open.',
    type: 'gauge',
    labels: ['kind'],
    samples: ({ drift }) => drift.map(({ kind, oldestSeconds }) => ({ labels: { kind }, value: oldestSeconds })),
  },
  {
    name: 'makegood_compared_age_seconds',
    help: 'How long ago the run began that last compared all of a part with its provider.',
    type: 'gauge',
    labels: ['part'],
    samples: ({ compared }) => compared.map(({ part, ageSeconds }) => ({ labels: { part }, value: ageSeconds })),
  },
  gauge(
    'makegood_suspected_elsewhere_count',
    'Unfinished settlements that somebody else may have settled.',
    (f) => f.suspectedElsewhere,
  ),
  gauge(
    'makegood_delivery_unknown_count',
    'Charges of which it is not known whether the response went out.',
    (f) => f.deliveryUnknown,
  ),
  gauge(
    'makegood_answers_due_count',
    'Charges that were settled before their response was released, of which nobody has had that response.',
    (f) => f.answersDue,
  ),
  {
    name: 'makegood_sweep_last_success_timestamp_seconds',
    help: 'When the sweep last finished, Unix seconds; 0: never.',
    type: 'gauge',
    labels: ['sweep'],
    samples: ({ sweeps }) =>
      sweeps.map(({ name, lastSuccess }) => ({ labels: { sweep: name }, value: lastSuccess ?? 0 })),
  },
  {
    name: 'makegood_breaker_open',
    help: '1 while nothing, or only a probe, is sent to the provider.',
    type: 'gauge',
    labels: ['provider'],
    samples: ({ breakers }) =>
      breakers.map(({ provider, state }) => ({ labels: { provider }, value: state === 'closed' ? 0 : 1 })),
  },
  {
    name: 'makegood_provider_paused_since_timestamp_seconds',
    help: 'When a person paused the provider, Unix seconds, and who; no series while nobody has.',
    type: 'gauge',
    labels: ['provider', 'by'],
    samples: ({ breakers }) =>
      breakers.flatMap(({ provider, pausedBy, pausedAt }) =>
        pausedBy ? [{ labels: { provider, by: pausedBy }, value: pausedAt ?? 0 }] : [],
      ),
  },
  {
    name: 'makegood_notification_failing_seconds',
    help: 'How long a destination has not taken what it is told; 0 while it does.',
    type: 'gauge',
    labels: ['destination'],
    samples: ({ destinations }) =>
      destinations.map(({ id, failingSeconds }) => ({ labels: { destination: id }, value: failingSeconds })),
  },
  {
    name: 'makegood_notification_gone',
    help: '1 where a destination said that nobody is there any more; nothing is sent to it until a person has tried it.',
    type: 'gauge',
    labels: ['destination'],
    samples: ({ destinations }) =>
      destinations.map(({ id, gone }) => ({ labels: { destination: id }, value: gone ? 1 : 0 })),
  },
  {
    name: 'makegood_notifications_waiting_count',
    help: 'Messages about money that needs a person, not delivered yet.',
    type: 'gauge',
    labels: ['destination'],
    samples: ({ destinations }) =>
      destinations.map(({ id, waiting }) => ({ labels: { destination: id }, value: waiting })),
  },
  ...MARKETPLACE_METRICS,
];

/** Series exist at 0 before anything fails: an increase from nothing is one that Prometheus cannot see. */
function firstFailures({ firstFailures: counted }: Figures): readonly Sample[] {
  const known = PROTOCOLS.flatMap((protocol) => FAILURE_REASONS.map((reason) => ({ protocol, reason, count: 0 })));
  const series = new Map<string, Sample>();
  for (const { protocol, reason, count } of [...known, ...counted]) {
    series.set(`${protocol} ${reason}`, { labels: { protocol, reason }, value: count });
  }
  return [...series.values()];
}
