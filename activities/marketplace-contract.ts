import type { AttentionReason } from '../src/domain/decisions/attention.js';
import type { DecidableKind } from '../src/domain/decisions/decisions.js';
import type { DecisionResult } from './contract.js';

/**
 * What the marketplace's workflows know of activities: types only, plain JSON, append-only (histories of older builds are
 * replayed against it). Items travel as their ids; amounts, keys and secrets stay in the ledger.
 */
export interface MarketplaceActivities {
  /** Makes the payment at Hyperswitch if it was never sent, reads it otherwise, and applies what it says. */
  advancePayment(paymentId: string): Promise<FollowStep>;
  advanceRefund(refundId: string): Promise<FollowStep>;
  /** One attempt; a failure that counts as a retry is thrown, everything else is returned. */
  sendTransfer(transferId: string): Promise<CallStep>;
  reverseTransfer(reversalId: string): Promise<CallStep>;
  /** Reads Stripe for an item that waits for a person while nobody knows whether the money moved; never sends. */
  probeTransfer(transferId: string): Promise<CallStep>;
  probeReversal(reversalId: string): Promise<CallStep>;
  /** Milliseconds until this seller's next call should begin. */
  takeTurn(sellerAccount: string): Promise<number>;
  /** Records an operator's decision that came by signal or update; the name in it is only claimed. */
  decideMoney(request: MoneyDecisionInput): Promise<DecisionResult>;
}

/** A payment or refund after one look at Hyperswitch. */
export type FollowStep =
  | { kind: 'final'; status: string }
  /** Not final yet: read again later. */
  | {
      kind: 'open';
      status: string;
      detail: string /** Only where it is to be left alone for longer. */;
      afterMs?: number;
    }
  | { kind: 'attention'; reason: AttentionReason; detail: string; unknown: boolean }
  | { kind: 'later'; afterMs: number; why: string };

/** A transfer or reversal after one attempt. None of these has used up a retry. */
export type CallStep =
  | { kind: 'final'; status: string }
  /** `unknown`: the money may have moved, so Stripe's records are read again from time to time. */
  | { kind: 'attention'; reason: AttentionReason; detail: string; unknown: boolean }
  | { kind: 'later'; afterMs: number; why: string }
  | { kind: 'waiting_balance'; afterMs: number }
  | { kind: 'parked'; why: string };

export interface MoneyDecisionInput {
  kind: Exclude<DecidableKind, 'settlement'>;
  itemId: string;
  action: string;
  by: string;
  note: string;
  evidence: Record<string, unknown> | null;
  /** Same for every attempt of one message, so that a repeated activity decides once. */
  decisionId: string;
}

/** What starts a payment's or refund's workflow. */
export interface FollowInput {
  id: string;
}

/** What starts a transfer's or reversal's workflow; the retry settings travel with it, because a workflow reads no environment. */
export interface StripeCallInput {
  id: string;
  sellerAccount: string;
  settings: RetryTimings;
}

export interface RetryTimings {
  backoffBaseMs: number;
  backoffMaxMs: number;
  maxRetries: number;
}
