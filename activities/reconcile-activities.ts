import { Context } from '@temporalio/activity';
import { comparePage } from '../src/calls/reconciliation/compare-page.js';
import type { ComparisonDependencies, Look, Place, Unread } from '../src/calls/reconciliation/comparison.js';
import { lookAgain } from '../src/calls/reconciliation/look-again.js';
import { newReconciliationId, type ReconciliationId } from '../src/domain/ids.js';
import type { Drift, DriftProvider } from '../src/domain/reconciliation/drift.js';
import { LOOK_AGAIN_AFTER_MS, type ReconciledPart, SECOND_LOOK } from '../src/domain/reconciliation/parts.js';
import type { Ledger } from '../src/ledger/ledger.js';
import type { Logger } from '../src/observability/logger.js';
import { partNotRead } from './failures.js';
import type { PartOutcome, ReconcileActivities } from './reconcile-contract.js';

export interface ReconcileDependencies {
  readonly ledger: ComparisonDependencies['ledger'] &
    Pick<
      Ledger,
      | 'beginReconciliation'
      | 'planReconciliation'
      | 'nextPart'
      | 'openPart'
      | 'saveReconciledPage'
      | 'leavePart'
      | 'secondLookInMs'
      | 'finishReconciliation'
      | 'driftsToLookAt'
      | 'driftStands'
      | 'driftAgrees'
      | 'driftUnread'
    >;
  readonly sides: Omit<ComparisonDependencies, 'ledger'>;
  readonly logger: Logger;
  /** Steady milliseconds; it must not jump with the wall clock. */
  readonly monotonicMs: () => number;
  /** Between two requests of a run to one provider; default a fifth of a second. */
  readonly paceMs?: number;
  /** Between the two looks of one run; default a minute. */
  readonly lookAgainAfterMs?: number;
}

/** Well below the grace that a worker has to end; the workflow calls again. */
const SLICE_MS = 30_000;
const BEAT_EVERY_MS = 3_000;
/** Five a second, of the twenty-five that Stripe allows: calls that move money have the rest, whatever there is to compare. */
const PACE_MS = 200;
const DRIFTS = 50;
/** Since the run was begun: a first one may itself take hours. */
const LONGEST_BUSY_MS = 24 * 60 * 60_000;

/** @returns the activities of the workflow `reconcile`; one set for each worker */
export function createReconcileActivities(dependencies: ReconcileDependencies): ReconcileActivities {
  const { ledger, monotonicMs, lookAgainAfterMs = LOOK_AGAIN_AFTER_MS } = dependencies;
  const sides: ComparisonDependencies = { ...dependencies.sides, ledger };
  const takeFurther = createParts(dependencies, sides);
  const { stripe, hyperswitch, chain } = sides;

  const planned: readonly ReconciledPart[] = [
    ...(stripe
      ? ([
          'stripe-transfers',
          'stripe-reversals',
          'stripe-disputes',
          'stripe-payments',
          'stripe-refunds',
          'stripe-payouts',
        ] as const)
      : []),
    ...(hyperswitch ? (['hyperswitch-payments', 'hyperswitch-refunds'] as const) : []),
    ...(chain ? (['chain-nonces'] as const) : []),
    'workflows',
    SECOND_LOOK,
  ];

  return {
    beginReconciliation: async (requestedBy) => {
      const id = newReconciliationId(sides.clock.nowMs());
      return (await ledger.beginReconciliation({ id, requestedBy, since: null })).id;
    },

    planReconciliation: (id) => ledger.planReconciliation(id as ReconciliationId, planned),

    async nextReconciliationPart(text) {
      const id = text as ReconciliationId;
      const part = await ledger.nextPart(id);
      if (part === undefined) return null;
      const waitMs = part === SECOND_LOOK ? await ledger.secondLookInMs(id, lookAgainAfterMs) : 0;
      const asksStripe = stripe !== undefined && (part.startsWith('stripe-') || part === SECOND_LOOK);
      return { part, asksStripe, waitMs };
    },

    async reconcilePart({ reconciliationId, part }) {
      const runId = reconciliationId as ReconciliationId;
      const place = await ledger.openPart(runId, part as ReconciledPart);
      if (!place) return { kind: 'finished' };
      const context = Context.current();
      const endMs = monotonicMs() + SLICE_MS;
      const beat = () => context.heartbeat({ part });
      const timer = setInterval(beat, BEAT_EVERY_MS);
      beat();
      try {
        return await takeFurther({ ...place, runId }, () => {
          context.cancellationSignal.throwIfAborted();
          return monotonicMs() >= endMs;
        });
      } finally {
        clearInterval(timer);
      }
    },

    leaveReconciliationPart: ({ reconciliationId, part, why }) =>
      ledger.leavePart(reconciliationId as ReconciliationId, part as ReconciledPart, why),

    finishReconciliation: (id) => ledger.finishReconciliation(id as ReconciliationId),
  };
}

