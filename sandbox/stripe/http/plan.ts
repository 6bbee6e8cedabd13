import type { RefundStatus, World } from '../state/records.js';
import type { Store } from '../state/store.js';
import type { Put } from '../state/tables.js';
import type { EventDraft } from '../webhooks/events.js';
import { type Problem, problemBody } from './problems.js';

/** What a plan is made from. */
export interface PlanContext {
  readonly store: Store;
  readonly world: World;
  readonly nowMs: number;
}

/** Who asks, and when. */
export interface Caller extends PlanContext {
  /** The account acted for: the platform, or what Stripe-Account names. */
  readonly account: string;
  /** Until money of a payment is available. */
  readonly settlementDays: number;
  /** How old a PaymentIntent is before a search finds it. */
  readonly indexedAfterMs: number;
  /** What a refund is at first. */
  readonly refunds: RefundStatus;
  /** What becomes of one that the platform's balance does not cover. */
  readonly shortRefunds: 'debited' | 'pending' | 'refused';
}

/**
 * What an endpoint would do and answer. It is made without side effects, so that the money, the key's saved answer and
 * a fault's lie about it are one commit.
 */
export interface Plan {
  readonly status: number;
  readonly body: object;
  readonly puts: readonly Put[];
  readonly events: readonly EventDraft[];
}

export const answer = (body: object, puts: readonly Put[] = [], events: readonly EventDraft[] = []): Plan => ({
  status: 200,
  body,
  puts,
  events,
});

export const refusal = (problem: Problem): Plan => ({
  status: problem.status,
  body: problemBody(problem),
  puts: [],
  events: [],
});

export const seconds = (ms: number): number => Math.floor(ms / 1000);

/** Transfers and payments do: another platform, the other mode or a connected account finds none of them. */
export const liesOnPlatform = (row: World, { world, account }: Caller): boolean =>
  row.platform === account && row.livemode === world.livemode;
