/** Why an item waits for an operator: the closed list of the API (docs/openapi.json). */
export const ATTENTION_REASONS = [
  'credential_undecodable',
  'credential_refused',
  'credential_expired',
  'uncollectable',
  'settled_elsewhere_suspected',
  'retries_exhausted',
  'resource_missing',
  'missing_transfer_id',
  'foreign_reversal',
  'exceeds_remainder',
  'conflict',
  'provider_config',
  'balance_horizon',
  'refund_failed_after_reversal',
  'unknown_refund',
  'drift',
  'late_success',
  'approval_pending',
  'payment_amount_differs',
  'unknown_status',
  'provider_mismatch',
  'partly_foreign_reversal',
  'cause_no_longer_holds',
  'unreadable_session',
  'seller_gone',
  'dispute',
  'release_overdue',
  'payout_failed',
  'retired_currency',
  'capture_overdue',
  'seller_owes',
] as const;
export type AttentionReason = (typeof ATTENTION_REASONS)[number];

/** An item that waits for a person; `since` is ISO 8601. */
export interface Attention {
  readonly reason: AttentionReason;
  readonly since: string;
  readonly detail: string;
}
