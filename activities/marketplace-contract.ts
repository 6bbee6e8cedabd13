import type { CallStep, FollowStep, RetryTimings } from '../src/calls/steps.js';
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
  /** Reads a dispute where its funds can be seen, and has the sellers' shares follow them. */
  advanceDispute(disputeId: string): Promise<FollowStep>;
  /** One attempt; a failure that counts as a retry is thrown, everything else is returned. */
  sendTransfer(transferId: string): Promise<CallStep>;
  reverseTransfer(reversalId: string): Promise<CallStep>;
  /** Reads Stripe for an item that waits for a person while nobody knows whether the money moved; never sends. */
  probeTransfer(transferId: string): Promise<CallStep>;
  probeReversal(reversalId: string): Promise<CallStep>;
  /** Milliseconds until this seller's next call should begin. */
  takeTurn(sellerAccount: string): Promise<number>;
  /** Records an operator's decision that came by signal or update; the name in it is only claimed. */
  decideMoney(request: MarketplaceDecisionInput): Promise<DecisionResult>;
}

export interface MarketplaceDecisionInput {
  kind: Exclude<DecidableKind, 'settlement'>;
  itemId: string;
  action: string;
  by: string;
  note: string;
  evidence: Record<string, unknown> | null;
  /** Same for every attempt of one message, so that a repeated activity decides once. */
  decisionId: string;
}

/** What starts a payment's, refund's or dispute's workflow. */
export interface FollowInput {
  id: string;
}

/** What starts a transfer's or reversal's workflow; the retry settings travel with it, because a workflow reads no environment. */
export interface StripeCallInput {
  id: string;
  sellerAccount: string;
  settings: RetryTimings;
}
