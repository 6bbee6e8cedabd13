import { type ApprovalThreshold, belowThreshold } from '../decisions/approval-threshold.js';
import type { AttentionReason } from '../decisions/attention.js';
import { toHundredths } from '../money.js';
import { isQuiet, type QuietHours } from './quiet-hours.js';

/** When what needs a person is told. */
export interface TellingRules {
  /** What comes up within so long after the first of a reason is told with it. */
  readonly groupWindowMs: number;
  /** Still open so long after it was told: it is told to those of the escalation too. */
  readonly escalateAfterMs: number;
  /** Undefined: there is no quiet hour. */
  readonly quietHours: QuietHours | undefined;
  /** From here on nothing waits for the morning, by currency. */
  readonly urgentAmount: ApprovalThreshold;
}

/** Everything of one reason that one destination has not been told and is to be told. */
export interface UntoldGroup {
  readonly reason: AttentionReason;
  /** When the first of it was to be told. */
  readonly readyAtMs: number;
  readonly totals: readonly Total[];
}

export interface Total {
  readonly currency: string;
  /** Of an asset; null: a currency, whose minor units are counted. */
  readonly decimals: number | null;
  /** Digits. */
  readonly amount: string;
  readonly count: number;
}

/** `gathering`: more of its reason may come. `quiet`: it waits for the end of the quiet hours. */
export type Moment = 'now' | 'gathering' | 'quiet';

export function whenTold(group: UntoldGroup, nowMs: number, rules: TellingRules): Moment {
  if (nowMs < group.readyAtMs + rules.groupWindowMs) return 'gathering';
  return rules.quietHours && isQuiet(rules.quietHours, nowMs) && !isUrgent(group, rules.urgentAmount) ? 'quiet' : 'now';
}

/** Nothing of a group that is urgent waits for the morning: what grows while one sleeps, and what is much money. */
export const isUrgent = (
  { reason, totals }: Pick<UntoldGroup, 'reason' | 'totals'>,
  limit: ApprovalThreshold,
): boolean =>
  URGENCY[reason] === 'urgent' ||
  totals.some(({ currency, decimals, amount }) => {
    const comparable = decimals === null ? BigInt(amount) : toHundredths(BigInt(amount), decimals);
    return !belowThreshold(limit, { amount: comparable, currency: currency.toLowerCase() }, 0n);
  });

/** `urgent`: every hour makes it worse, or something is wrong that other money goes through too. */
const URGENCY: Readonly<Record<AttentionReason, 'urgent' | 'can_wait'>> = {
  credential_undecodable: 'can_wait',
  credential_refused: 'can_wait',
  credential_expired: 'can_wait',
  uncollectable: 'can_wait',
  settled_elsewhere_suspected: 'can_wait',
  retries_exhausted: 'can_wait',
  resource_missing: 'can_wait',
  missing_transfer_id: 'can_wait',
  foreign_reversal: 'can_wait',
  exceeds_remainder: 'can_wait',
  conflict: 'urgent',
  provider_config: 'urgent',
  balance_horizon: 'can_wait',
  refund_failed_after_reversal: 'urgent',
  unknown_refund: 'can_wait',
  drift: 'urgent',
  late_success: 'urgent',
  approval_pending: 'can_wait',
  payment_amount_differs: 'urgent',
  unknown_status: 'can_wait',
  provider_mismatch: 'urgent',
  partly_foreign_reversal: 'can_wait',
  cause_no_longer_holds: 'can_wait',
  unreadable_session: 'urgent',
  seller_gone: 'can_wait',
  dispute: 'can_wait',
  release_overdue: 'can_wait',
  payout_failed: 'can_wait',
  retired_currency: 'can_wait',
  capture_overdue: 'urgent',
  seller_owes: 'can_wait',
};
