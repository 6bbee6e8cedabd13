import type { DecisionId, SettlementId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';

export type DecidableKind = 'transfer' | 'reversal' | 'refund';

export type MoneyAction = 'retry' | 'adopt' | 'write_off' | 'compensate';

export interface MoneyDecisionRequest {
  readonly id: DecisionId;
  readonly kind: DecidableKind;
  readonly itemId: string;
  readonly action: MoneyAction;
  readonly by: string;
  readonly authenticated: boolean;
  readonly note: string;
  readonly evidence: JsonObject | null;
  /**
   * What a look at Stripe showed, made after the item was found waiting and before this call. `adopt` needs `found` with
   * the same id; `write_off` needs `absent`.
   */
  readonly verified: Verification;
}

export type Verification =
  | { readonly kind: 'not_needed' }
  | { readonly kind: 'found'; readonly stripeId: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refuted'; readonly detail: string }
  | { readonly kind: 'unanswered'; readonly detail: string };

export type MoneyDecideOutcome =
  | { readonly kind: 'applied' | 'pending_approval'; readonly status: string; readonly decisionId: DecisionId }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'not_waiting'; readonly status: string }
  | { readonly kind: 'refused'; readonly detail: string };

/** Which item a decision is about, of any kind; for approvals. */
export interface DecisionItem {
  readonly decisionId: DecisionId;
  readonly kind: 'settlement' | DecidableKind;
  readonly itemId: SettlementId | string;
  readonly action: string;
  readonly evidence: JsonObject | null;
}
