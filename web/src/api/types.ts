import type { Certainty } from '../../../src/domain/calls/certainty.js';
import type { DecidableKind } from '../../../src/domain/decisions/decisions.js';
import type { Place } from '../../../src/domain/explanations/where-money-is.js';
import type { Role } from '../../../src/domain/roles.js';

/** What the console reads of the API; /openapi.json has the whole of it. Times are ISO 8601, amounts as the API writes them. */

export type Kind = DecidableKind | 'order' | 'channel';

export interface Session {
  readonly name: string;
  readonly role: Role;
  readonly csrf: string;
}

export interface Attention {
  readonly reason: string;
  readonly since: string;
  readonly detail: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

/** A row of any list: what all have, and what each has beside it. */
export interface ListedItem {
  readonly id: string;
  readonly status?: string;
  readonly certainty?: Certainty;
  readonly attention?: Attention | null;
  readonly created_at?: string;
  readonly [field: string]: unknown;
}

export interface Sum {
  readonly unit: string;
  /** Of an asset; null: minor units of a currency. */
  readonly decimals: number | null;
  readonly amount: string;
}

export interface Needed {
  readonly kind: string;
  readonly reason: string;
  readonly count: number;
  readonly oldest_at: string;
  readonly amounts: readonly Sum[];
  readonly runbook: string;
}

export interface Unsettled {
  readonly protocol: string;
  readonly asset: string;
  readonly decimals: number;
  readonly amount: string;
  readonly count: number;
  readonly oldest_at: string;
}

export interface OpenMoney {
  readonly kind: string;
  readonly status: string;
  readonly currency: string;
  readonly amount: string;
  readonly count: number;
  readonly oldest_at: string;
}

export interface Provider {
  readonly provider: string;
  readonly pausable: string | null;
  readonly state: 'closed' | 'open' | 'half_open';
  readonly reason: string | null;
  readonly detail: string | null;
  readonly since: string | null;
  readonly paused_by: string | null;
  readonly paused_note: string | null;
  readonly next_probe_at: string | null;
  readonly pace_per_second: number | null;
  readonly limit_per_second: number | null;
  readonly rate: StripeRate | null;
  readonly last_success_at: string | null;
}

/** How fast Stripe is called, and by whose word. */
export interface StripeRate {
  readonly of_settings: number | null;
  readonly set: { readonly per_second: number; readonly by: string; readonly note: string; readonly at: string } | null;
  readonly in_force: number | null;
  readonly most: number;
}

export interface Point {
  readonly at: string;
  readonly done: number;
  readonly failed: number;
  readonly backlog: number;
  readonly needs_attention: number;
}

export interface Overview {
  readonly at: string;
  readonly needs_a_person: readonly Needed[];
  readonly unsettled: readonly Unsettled[];
  readonly marketplace: readonly OpenMoney[];
  readonly providers: readonly Provider[];
  readonly inbox: readonly { readonly provider: string; readonly count: number; readonly oldest_at: string }[];
  readonly sweeps: readonly { readonly name: string; readonly last_success_at: string | null }[];
  readonly decisions_not_taken: readonly string[];
  readonly compared: readonly { readonly part: string; readonly last_success_at: string; readonly late: boolean }[];
  readonly counts: {
    readonly unknown: number;
    readonly expiring: number;
    readonly suspected_elsewhere: number;
    readonly delivery_unknown: number;
    readonly answers_due: number;
    readonly drift: number;
    readonly payouts_failed: number;
  };
  readonly series: { readonly step_seconds: number; readonly from: string; readonly points: readonly Point[] };
}

export interface Found {
  readonly kind: string;
  readonly id: string;
  readonly matched: string;
  readonly label: string;
  readonly status: string;
  readonly needs_attention: boolean;
}

export interface SearchResults {
  readonly results: readonly Found[];
  readonly more: boolean;
}

export interface PossibleAction {
  readonly action: string;
  readonly effect: string;
  readonly persons: string;
  readonly needs_second_person: boolean;
  readonly fields: readonly { readonly name: string; readonly required: boolean; readonly evidence: boolean }[];
  readonly command: string;
}

export interface Related {
  readonly kind: string;
  readonly id: string;
  readonly relation: string;
  readonly status: string;
  readonly amount: string;
  readonly currency: string | null;
}

export type Facts = Readonly<Record<string, unknown>>;

export interface Explanation {
  readonly kind: string;
  readonly id: string;
  readonly status: string;
  readonly why: string;
  readonly certainty: Certainty | null;
  readonly amount: string;
  readonly money: { readonly with: readonly Place[]; readonly words: string };
  readonly next: string;
  readonly next_at: string | null;
  readonly attention: Attention | null;
  readonly actions: readonly PossibleAction[];
  readonly waiting_decision: {
    readonly id: string;
    readonly action: string;
    readonly by: string;
    readonly note: string;
    readonly requested_at: string;
  } | null;
  readonly runbook: string | null;
  readonly temporal_url: string | null;
  readonly related: readonly Related[];
  readonly evidence: { readonly ours: Facts; readonly provider: Facts | null; readonly looked_at: string | null };
  readonly shares?: readonly Share[];
}

/** What one party of an order has; minor units of its currency. */
export interface Share {
  readonly party: Place;
  readonly account: string | null;
  readonly has: number | string;
  readonly to_come: number | string;
  readonly to_give_back: number | string;
}

export interface StoryEvent {
  readonly item: string;
  readonly at: string;
  readonly kind: string;
  readonly certainty: string | null;
  readonly answer: string | null;
  readonly key: string | null;
  readonly request_id: string | null;
  readonly status: number | null;
  readonly replayed: boolean | null;
  readonly detail: Facts;
}

export interface Story {
  readonly events: readonly StoryEvent[];
  readonly lookup: Facts | null;
}

export interface Decided {
  readonly id: string;
  readonly status: string;
  readonly decision_id: string;
}

export interface WaitingDecision extends ListedItem {
  readonly kind: DecidableKind;
  readonly item_id: string;
  readonly action: string;
  readonly state: 'applied' | 'pending_approval' | 'ignored';
  readonly by: string;
  readonly authenticated: boolean;
  readonly note: string;
  readonly evidence: Facts | null;
  readonly reason: string | null;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly first_approver: string | null;
  readonly approved_by: string | null;
  readonly requested_at: string;
}

export interface BulkRequest {
  readonly kind: string;
  readonly reason: string;
  readonly action: string;
  readonly note: string;
  readonly ids?: readonly string[];
  readonly dry_run: boolean;
}

export interface BulkAnswer {
  readonly dry_run: boolean;
  readonly effect: string;
  readonly items: readonly {
    readonly id: string;
    readonly outcome: string;
    readonly status: string | null;
    readonly amount: string | null;
    readonly needs_second_person: boolean | null;
    readonly decision_id: string | null;
    readonly detail: string | null;
  }[];
  readonly amounts: readonly { readonly unit: string; readonly amount: string }[];
  readonly more: boolean;
}

/** What the provider shows of an item at this moment. */
export interface Live {
  readonly read_at: string;
  readonly provider: string;
  readonly answer: 'shown' | 'absent' | 'away' | 'not_asked';
  readonly words: string;
  readonly shows: Facts | null;
  readonly ours: Facts;
  readonly decisions: readonly {
    readonly action: string;
    readonly verdict: 'borne_out' | 'refused' | 'not_in_the_way';
    readonly words: string;
    readonly effect: string | null;
  }[];
}

/** One comparison with the providers. */
export interface Reconciliation {
  readonly id: string;
  readonly requested_by: string;
  readonly state: 'running' | 'finished';
  readonly started_at: string;
  readonly parts: readonly {
    readonly part: string;
    readonly left_because: string | null;
    readonly uncompared: readonly string[];
  }[];
}

export interface Drift {
  readonly id: string;
  readonly kind: string;
  readonly state: 'open' | 'closed';
  readonly words: string;
  readonly provider: string;
  readonly provider_id: string;
  readonly item: { readonly kind: string; readonly id: string } | null;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly ledger_says: string;
  readonly provider_says: string;
  readonly opened_at: string;
  readonly last_seen_at: string;
  readonly version: number;
  readonly waiting_acceptance: { readonly by: string; readonly note: string; readonly at: string } | null;
  readonly runbook: string;
}

/** What Stripe sent from a seller's balance to his bank. */
export interface Payout {
  readonly id: string;
  readonly seller_account: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: string;
  readonly arrival_at: string | null;
  readonly failure_code: string | null;
  readonly contents: { readonly state: string; readonly detail: string; readonly others: number };
  readonly transfers: readonly {
    readonly id: string | null;
    readonly stripe_transfer_id: string;
    readonly amount: number;
    readonly currency: string;
  }[];
  readonly attention: Attention | null;
}
