import type { DisputeFollow } from '../src/calls/marketplace/disputes/follow.js';
import type { PaymentCalls } from '../src/calls/marketplace/payment-calls.js';
import { createProbes } from '../src/calls/marketplace/probe.js';
import { reversalCall } from '../src/calls/marketplace/reversal-call.js';
import { createStripeAccountCheck } from '../src/calls/marketplace/stripe-account.js';
import { createStripeCall } from '../src/calls/marketplace/stripe-call.js';
import { transferCall } from '../src/calls/marketplace/transfer-call.js';
import type { CallAttempt, CallStep, FollowStep, RetryTimings } from '../src/calls/steps.js';
import type { DisputeId, PaymentId, RefundId, ReversalId, TransferId } from '../src/domain/ids.js';
import { STRIPE_REQUESTS_PER_SECOND } from '../src/domain/stripe-rate.js';
import type { Ledger } from '../src/ledger/ledger.js';
import type { MarketplaceItem } from '../src/ledger/marketplace/marketplace-types.js';
import type { Hyperswitch } from '../src/providers/hyperswitch/client.js';
import type { Stripe } from '../src/providers/stripe/client.js';
import { beating } from './beating.js';
import { createBulkhead } from './bulkhead.js';
import { notMovedYet } from './failures.js';
import type { MarketplaceActivities } from './marketplace-contract.js';

/** What `sellerTransfer` and `refundReversal` need beside the common ones. */
export interface StripeActivityDependencies {
  readonly ledger: Ledger;
  readonly stripe: Stripe;
  readonly hyperswitch: Hyperswitch | undefined;
  /** Before a share is taken for a dispute; undefined: Hyperswitch is not configured here. */
  readonly readDispute?: DisputeFollow['readDispute'] | undefined;
  /** Before a share is sent that waited for its release; undefined: no provider of payments is configured here. */
  readonly searchPayment?: PaymentCalls['searchPayment'] | undefined;
  readonly timings: { readonly transfer: RetryTimings; readonly reversal: RetryTimings };
  /** How long a seller's balance is waited for before a person is asked (REVERSAL_BALANCE_HORIZON). */
  readonly balanceHorizonMs: number;
  readonly wake: (items: readonly MarketplaceItem[]) => void;
  readonly processName: string;
  readonly monotonicMs: () => number;
  /** How long a claim outlives its process; above one look and one call with their waits for tokens. */
  readonly holdMs?: number | undefined;
}

type OfStripe = 'sendTransfer' | 'reverseTransfer' | 'probeTransfer' | 'probeReversal' | 'takeTurn';

const HOLD_MS = 90_000;

export function createStripeActivities(
  dependencies: StripeActivityDependencies,
): Pick<MarketplaceActivities, OfStripe> {
  const { ledger, stripe, timings, wake, processName, holdMs = HOLD_MS } = dependencies;
  const account = createStripeAccountCheck({ ledger, stripe });
  const common = { ...dependencies, account, holdMs };
  const { searchPayment } = dependencies;
  const sendTransfer = createStripeCall(
    transferCall({ ledger, stripe, timings: timings.transfer, wake, searchPayment }),
    {
      ...common,
      processName: `${processName}/t`,
    },
  );
  const hyperswitch = dependencies.hyperswitch && boundedReads(dependencies.hyperswitch);
  const readDispute = dependencies.readDispute && boundedRead(dependencies.readDispute);
  const reverse = createStripeCall(
    reversalCall({ ...dependencies, hyperswitch, readDispute, timings: timings.reversal }),
    {
      ...common,
      processName: `${processName}/r`,
    },
  );
  const probe = createProbes({ ledger, stripe, wake });
  return {
    sendTransfer: async (id) => counted(await beating(() => sendTransfer(id as TransferId))),
    reverseTransfer: async (id) => counted(await beating(() => reverse(id as ReversalId))),
    probeTransfer: (id) => beating(() => probe.transfer(id as TransferId)),
    probeReversal: (id) => beating(() => probe.reversal(id as ReversalId)),
    takeTurn: (sellerAccount) => ledger.takeTurn(sellerAccount, STRIPE_REQUESTS_PER_SECOND),
  };
}

/** @throws NotMovedYet for a failure that counts as a retry: Temporal's policy waits and calls again */
function counted(attempt: CallAttempt): CallStep {
  if (attempt.kind === 'failed') throw notMovedYet(attempt.why, attempt.afterMs);
  return attempt;
}

/** The reads before reversals: a Hyperswitch that hangs keeps no more places of Stripe's queue than these from transfers. */
function boundedReads(hyperswitch: Hyperswitch): Pick<Hyperswitch, 'readRefund' | 'readPayment'> {
  const bulkhead = createBulkhead();
  const noPlace = { kind: 'unclear', detail: NO_PLACE.why } as const;
  return {
    readRefund: (id, lane) => bulkhead(() => hyperswitch.readRefund(id, lane)) ?? Promise.resolve(noPlace),
    readPayment: (id) => bulkhead(() => hyperswitch.readPayment(id)) ?? Promise.resolve(noPlace),
  };
}

function boundedRead(readDispute: DisputeFollow['readDispute']): DisputeFollow['readDispute'] {
  const bulkhead = createBulkhead();
  const noPlace = { kind: 'unread', afterMs: NO_PLACE.afterMs, detail: NO_PLACE.why } as const;
  return (id) => bulkhead(() => readDispute(id)) ?? Promise.resolve(noPlace);
}

export function createPaymentActivities(
  calls: PaymentCalls,
): Pick<MarketplaceActivities, 'advancePayment' | 'advanceRefund' | 'advanceDispute'> {
  const bulkhead = createBulkhead();
  const step = async (work: () => Promise<FollowStep>): Promise<FollowStep> => (await bulkhead(work)) ?? NO_PLACE;
  return {
    advancePayment: (id) => beating(() => step(() => calls.advancePayment(id as PaymentId))),
    advanceDispute: (id) => beating(() => step(() => calls.advanceDispute(id as DisputeId))),
    advanceRefund: (id) => beating(() => step(() => calls.advanceRefund(id as RefundId))),
  };
}

const NO_PLACE = {
  kind: 'later',
  afterMs: 15_000,
  why: 'as many calls to providers of payments are open here as may be; nothing was sent',
} as const satisfies FollowStep;
