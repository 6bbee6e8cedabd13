import type { AttentionReason } from '../decisions/attention.js';
import type { DecidableKind } from '../decisions/decisions.js';
import { runbookOf } from '../explanations/attention-reasons.js';
import { pausableOf } from '../provider-pauses.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** A provider, or one seller at it, that is not called now. */
export interface OpenBreaker {
  readonly provider: string;
  readonly reason: 'outage' | 'config' | 'paused' | null;
  readonly detail: string | null;
  readonly openedAt: string | null;
}

/** Items of one kind that a person is asked about for one reason. */
export interface AskedAbout {
  readonly kind: DecidableKind;
  readonly reason: AttentionReason;
  readonly count: number;
  readonly since: string;
}

/** The oldest item of a kind that has not ended and of which nobody is asked. */
export interface OldestUnfinished {
  readonly kind: DecidableKind;
  readonly id: string;
  readonly status: string;
  readonly since: string;
  readonly count: number;
}

/** When a lane of sweeps had its last success; null: never. */
export interface LaneOfSweeps {
  readonly lane: string;
  readonly succeededAt: string | null;
  /** When the ledger was made: one that is young has not missed a sweep. */
  readonly ledgerSince: string;
}

export const parkedFindings = (breakers: readonly OpenBreaker[]): readonly Finding[] =>
  breakers.length === 0
    ? [ok('parked', 'no provider is parked')]
    : breakers.map(({ provider, reason, detail, openedAt }) => {
        const says = `${provider} is not called since ${openedAt ?? 'it is not known when'}: ${detail ?? reason ?? 'no reason was kept'}`;
        if (reason === 'paused')
          return warn('parked', says, `makegood resume ${pausableOf(provider) ?? provider}, once its reason is gone`);
        return reason === 'config'
          ? fail(
              'parked',
              says,
              `what answers is not the provider as we know it, or does not let us in: ${cureOf(provider)}`,
            )
          : warn('parked', says, 'nothing: it is probed, and what waits goes on when it answers');
      });

const cureOf = (provider: string): string =>
  provider.startsWith('stripe') ? 'docs/runbooks/stripe-key-rotated-or-revoked.md' : 'docs/runbooks/provider-outage.md';

export const askedFindings = (asked: readonly AskedAbout[]): readonly Finding[] =>
  asked.length === 0
    ? [ok('waiting', 'nothing waits for a person')]
    : asked.map(({ kind, reason, count, since }) =>
        warn(
          'waiting',
          `${count} of ${kind}s: ${reason}, the oldest since ${since}`,
          `makegood list ${kind}s --needs-attention, then ${runbookOf(kind, reason)}`,
        ),
      );

const A_DAY_MS = 86_400_000;

export const oldestFindings = (oldest: readonly OldestUnfinished[], nowMs: number): readonly Finding[] =>
  oldest.length === 0
    ? [ok('waiting', 'nothing is unfinished')]
    : oldest.map(({ kind, id, status, since, count }) => {
        const says = `${count} of ${kind}s are unfinished; the oldest is ${id}, ${status}, since ${since}`;
        return nowMs - Date.parse(since) > A_DAY_MS
          ? warn('waiting', says, `makegood explain ${id}`)
          : ok('waiting', says);
      });

/** Beyond this a sweep is not late any more, it is missing. */
const LATE_MS = 15 * 60_000;

export function sweepFindings(lanes: readonly LaneOfSweeps[], nowMs: number): readonly Finding[] {
  const late = lanes.filter(({ succeededAt, ledgerSince }) => nowMs - Date.parse(succeededAt ?? ledgerSince) > LATE_MS);
  if (late.length === 0) return [ok('waiting', 'every sweep had a success within 15 minutes')];
  return [
    warn(
      'waiting',
      `sweeps without a success within 15 minutes: ${late.map(({ lane, succeededAt }) => `${lane} (${succeededAt ?? 'never'})`).join(', ')}`,
      'see that a worker runs and that Temporal answers (docs/runbooks/sweep-not-succeeding.md)',
    ),
  ];
}
