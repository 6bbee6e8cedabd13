import type { Attention, AttentionReason } from '../../domain/decisions/attention.js';
import type { DecidableKind } from '../../domain/decisions/decisions.js';
import type { DecisionId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import type { OthersReversal } from '../../domain/marketplace/foreign-reversals.js';

export interface DecisionRequest {
  readonly id: DecisionId;
  readonly kind: DecidableKind;
  readonly itemId: string;
  /** Of the catalogue (domain/decisions.ts); another one is refused. */
  readonly action: string;
  readonly by: string;
  /** False for a signal or update of the Temporal CLI: `by` is then only claimed. */
  readonly authenticated: boolean;
  readonly note: string;
  readonly evidence: JsonObject | null;
  /** What the person saw the item ask. Where it asks something else by then, nothing is decided; left out: whatever it asks. */
  readonly seen?: Seen | undefined;
  /** What a look at the provider showed, made after the item was found waiting and before this call. */
  readonly verified: Verification;
}

/** A reason of null: it asked nothing. A detail that is left out may have changed. */
interface Seen {
  readonly reason: AttentionReason | null;
  readonly detail?: Attention['detail'] | undefined;
}

export type Verification =
  /** The provider was not asked: the action needs it not, or there is nobody who could be asked. */
  | { readonly kind: 'not_needed' }
  /**
   * Its name there; null: the provider shows it without one. `unmarked`: it bears no mark of ours, and a person says whose it is.
   * `takenBack`: it is a transfer of which somebody else has reversed this already. `tookWhole`: it is a reversal of the whole share,
   * of which a part had been counted as taken by others.
   */
  | {
      readonly kind: 'found';
      readonly providerId: string | null;
      readonly unmarked?: true;
      readonly tookWhole?: true;
      readonly takenBack?: readonly OthersReversal[];
    }
  | { readonly kind: 'absent' }
  /**
   * What others reversed of the transfer, in digits of minor units; nothing of it is ours. `converted`: all of it is in the currency that the
   * transfer was sent in, which is not the share's.
   */
  | {
      readonly kind: 'taken_by_others';
      readonly reversals: readonly { readonly id: string; readonly amount: string; readonly settled: boolean }[];
      readonly left: string;
      readonly converted?: string;
      /** What the seller has at Stripe, where it was read. */
      readonly available?: string;
    }
  | { readonly kind: 'refuted'; readonly detail: string }
  | { readonly kind: 'unanswered'; readonly detail: string };

export type DecideOutcome =
  | { readonly kind: 'applied' | 'pending_approval'; readonly status: string; readonly decisionId: DecisionId }
  | { readonly kind: 'not_found' }
  /** `request`: one made before waits for its approval; left out: nobody is asked. */
  | { readonly kind: 'not_waiting'; readonly status: string; readonly request?: DecisionId }
  /** It does not ask what the person saw. */
  | { readonly kind: 'asks_otherwise'; readonly detail: string }
  /** The action does not fit the item, or its evidence is missing or refuted. */
  | { readonly kind: 'refused'; readonly detail: string };

export interface Approval {
  readonly decisionId: DecisionId;
  /** The approver's name, not the token: a person who has several counts once. */
  readonly by: string;
  readonly note: string;
  readonly verified: Verification;
}

export type ApproveOutcome = DecideOutcome | { readonly kind: 'self_approval' };

/** Which item a decision is about. */
export interface DecisionItem {
  readonly decisionId: DecisionId;
  readonly kind: DecidableKind;
  readonly itemId: string;
  readonly action: string;
  readonly evidence: JsonObject | null;
}
