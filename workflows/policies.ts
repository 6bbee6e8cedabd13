import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';
import type { RetryTimings, SettlementTimings } from '../src/calls/steps.js';

/** Every timeout and retry policy of the product, each with its reason. */

/**
 * Time beside the provider's own limit: the claim, the record, a busy worker. Kept above the claim's own margin, so
 * that Temporal never runs an attempt again while the first may still hold its claim.
 */
const LEDGER_WORK_MS = 8_000;

/**
 * The first attempt's limit at the auth server. It runs inside the workflow task (half the cost of a normal activity),
 * so it must end well before the task's 10 s; what takes longer is asked again by a normal activity.
 */
export const QUICK_LIMIT_MS = 4_000;

/** Once, by the workflow's own worker: whatever does not settle at once goes on with {@link untilSettled}. */
export const quickFirstAttempt: LocalActivityOptions = {
  startToCloseTimeout: QUICK_LIMIT_MS + LEDGER_WORK_MS,
  retry: { maximumAttempts: 1 },
};

/**
 * Repeats until the auth server has answered. There is no maximum of attempts: unknown is not failed, and what ends
 * the attempts is the expiry of the credential, which the activity reads from the ledger before each send. The waits
 * are set by the activity (`nextRetryDelay`) by the same function that writes `next_retry_at`; the figures here hold
 * where the activity itself could not run, because the ledger or the worker was away.
 */
export const untilSettled = (settings: SettlementTimings): ActivityOptions => ({
  startToCloseTimeout: settings.httpTimeoutMs + LEDGER_WORK_MS,
  retry: { initialInterval: settings.backoffBaseMs, backoffCoefficient: 2, maximumInterval: settings.backoffMaxMs },
});

/** One patient attempt for many: the rows that do not settle leave the shared workflow, so it never repeats. */
export const sharedAttempt = (settings: SettlementTimings): ActivityOptions => ({
  startToCloseTimeout: settings.httpTimeoutMs + LEDGER_WORK_MS,
  retry: { maximumAttempts: 1 },
});

/** Reads and decisions in the ledger: repeated until Postgres is back, because nothing else can answer. */
export const ledgerCall: ActivityOptions = {
  startToCloseTimeout: '20s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
};

/** The sweep's own failure is not repeated: the schedule starts the next one, and an alert watches the last success. */
export const sweepPass: ActivityOptions = {
  startToCloseTimeout: '10m',
  heartbeatTimeout: '10s',
  retry: { maximumAttempts: 1 },
};

/** A hundred thousand transfers are taken into a backfill's scope in seconds; only Postgres can delay it. */
export const backfillPlan: ActivityOptions = {
  startToCloseTimeout: '10m',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
};

/**
 * Whatever calls Stripe is handed out by its task queue alone: an attempt that the server gives to the workflow's own worker
 * along with its workflow task passes by the queue's rate limit, which an operator may have lowered, and by its fairness.
 */
const THROUGH_THE_QUEUE = { allowEagerDispatch: false } as const;

/**
 * One slice of a backfill ends by itself after half a minute; one request to Stripe may take the last of it beyond. It only
 * reads there, so it is repeated whatever happened. After two minutes of failures another seller goes first, and this one
 * comes round again without end: unknown is not absent, and a report that says so too early would be believed.
 */
export const backfillSlice: ActivityOptions = {
  ...THROUGH_THE_QUEUE,
  startToCloseTimeout: '3m',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 8 },
};

/**
 * One slice of a reconciliation ends by itself after half a minute. It only reads, so it is repeated whatever happened; after
 * two minutes of failures its part is left to the next run. Whatever moves money goes first.
 */
export const reconcileSlice: ActivityOptions = {
  ...THROUGH_THE_QUEUE,
  startToCloseTimeout: '3m',
  heartbeatTimeout: '10s',
  priority: { priorityKey: 5 },
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 8 },
};

/** Waits for people live for weeks; a fresh run each day keeps histories short and moves them to the newest code. */
export const FRESH_RUN_EVERY = '1 day';

/**
 * One step at Hyperswitch ends by itself: the workflow reads again, so an attempt that failed because the ledger or the
 * worker was away is simply repeated. A dead worker is noticed within seconds: a buyer waits for this one.
 */
export const hyperswitchStep: ActivityOptions = {
  startToCloseTimeout: '90s',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
};

/** A payment or refund is read again from one second up to every five minutes until it is final. */
export const readAgainMs = (reads: number): number => Math.min(1_000 * 2 ** Math.min(reads, 20), 5 * 60_000);

/**
 * The named policy of TRANSFER_RETRY_* and REVERSAL_*: retries after the first attempt, doubling from BASE up to MAX. Only
 * what is thrown counts; being turned away, parked or waiting for a balance is returned. The activity names each wait, as
 * the ledger has recorded it, and the ledger keeps the count across runs.
 */
export const countedAttempts = (settings: RetryTimings, sellerAccount: string): ActivityOptions => ({
  ...THROUGH_THE_QUEUE,
  startToCloseTimeout: '3m',
  // A dead worker is noticed within seconds although an attempt may wait for its turn.
  heartbeatTimeout: '10s',
  retry: {
    initialInterval: settings.backoffBaseMs,
    backoffCoefficient: 2,
    maximumInterval: settings.backoffMaxMs,
    maximumAttempts: settings.maxRetries + 1,
  },
  // Fair between sellers where the server has fairness; our own turns hold where it has not.
  priority: { fairnessKey: sellerAccount.slice(0, 64) },
});

/** A look at Stripe for an item that waits for a person: the next one follows in any case. */
export const stripeLook: ActivityOptions = {
  ...THROUGH_THE_QUEUE,
  startToCloseTimeout: '3m',
  heartbeatTimeout: '10s',
  retry: { maximumAttempts: 1 },
};

/** A turn is asked for inside the workflow task; where the ledger is away, the attempt itself waits for it. */
export const quickLedgerCall: LocalActivityOptions = { startToCloseTimeout: '5s', retry: { maximumAttempts: 1 } };

/** Nothing happens to a waiting item without a signal; a look now and then finds what a lost one would have told. */
export const LOOK_ANYWAY_AFTER_MS = 10 * 60_000;

/**
 * There is no maximum of attempts: the activity returns once the ledger has given the message up. It names each wait; the figures here
 * hold where it could not run itself. A dead worker is noticed within seconds. Never before money that moves.
 */
export const untilDelivered: ActivityOptions = {
  startToCloseTimeout: '60s',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '10s', backoffCoefficient: 2, maximumInterval: '15m' },
  priority: { priorityKey: 5 },
};