/** One part of a run, taken further until its slice of time is over. */
function createParts(
  { ledger, logger, paceMs = PACE_MS }: ReconcileDependencies,
  sides: ComparisonDependencies,
): (place: Place, over: () => boolean) => Promise<PartOutcome> {
  async function takeFurther(place: Place, over: () => boolean): Promise<PartOutcome> {
    const { part } = place;
    return part === 'second-look' ? await lookAtAll(place, over) : await compareAll(place, part, over);
  }

  async function compareAll(
    from: Place,
    part: Exclude<ReconciledPart, 'second-look'>,
    over: () => boolean,
  ): Promise<PartOutcome> {
    const { runId } = from;
    for (let place: Place | undefined = from; place; ) {
      if (over()) return { kind: 'more' };
      const page = await comparePage(place, part, sides);
      if (page.kind !== 'page') return await put(page, place);
      const { kind: _, ...seen } = page;
      const next = await ledger.saveReconciledPage({ runId, part, after: place.cursor, listed: place.listed, ...seen });
      place = next && { ...next, runId };
      if (place) await pause(paceMs);
    }
    return { kind: 'finished' };
  }

  async function put(unread: Unread, place: Place): Promise<PartOutcome> {
    const { runId, part } = place;
    if (unread.kind === 'unclear') throw partNotRead(part, unread.why);
    if (unread.kind === 'busy' && mayWait(place)) return { kind: 'later', afterMs: unread.afterMs, why: unread.why };
    await ledger.leavePart(runId, part, unread.why);
    logger.warn(
      { reconciliation: runId, part, why: unread.why },
      'a part of a reconciliation is left for the next one',
    );
    return { kind: 'finished' };
  }

  /** One drift that cannot be read, or one provider that is busy, holds up no other: it is looked at later, or by the next run. */
  async function lookAtAll(place: Place, over: () => boolean): Promise<PartOutcome> {
    const { runId, part, cursor: after, listed } = place;
    const busy = new Map<DriftProvider, Extract<PartOutcome, { kind: 'later' }>>();
    for (;;) {
      const drifts = await ledger.driftsToLookAt(runId, DRIFTS, [...busy.keys()]);
      if (drifts.length === 0) break;
      for (const drift of drifts) {
        if (over()) return { kind: 'more' };
        if (busy.has(drift.provider)) continue;
        const look = await lookAt(drift);
        if (look.kind === 'busy' && mayWait(place))
          busy.set(drift.provider, { kind: 'later', afterMs: look.afterMs, why: look.why });
        else if (look.kind === 'agrees') await ledger.driftAgrees(drift.id);
        else if (look.kind !== 'stands') await ledger.driftUnread(drift.id, runId);
        else if (await ledger.driftStands(drift.id, runId, look.seen))
          logger.warn(
            { drift: drift.id, kind: drift.kind, item: drift.item, providerId: drift.providerId },
            'the ledger and a provider tell different things',
          );
        await pause(paceMs);
      }
    }
    const [waits] = [...busy.values()].sort((one, other) => one.afterMs - other.afterMs);
    if (waits) return waits;
    await ledger.saveReconciledPage({
      runId,
      part,
      after,
      listed,
      cursor: after,
      named: [],
      lookedAt: 0,
      suspicions: [],
      last: true,
    });
    return { kind: 'finished' };
  }

  /** What fails in a way that nobody foresaw is unread too; where it is the ledger that is away, saying so fails as well. */
  async function lookAt(drift: Drift): Promise<Look> {
    try {
      return await lookAgain(drift, sides);
    } catch (error) {
      logger.warn({ drift: drift.id, kind: drift.kind, err: error }, 'a drift cannot be looked at; the next run tries');
      return { kind: 'unclear', why: 'it cannot be looked at' };
    }
  }

  /** A provider that is busy without end does not keep a run from its end, nor what is seen of the others from being told. */
  const mayWait = ({ until }: Place): boolean => sides.clock.nowMs() - Date.parse(until) < LONGEST_BUSY_MS;

  return takeFurther;
}

const pause = (ms: number): Promise<void> => (ms <= 0 ? Promise.resolve() : Context.current().sleep(ms));
