import type { PaymentFacts, ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { Suspicion } from '../../domain/reconciliation/drift.js';
import { missingPayment, missingRefund } from '../../domain/reconciliation/in-words.js';
import { judgeAuthorization } from '../../domain/reconciliation/judge-chain.js';
import { missingPayout } from '../../domain/reconciliation/judge-payouts.js';
import { missingDispute, missingReversal, missingTransfer } from '../../domain/reconciliation/judge-stripe.js';
import type { ListedPart, ReconciledPart } from '../../domain/reconciliation/parts.js';
import type { Unnamed } from '../../ledger/reconciliation/held-rows.js';
import type { HyperswitchPage } from '../../providers/hyperswitch/account-lists.js';
import { type ComparisonDependencies, type Page, type Place, unread, youngSince } from './comparison.js';
import {
  suspectDisputes,
  suspectPayments,
  suspectRefunds,
  suspectReversals,
  suspectStripePayments,
  suspectStripeRefunds,
  suspectTransfers,
} from './judge-rows.js';
import { payoutsPage } from './payouts-page.js';
import { workflowsPage } from './workflows-page.js';

/** Rows of the ledger that are compared at once. */
const ROWS = 200;
/** Calls to a node at once. */
const AUTHORIZATIONS = 20;

/** One page of one part: of the provider's list first, then of the rows that the list did not name. Moves nothing. */
export function comparePage(
  place: Place,
  part: Exclude<ReconciledPart, 'second-look'>,
  sides: ComparisonDependencies,
): Promise<Page> {
  if (part === 'workflows') return workflowsPage(place, sides);
  if (part === 'chain-nonces') return authorizationsPage(place, sides);
  return place.listed ? unnamedPage(place, part, sides) : goingOn(place, listedPage(place, part, sides));
}

/** A list that begins again where it was asked to go on has no end: nothing is concluded from it, and nobody is asked without end. */
async function goingOn({ cursor }: Place, read: Promise<Page>): Promise<Page> {
  const page = await read;
  return page.kind === 'page' && cursor !== null && page.cursor === cursor
    ? { kind: 'unclear', why: `the list does not go on after ${cursor}` }
    : page;
}

interface Listed<Facts> {
  readonly what: string;
  readonly answer: ReadAnswer<{
    readonly items: readonly Facts[];
    readonly next: string | null;
    /** What of the page cannot be read, by name. */
    readonly unreadable?: readonly string[];
  }>;
  readonly nameOf: (facts: Facts) => string;
  readonly suspect: (facts: readonly Facts[], sides: ComparisonDependencies) => Promise<readonly Suspicion[]>;
}

async function listedPage(place: Place, part: ListedPart, sides: ComparisonDependencies): Promise<Page> {
  const page = { createdSince: new Date(place.since), startingAfter: place.cursor };
  return part === 'hyperswitch-payments' || part === 'hyperswitch-refunds'
    ? await listedAtHyperswitch(part, page, sides)
    : await listedAtStripe(part, { ...page, place }, sides);
}

type HyperswitchPart = Extract<ListedPart, `hyperswitch-${string}`>;
interface FromHere {
  readonly createdSince: Date;
  readonly startingAfter: string | null;
}

async function listedAtStripe(
  part: Exclude<ListedPart, HyperswitchPart>,
  { place, ...page }: FromHere & { readonly place: Place },
  sides: ComparisonDependencies,
): Promise<Page> {
  const { stripe } = sides;
  if (!stripe) return notSet('STRIPE_SECRET_KEY');
  const foreign = await stripe.account.verify();
  if (foreign) return unread(foreign, 'the account of STRIPE_SECRET_KEY');
  const { calls } = stripe;
  switch (part) {
    case 'stripe-payouts':
      return await payoutsPage(place, calls, sides);
    case 'stripe-transfers': {
      const answer = await calls.transfersSince(page);
      return judged(
        { what: 'transfers', answer, nameOf: (one) => one.stripeTransferId, suspect: suspectTransfers },
        sides,
      );
    }
    case 'stripe-reversals': {
      const answer = await calls.reversalsSince(page);
      return judged(
        { what: 'reversals', answer, nameOf: (one) => one.stripeReversalId, suspect: suspectReversals },
        sides,
      );
    }
    case 'stripe-disputes': {
      const answer = await calls.disputesSince(page);
      return judged(
        { what: 'disputes', answer, nameOf: (one) => one.stripeDisputeId, suspect: suspectDisputes },
        sides,
      );
    }
    case 'stripe-payments': {
      const answer = await calls.paymentsSince(page);
      return judged({ what: 'payments', answer, nameOf: (one) => one.name, suspect: suspectStripePayments }, sides);
    }
    case 'stripe-refunds': {
      const answer = await calls.refundsSince(page);
      return judged(
        { what: 'refunds', answer, nameOf: (one) => one.stripeRefundId, suspect: suspectStripeRefunds },
        sides,
      );
    }
  }
}

async function listedAtHyperswitch(
  part: HyperswitchPart,
  page: FromHere,
  sides: ComparisonDependencies,
): Promise<Page> {
  const { hyperswitch } = sides;
  if (!hyperswitch) return notSet('HYPERSWITCH_API_KEY');
  const control = await hyperswitch.account.verify();
  if (control.kind === 'mismatch') return { kind: 'left', why: control.detail };
  if (control.kind === 'unread') return { kind: 'unclear', why: control.detail };
  if (part === 'hyperswitch-payments') {
    const answer = await hyperswitch.calls.paymentsSince(page);
    // Whoever took the first that is listed for the owner of this ledger might pin somebody else's profile for good.
    if (control.kind === 'none_known' && answer.kind === 'found' && !isEmpty(answer.value))
      return { kind: 'left', why: 'Hyperswitch holds no payment of this ledger yet, so whose these are is not known' };
    const suspect = (listed: readonly PaymentFacts[]) =>
      suspectPayments(
        listed.filter(({ owner }) => hyperswitch.account.owns(owner)),
        sides,
      );
    return judged({ what: 'payments', answer, nameOf: (one) => one.hyperswitchPaymentId, suspect }, sides);
  }
  const answer = await hyperswitch.calls.refundsSince(page);
  return judged({ what: 'refunds', answer, nameOf: (one) => one.hyperswitchRefundId, suspect: suspectRefunds }, sides);
}

const isEmpty = ({ items, unreadable }: HyperswitchPage<unknown>): boolean => items.length + unreadable.length === 0;

const notSet = (name: string): Page => ({ kind: 'left', why: `${name} is not set here` });

async function judged<Facts>(
  { what, answer, nameOf, suspect }: Listed<Facts>,
  sides: ComparisonDependencies,
): Promise<Page> {
  if (answer.kind !== 'found') return unread(answer, `the ${what} are not listed`);
  const { items, next, unreadable = [] } = answer.value;
  return {
    kind: 'page',
    cursor: next,
    // What cannot be read is there all the same: nobody takes it for missing.
    named: [...items.map(nameOf), ...unreadable],
    lookedAt: items.length,
    suspicions: await suspect(items, sides),
    uncompared: unreadable.map((name) => `${what}: ${name}`),
    last: next === null,
  };
}

/** Rows of what happened within the run's time and before it: a list is not younger than what it does not name. */
async function unnamedPage(place: Place, part: ListedPart, sides: ComparisonDependencies): Promise<Page> {
  const { ledger, clock, youngMs } = sides;
  const until = new Date(Math.min(Date.parse(place.until), clock.nowMs() - youngMs)).toISOString();
  const page: Unnamed = { runId: place.runId, since: place.since, until, after: place.cursor, limit: ROWS };
  switch (part) {
    case 'stripe-transfers': {
      const rows = await ledger.unnamedTransfers(page);
      return rest(
        rows,
        rows.flatMap((row) =>
          row.stripeTransferId === null ? [] : [missingTransfer({ ...row, stripeTransferId: row.stripeTransferId })],
        ),
      );
    }
    case 'stripe-reversals': {
      const rows = await ledger.unnamedReversals(page);
      return rest(
        rows,
        rows.flatMap((row) =>
          row.stripeReversalId === null ? [] : [missingReversal({ ...row, stripeReversalId: row.stripeReversalId })],
        ),
      );
    }
    case 'stripe-disputes': {
      const rows = await ledger.unnamedDisputes(page);
      return rest(rows, rows.map(missingDispute));
    }
    case 'stripe-payouts': {
      const rows = await ledger.unnamedPayouts(page);
      return rest(rows, rows.map(missingPayout));
    }
    case 'hyperswitch-payments':
    case 'stripe-payments': {
      const rows = await ledger.unnamedPayments(part === 'stripe-payments' ? 'stripe' : 'hyperswitch', page);
      return rest(rows, rows.map(missingPayment));
    }
    case 'hyperswitch-refunds':
    case 'stripe-refunds': {
      const rows = await ledger.unnamedRefunds(part === 'stripe-refunds' ? 'stripe' : 'hyperswitch', page);
      return rest(rows, rows.map(missingRefund));
    }
  }
}

function rest(rows: readonly { readonly id: string }[], suspicions: readonly Suspicion[], size = ROWS): Page {
  const last = rows.at(-1);
  const ended = rows.length < size || !last;
  return { kind: 'page', cursor: ended ? null : last.id, named: [], lookedAt: rows.length, suspicions, last: ended };
}

async function authorizationsPage(place: Place, sides: ComparisonDependencies): Promise<Page> {
  const { ledger, chain, clock, youngMs } = sides;
  if (!chain) return notSet('X402_RPC_URLS');
  const until = new Date(clock.nowMs() - youngMs).toISOString();
  const rows = await ledger.heldAuthorizations(chain.networks, {
    since: place.since,
    until,
    after: place.cursor,
    limit: AUTHORIZATIONS,
  });
  const answers = await Promise.all(rows.map((row) => chain.readUsed(row)));
  // One that can never be read holds up no other.
  const failed = rows.filter((_row, nth) => !isAnswered(answers[nth]));
  // Where no node answers, the part waits; one that is away leaves its own network uncompared.
  const [first] = failed;
  if (
    first &&
    failed.length === rows.length &&
    new Set(chain.networks).size === new Set(failed.map(({ network }) => network)).size
  )
    return unreadAll(answers);
  const suspicions = rows.flatMap((row, nth) => {
    const answer = answers[nth];
    const seen = answer?.kind === 'found' ? judgeAuthorization(row, answer.value, youngSince(sides)) : undefined;
    return seen ? [seen] : [];
  });
  const page = rest(rows, suspicions, AUTHORIZATIONS);
  return page.kind === 'page' ? { ...page, uncompared: [...new Set(failed.map(({ network }) => network))] } : page;
}

const isAnswered = (answer: ReadAnswer<boolean> | undefined): boolean =>
  answer?.kind === 'found' || answer?.kind === 'missing';

function unreadAll(answers: readonly ReadAnswer<boolean>[]): Page {
  const answer = answers.find((one) => one.kind !== 'found' && one.kind !== 'missing');
  return answer
    ? unread(answer, 'authorizations are not read')
    : { kind: 'unclear', why: 'authorizations are not read' };
}
