import { Context } from '@temporalio/activity';
import { assertNever } from '../src/domain/assert-never.js';
import type { ReadAnswer, TransferFacts } from '../src/domain/calls/provider-answers.js';
import type { BackfillId, TransferId } from '../src/domain/ids.js';
import { type Match, matchTransfers } from '../src/domain/marketplace/backfill-matching.js';
import type {
  BackfillDestination,
  createBackfillDestinations,
} from '../src/ledger/historical/backfill-destinations.js';
import type { createBackfillMatching } from '../src/ledger/historical/backfill-matching.js';
import type { createBackfillPlan } from '../src/ledger/historical/backfill-plan.js';
import type { Backfill } from '../src/ledger/historical/historical-types.js';
import type { Ledger } from '../src/ledger/ledger.js';
import type { Logger } from '../src/observability/logger.js';
import type { BackfillActivities, DestinationOutcome } from './backfill-contract.js';
import { stripeNotRead } from './failures.js';

export interface BackfillDependencies {
  readonly ledger: Pick<Ledger, 'findBackfill' | 'recordBackfill' | 'finishBackfill' | 'pinStripeAccount'> &
    ReturnType<typeof createBackfillPlan> &
    ReturnType<typeof createBackfillDestinations> &
    ReturnType<typeof createBackfillMatching>;
  readonly stripe: { inLane(lane: string): StripeReader };
  readonly logger: Logger;
  /** Steady milliseconds; it must not jump with the wall clock. */
  readonly monotonicMs: () => number;
}

/** What a backfill may do at Stripe: read. */
interface StripeReader {
  readAccount(): Promise<ReadAnswer<{ accountId: string; livemode: boolean }>>;
  /** One page, newest first. */
  listTransfers(filter: {
    destination: string;
    createdSince?: Date;
    startingAfter?: string;
    limit: number;
  }): Promise<ReadAnswer<{ transfers: readonly TransferFacts[]; hasMore: boolean }>>;
}

const LANE = 'backfill';
/** The most that Stripe gives. */
const STRIPE_PAGE = 100;
const ORDERS_PAGE = 100;
/** Well below the grace that a worker has to end; the workflow calls again. */
const SLICE_MS = 30_000;
/** Well below the heartbeat timeout, whatever one request takes. */
const BEAT_EVERY_MS = 3_000;
const BUSY_MS = 2_000;
/** A refused key is mended by a person. */
const REFUSED_MS = 60_000;

type Later = Extract<DestinationOutcome, { kind: 'later' }>;

/** One destination in one slice of time. */
interface Slice {
  readonly run: Backfill;
  readonly destination: string;
  readonly livemode: boolean;
  /** Its time is over. */
  readonly isOver: () => boolean;
  readonly beat: (place: BackfillDestination) => void;
}

/** @returns the activities of the workflow `backfillTransferIds`; one set for each worker */
export function createBackfillActivities(dependencies: BackfillDependencies): BackfillActivities {
  const { ledger, logger, monotonicMs } = dependencies;
  const stripe = dependencies.stripe.inLane(LANE);
  // The key that a process uses belongs to one account and mode for as long as it runs.
  let account: { readonly livemode: boolean } | undefined;

  async function ownAccount(): Promise<{ readonly livemode: boolean } | Later> {
    if (account) return account;
    const answer = await stripe.readAccount();
    if (answer.kind !== 'found') return notNow(answer, 'the Stripe account');
    if (!(await ledger.pinStripeAccount(answer.value))) return later(REFUSED_MS, FOREIGN_KEY);
    account = { livemode: answer.value.livemode };
    return account;
  }

  return {
    async planBackfill(text) {
      const id = text as BackfillId;
      if (await ledger.isPlanned(id)) return;
      for (
        let last = await ledger.planTransfers(id, null);
        last !== null;
        last = await ledger.planTransfers(id, last)
      ) {
        Context.current().heartbeat(last);
      }
      await ledger.planDestinations(id);
    },

    nextBackfillDestination: async (id) => (await ledger.nextDestination(id as BackfillId)) ?? null,

    async backfillDestination({ backfillId, destination }) {
      const run = await ledger.findBackfill(backfillId as BackfillId);
      const place = await ledger.openDestination(backfillId as BackfillId, destination);
      if (!run || run.state === 'finished' || !place) return { kind: 'finished' };
      const own = await ownAccount();
      if ('kind' in own) return own;
      const endMs = monotonicMs() + SLICE_MS;
      return await heartbeating(place, async (beat) => {
        const { livemode } = own;
        const slice: Slice = { run, destination, livemode, isOver: () => monotonicMs() >= endMs, beat };
        const listed = await list(slice, place, { ledger, stripe });
        if (listed !== 'listed') return listed;
        const outcome = await match(slice, ledger);
        if (outcome.kind === 'finished') logger.info({ backfill: run.id, destination }, 'a backfill finished a seller');
        return outcome;
      });
    },

    finishBackfill: (id) => ledger.finishBackfill(id as BackfillId),
  };
}

