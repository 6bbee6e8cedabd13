import type { AttentionReason } from '../domain/decisions/attention.js';
import type { SettlementStatus } from '../domain/settlements/settlement-status.js';

/**
 * What one attempt came to. Plain JSON, append-only: workflows are told these by their activities, and histories of older
 * builds are replayed against them.
 */

export type RowOutcome = { settlementId: string } & (
  | { kind: 'final'; status: SettlementStatus; txHash: string | null }
  | { kind: 'attention'; reason: AttentionReason; detail: string }
  | { kind: 'retry'; afterMs: number; why: string }
  /** It waits in the ledger, and the sweep starts it again. */
  | { kind: 'waiting'; why: 'breaker' | 'blocked' | 'parked' | 'busy' }
);

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
  /** For the platform's balance or for the seller: what ends it wakes it, and a person may decide meanwhile. */
  | { kind: 'waiting'; afterMs: number; why: string }
  | { kind: 'parked'; why: string };

/** What an attempt at Stripe comes to before a failure that counts as a retry is told to whoever repeats it. */
export type CallAttempt = CallStep | { kind: 'failed'; afterMs: number; why: string };

export interface SettlementTimings {
  backoffBaseMs: number;
  backoffMaxMs: number;
  httpTimeoutMs: number;
}

export interface RetryTimings {
  backoffBaseMs: number;
  backoffMaxMs: number;
  maxRetries: number;
}
