/**
 * What a provider's answer to a money call shows, in our words; each provider's client maps every possible answer
 * onto one of these by a total table.
 *
 * - `done`: the money has moved, with the provider's word for it.
 * - `refused`: the provider understood the call and says no, in a body we recognise.
 * - `unclear`: timeout, reset, 5xx, unreadable 2xx. The money may have moved.
 * - `busy`: the provider asks to come back (408, 425, 429); the money may have moved with 408, so it counts as unclear.
 * - `misdirected`: what answered is not the provider, or it does not let us in (401, 403, 404, 405, 3xx, HTML).
 */
export type Answer =
  | {
      readonly kind: 'done';
      readonly alreadySettled: boolean;
      readonly txHash: string | null;
      /** What the provider says that it settled, in its own words; left out where it says nothing. */
      readonly settledAmount?: string;
    }
  | { readonly kind: 'refused'; readonly why: RefusalClass; readonly detail: string }
  | { readonly kind: 'unclear'; readonly why: UnclearClass; readonly detail: string }
  | {
      readonly kind: 'busy';
      readonly retryAfterMs: number | null;
      readonly detail: string;
      /** Ours, not the provider's: nothing left. */
      readonly executed?: 'no';
    }
  | { readonly kind: 'misdirected'; readonly detail: string };

/** What follows a money call is decided from this, whichever provider answered. */
export type CallAnswer =
  | { readonly kind: 'done'; readonly alreadySettled: boolean }
  | { readonly kind: 'refused'; readonly why: RefusalClass | RefusalByRecords }
  /** Records that were read before the send say that it must not be made. */
  | { readonly kind: 'not_sent'; readonly why: RefusalByRecords }
  /** A balance is too low: this attempt moved nothing, a later one may succeed. */
  | { readonly kind: 'short' }
  /** Whom the money is for cannot receive it yet: this attempt moved nothing, a later one may succeed. */
  | { readonly kind: 'not_able' }
  | { readonly kind: 'unclear'; readonly why: UnclearClass }
  /** `executed: 'no'`: the provider turned the attempt away before it did anything. */
  | { readonly kind: 'busy'; readonly retryAfterMs: number | null; readonly executed?: 'no' | 'perhaps' }
  | { readonly kind: 'misdirected' };

/**
 * A refusal whose meaning was read from the provider's records. `missing`: the object does not exist. `strange`: it is there in a state that we do not know. `foreign`: somebody
 * else took all of it; `partly_foreign`: a part of it that nobody has decided about. `exceeds`: less is left than we ask for. `conflict`: the key or our mark stands for something else.
 * `refused`: the account or its settings do not allow it. `barred`: turned away as if we were not known, while a probe is let
 * in: that may pass, and counts against this one item. `undue`: what the call was for no longer holds. `gone`: whom the money is for
 * has left, or was rejected. `retired`: in a currency that is none any more.
 */
export type RefusalByRecords =
  | 'missing'
  | 'strange'
  | 'foreign'
  | 'partly_foreign'
  | 'exceeds'
  | 'conflict'
  | 'refused'
  | 'barred'
  | 'undue'
  | 'retired'
  | 'gone';

/** `insufficient`: the payer cannot pay now. `used`: the nonce or the payment is spent. `expired`: too late. */
export type RefusalClass = 'insufficient' | 'used' | 'expired' | 'other';

/** `no_answer`: our own time limit ran out while the provider may still be at work. */
export type UnclearClass = 'no_answer' | 'reset' | 'not_connected' | 'server_error' | 'unreadable';

/**
 * Running out of a short first limit is neither success nor failure: the provider may be at work, and the next send will
 * tell. What was stopped before it left says nothing of the provider. The log, the counter of failures and the breaker must agree on this.
 * @param patient the provider had the whole answer window
 */
export const isUndecided = (answer: Answer, patient: boolean): boolean =>
  (answer.kind === 'unclear' && answer.why === 'no_answer' && !patient) ||
  (answer.kind === 'busy' && answer.executed === 'no');