const FOREIGN_KEY =
  'STRIPE_SECRET_KEY is of another account or mode than the one this ledger belongs to: nothing it shows would be ours';

const later = (afterMs: number, why: string): Later => ({ kind: 'later', afterMs, why });

/** @throws where Stripe did not answer */
function notNow(answer: Exclude<ReadAnswer<never>, { kind: 'found' }>, what: string): Later {
  switch (answer.kind) {
    case 'unclear':
      throw stripeNotRead(what, answer.detail);
    case 'busy':
      return later(answer.retryAfterMs ?? BUSY_MS, `Stripe is busy: ${answer.detail}`);
    case 'misdirected':
    case 'missing':
      return later(REFUSED_MS, `Stripe does not show ${what}: ${answer.detail}; check STRIPE_SECRET_KEY`);
    default:
      return assertNever(answer);
  }
}

/** A killed worker is noticed at once, however long a request hangs; people see in the Temporal Web UI how far it is. */
async function heartbeating<T>(
  place: BackfillDestination,
  work: (beat: (place: BackfillDestination) => void) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  let at = place;
  const beat = () => context.heartbeat({ destination: at.destination, cursor: at.cursor, pages: at.pages });
  const timer = setInterval(beat, BEAT_EVERY_MS);
  beat();
  try {
    return await work((further) => {
      context.cancellationSignal.throwIfAborted();
      at = further;
      beat();
    });
  } finally {
    clearInterval(timer);
  }
}

/** Lists what is left to list. Every page is in the ledger before the next one is asked for. */
async function list(
  { run, destination, isOver, beat }: Slice,
  from: BackfillDestination,
  { ledger, stripe }: { ledger: BackfillDependencies['ledger']; stripe: StripeReader },
): Promise<DestinationOutcome | 'listed'> {
  for (let place: BackfillDestination | undefined = from; place && !place.listed; ) {
    if (isOver()) return { kind: 'more' };
    const answer = await stripe.listTransfers({
      destination,
      createdSince: new Date(place.createdSince),
      startingAfter: place.cursor ?? undefined,
      limit: STRIPE_PAGE,
    });
    const ofThisSeller = answer.kind === 'missing' || (answer.kind === 'misdirected' && answer.scope === 'seller');
    if (ofThisSeller) return await giveUp({ run, destination, isOver }, answer.detail, ledger);
    if (answer.kind !== 'found') return notNow(answer, `transfers to ${destination}`);
    place = await ledger.saveListedPage({
      backfillId: run.id,
      destination,
      after: place.cursor,
      transfers: answer.value.transfers,
      hasMore: answer.value.hasMore,
    });
    if (place) beat(place);
  }
  return 'listed';
}

/** Matches order by order; an order's transfers are judged together and recorded one by one. */
async function match(
  { run, destination, livemode, isOver, beat }: Slice,
  ledger: BackfillDependencies['ledger'],
): Promise<DestinationOutcome> {
  for (;;) {
    const { waiting, ours, candidates } = await ledger.ordersToMatch(run.id, destination, ORDERS_PAGE);
    if (waiting.length === 0) break;
    const matches = new Map(matchTransfers(ours, candidates, livemode).map((found) => [found.transferId, found]));
    for (const transferId of waiting) {
      if (isOver()) return { kind: 'more' };
      const held = ours.find(({ id }) => id === transferId)?.stripeTransferId ?? null;
      await record(run, matches.get(transferId) ?? foundElsewhere(transferId, held), ledger);
    }
    const place = await ledger.openDestination(run.id, destination);
    if (place) beat(place);
  }
  await ledger.closeDestination(run.id, destination);
  return { kind: 'finished' };
}

const record = async (run: Backfill, found: Match, ledger: BackfillDependencies['ledger']): Promise<void> => {
  await ledger.recordBackfill({ backfillId: run.id, ...found }, run.apply && found.outcome === 'matched');
};

/** Somebody imported it again with its id while this ran. */
const foundElsewhere = (transferId: TransferId, stripeTransferId: string | null): Match => ({
  transferId,
  outcome: 'taken',
  stripeTransferId,
  candidates: stripeTransferId === null ? [] : [stripeTransferId],
  detail: 'its id was recorded in another way while this backfill ran',
});

/** What was listed before is not the whole of it, and a part proves nothing. */
async function giveUp(
  { run, destination, isOver }: Pick<Slice, 'run' | 'destination' | 'isOver'>,
  why: string,
  ledger: BackfillDependencies['ledger'],
): Promise<DestinationOutcome> {
  for (;;) {
    const waiting = await ledger.unanswered(run.id, destination, ORDERS_PAGE);
    if (waiting.length === 0) break;
    for (const transferId of waiting) {
      if (isOver()) return { kind: 'more' };
      const detail = `Stripe does not list transfers to ${destination}, so nothing is known: ${why}`;
      await record(run, { transferId, outcome: 'not_found', stripeTransferId: null, candidates: [], detail }, ledger);
    }
  }
  await ledger.closeDestination(run.id, destination);
  return { kind: 'finished' };
}
