import { isComparedLate } from '../../domain/doctor/comparing.js';
import { runbookOf } from '../../domain/explanations/attention-reasons.js';
import { BREAKERS_OF, PAUSABLE, pausableOf } from '../../domain/provider-pauses.js';
import { type StripeRate, stripeRateInForce } from '../../domain/stripe-rate.js';
import type { Figures } from '../../ledger/figure-types.js';
import type { OverviewFacts, ProviderState, WaitingSum } from '../../ledger/reading/overview-facts.js';
import { rateAnswer } from '../acting/stripe-rate.js';
import { fromLedger } from '../from-ledger.js';
import type { Reply } from '../route.js';
import type { ReadingDependencies } from './reading-dependencies.js';

/** What needs a person, what is promised and has not moved, how the providers are. */
export async function overview({
  ledger,
  stripePerSecond,
  reconcileEveryMs,
}: Pick<ReadingDependencies, 'ledger' | 'stripePerSecond' | 'reconcileEveryMs'>): Promise<Reply> {
  const [figures, facts, rate] = await fromLedger(
    Promise.all([ledger.figures(), ledger.overviewFacts(), ledger.stripeRate()]),
  );
  const ago = (seconds: number) => new Date(Date.parse(facts.at) - seconds * 1000).toISOString();
  return {
    status: 200,
    body: {
      at: facts.at,
      needs_a_person: needsAPerson(facts.waiting),
      unsettled: figures.unsettled.map(({ oldestSeconds, ...sum }) => ({ ...sum, oldest_at: ago(oldestSeconds) })),
      marketplace: figures.marketplace.open.map(({ oldestSeconds, ...sum }) => ({
        ...sum,
        oldest_at: ago(oldestSeconds),
      })),
      providers: providers(facts, rate, stripePerSecond()),
      inbox: figures.marketplace.webhooks.map(({ provider, count, oldestSeconds }) => ({
        provider,
        count,
        oldest_at: ago(oldestSeconds),
      })),
      sweeps: figures.sweeps.map(({ name, lastSuccess }) => ({
        name,
        last_success_at: lastSuccess === null ? null : new Date(lastSuccess * 1000).toISOString(),
      })),
      compared: figures.compared.map(({ part, ageSeconds }) => ({
        part,
        last_success_at: ago(ageSeconds),
        late: isComparedLate({ ageSeconds }, reconcileEveryMs),
      })),
      decisions_not_taken: await ledger.decisionsNotTaken(),
      counts: countsOf(figures),
      series: seriesOf(facts),
    },
  };
}

const countsOf = (figures: Figures) => ({
  unknown: figures.unknown + figures.marketplace.unknown.reduce((sum, { count }) => sum + count, 0),
  expiring: figures.expiring,
  suspected_elsewhere: figures.suspectedElsewhere,
  delivery_unknown: figures.deliveryUnknown,
  answers_due: figures.answersDue,
  drift: figures.drift.reduce((sum, { count }) => sum + count, 0),
  payouts_failed: figures.needsAttention.reduce((sum, { kind, count }) => sum + (kind === 'payout' ? count : 0), 0),
});

/** One entry for each kind and reason, with a sum for each currency or asset. */
function needsAPerson(waiting: readonly WaitingSum[]) {
  const groups = new Map<string, WaitingSum[]>();
  for (const sum of waiting) {
    const name = `${sum.kind} ${sum.reason}`;
    groups.set(name, [...(groups.get(name) ?? []), sum]);
  }
  return [...groups.values()].map((sums) => {
    const [{ kind, reason }] = sums as [WaitingSum, ...WaitingSum[]];
    return {
      kind,
      reason,
      count: sums.reduce((total, { count }) => total + count, 0),
      oldest_at: sums.map(({ oldestAt }) => oldestAt).sort()[0],
      amounts: sums.map(({ unit, decimals, amount }) => ({ unit, decimals, amount })),
      runbook: runbookOf(kind, reason),
    };
  });
}

/** Those that nobody has told anything of are well. */
function providers(
  { providers: known, lastSuccesses }: OverviewFacts,
  rate: StripeRate,
  stripePerSecond: number | undefined,
) {
  const named = new Set(known.map(({ provider }) => provider));
  const quiet = PAUSABLE.flatMap((pausable) => BREAKERS_OF[pausable])
    .filter((provider) => !named.has(provider))
    .map(well);
  return [...known, ...quiet].map((state) => ({
    provider: state.provider,
    pausable: pausableOf(state.provider) ?? null,
    state: state.state,
    reason: state.reason,
    detail: state.detail,
    since: state.since,
    paused_by: state.pausedBy,
    paused_note: state.pausedNote,
    next_probe_at: state.nextProbeAt,
    pace_per_second: state.provider === 'stripe' ? rate.pace : null,
    limit_per_second: state.provider === 'stripe' ? (stripeRateInForce(rate.set, stripePerSecond) ?? null) : null,
    rate: state.provider === 'stripe' ? rateAnswer(rate, stripePerSecond) : null,
    last_success_at: lastSuccesses.get(state.provider) ?? null,
  }));
}

const well = (provider: string): ProviderState => ({
  provider,
  state: 'closed',
  reason: null,
  detail: null,
  since: null,
  pausedBy: null,
  pausedNote: null,
  nextProbeAt: null,
});

const seriesOf = ({ at, series, stepSeconds, spanSeconds }: OverviewFacts) => ({
  step_seconds: stepSeconds,
  from: new Date(Date.parse(at) - spanSeconds * 1000).toISOString(),
  points: series.map(({ needsAttention, ...point }) => ({ ...point, needs_attention: needsAttention })),
});
