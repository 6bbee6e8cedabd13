import type { CallAnswer, RefusalByRecords } from '../../domain/calls/answers.js';
import type { RetryPolicy } from '../../domain/calls/next.js';
import type { KeyedAnswer, ReadAnswer, ReversalState } from '../../domain/calls/provider-answers.js';
import type { OthersReversal } from '../../domain/marketplace/foreign-reversals.js';
import type { CallOutcome, Claimed, Recorded, SendPermit, StripeClaim } from '../../ledger/calls/call-types.js';
import type { MarketplaceItem } from '../../ledger/marketplace/marketplace-types.js';

/** What Stripe's records say of one transfer or reversal of ours. */
export type Looked =
  /** `others`: what somebody else has reversed of it before we knew its id, or that it was there at all. */
  | { readonly kind: 'ours'; readonly stripeId: string; readonly others?: readonly OthersReversal[] }
  /** Ours is there and Stripe has not finished it. */
  | { readonly kind: 'unfinished'; readonly detail: string }
  /** Ours is there in a state that no document names. */
  | { readonly kind: 'strange'; readonly detail: string }
  /** Stripe had taken it, and has given it up: under this key nothing moves any more. */
  | { readonly kind: 'ended'; readonly as: 'failed' | 'canceled'; readonly detail: string }
  | { readonly kind: 'absent' }
  /** Nothing of ours, and our call cannot succeed any more. */
  | {
      readonly kind: 'hopeless';
      readonly why: RefusalByRecords;
      readonly detail: string;
      /** Which reversals of others it tells of, by their ids at Stripe. */
      readonly others?: readonly string[];
    }
  | { readonly kind: 'unread'; readonly answer: Unread };
export type Unread = Exclude<ReadAnswer<never>, { kind: 'found' | 'missing' }>;

/** One kind of money call to Stripe: how it is claimed, found, sent and recorded. */
export interface StripeCall<Id extends string, C extends Claimed & { readonly id: Id }, Params> {
  readonly policy: RetryPolicy;
  claim(id: Id, runner: string, holdMs: number): Promise<StripeClaim<C>>;
  look(claim: C): Promise<Looked>;
  noteAbsent(absence: { id: Id; runner: string }): Promise<void>;
  /** Reads at Stripe whether what it waits for is over, and has the ledger act on that. Left out: nothing of this kind waits so. */
  read?(of: 'platform_balance' | 'seller', sellerAccount: string): Promise<void>;
  /** What a no means that is about whom the money is for, once Stripe's records hold nothing of ours. Left out: what it says. */
  judge?(claim: C, why: 'not_able' | 'missing'): Promise<CallAnswer>;
  /** Whether it is still due, asked immediately before the send; undefined: it is, or the permit will tell. */
  stillDue(claim: C): Promise<NotNow | undefined>;
  permit(id: Id, runner: string, holdMs: number): Promise<SendPermit<Params>>;
  send(
    claim: C,
    key: string,
    params: Params,
  ): Promise<KeyedAnswer<{ readonly stripeId: string; readonly state: ReversalState }>>;
  record(outcome: CallOutcome<Id>): Promise<Recorded>;
  /** Gives the claim back. `unfinished`: Stripe has it and works on it; an event may tell sooner. */
  release(id: Id, runner: string, afterMs: number, why: 'later' | 'unfinished'): Promise<void>;
}

export type NotNow =
  | { readonly kind: 'later' | 'waiting'; readonly afterMs: number; readonly why: string }
  /** A person has to find out whether it is due at all. */
  | { readonly kind: 'undue'; readonly why: string }
  /** There is no amount that could be sent in a currency that was read. */
  | { readonly kind: 'unsendable'; readonly as: 'conflict' | 'retired'; readonly why: string };

export interface StripeCallDependencies {
  /** Names this process among all runners. */
  readonly processName: string;
  readonly monotonicMs: () => number;
  /** A claim, and a permit, outlive the call they allow by this. */
  readonly holdMs: number;
  /** The key belongs to the account and mode this ledger is pinned to; otherwise nothing is sent. */
  readonly account: StripeAccountCheck;
  /** Starts or wakes the workflows of items; what fails is found by the sweep. */
  readonly wake: (items: readonly MarketplaceItem[]) => void;
}

export interface StripeAccountCheck {
  /** undefined: all is well. */
  verify(): Promise<Unread | undefined>;
  /**
   * Whether Stripe, or this seller at it, does not let us in as a call was just told, asked read-only: one odd refusal parks
   * nobody. undefined: it does let us in.
   */
  confirm(scope: 'provider' | 'seller', sellerAccount: string): Promise<Unread | undefined>;
  /** A read-only look at a parked provider, `stripe` or `stripe:<account>`. @returns whether it lets us in again */
  probe(provider: string, sellerAccount: string): Promise<boolean>;
}
