import { assertNever } from '../assert-never.js';
import type { NeverWaiting } from '../calls/next.js';
import type { AttentionReason } from '../decisions/attention.js';
import type { SettlementId } from '../ids.js';
import type { SettlementStatus } from './settlement-status.js';

/** A settlement under its lock, as far as it decides what the end of an attempt makes of it. */
export interface Standing {
  readonly status: SettlementStatus;
  /** The attempt still holds its claim: nobody else has sent it since. */
  readonly held: boolean;
  /** Nothing was given for it yet: its answer is held back until the money is in, or it tops up a channel. */
  readonly unserved: boolean;
  /** Of the same payer: the charge about which a person is asked already, because that payer cannot pay. */
  readonly askedOfPayer: SettlementId | undefined;
}

export type AfterAttempt =
  /** `late`: what it was when the money came in although nobody was trying any more; a person hears of it. */
  | { readonly kind: 'settles'; readonly late?: SettlementStatus }
  /** After `retryMs`; unless something does so by itself, a sweep looks after `checkMs`. */
  | { readonly kind: 'tries_again'; readonly retryMs: number; readonly checkMs: number }
  /** Its payer is asked about once: until that is decided, this one is not sent. */
  | { readonly kind: 'waits_behind'; readonly settlement: SettlementId }
  | { readonly kind: 'asks'; readonly reason: AttentionReason }
  /** Nothing was given and no money moved, so nobody owes anything and nobody has to look at it. */
  | { readonly kind: 'is_written_off'; readonly reason: AttentionReason };

export const STATUS_AFTER: Readonly<Record<AfterAttempt['kind'], SettlementStatus>> = {
  settles: 'settled',
  tries_again: 'pending',
  waits_behind: 'pending',
  asks: 'needs_attention',
  is_written_off: 'written_off',
};

/** What tries again by itself is looked for this much later than it should have. */
const SWEEP_AFTER_MS = 15_000;

/**
 * What a settlement becomes by the decision about one of its attempts (`next`). Pure. Money that moved is taken note of in any
 * status that allows it; anything else counts only while the attempt holds its claim.
 *
 * @returns undefined: it stays what it is, and only the attempt's trace is kept
 */
export function afterAttempt(decision: NeverWaiting, standing: Standing): AfterAttempt | undefined {
  const { status, unserved, askedOfPayer } = standing;
  if (decision.do === 'finish') {
    if (status === 'pending') return { kind: 'settles' };
    return status === 'needs_attention' || status === 'written_off' ? { kind: 'settles', late: status } : undefined;
  }
  if (status !== 'pending' || !standing.held) return undefined;
  switch (decision.do) {
    case 'retry':
      return { kind: 'tries_again', retryMs: decision.afterMs, checkMs: decision.afterMs + SWEEP_AFTER_MS };
    // Nothing tries again by itself: the sweep does, at the first moment.
    case 'park':
      return { kind: 'tries_again', retryMs: decision.afterMs, checkMs: decision.afterMs };
    case 'ask': {
      const { reason } = decision;
      if (unserved && decision.certainty === 'absent') return { kind: 'is_written_off', reason };
      return reason === 'uncollectable' && askedOfPayer !== undefined
        ? { kind: 'waits_behind', settlement: askedOfPayer }
        : { kind: 'asks', reason };
    }
    default:
      return assertNever(decision);
  }
}
