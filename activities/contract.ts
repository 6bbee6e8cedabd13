import type { RowOutcome, SettlementTimings } from '../src/calls/steps.js';
import type { SettlementProvider } from '../src/domain/settlements/settlement-providers.js';
import type { Protocol } from '../src/domain/settlements/settlement-status.js';

/**
 * What workflows know of activities: types only, plain JSON, append-only (histories of older builds are replayed
 * against it). No credential ever passes here; a settlement travels as its id.
 */
export interface SettlementActivities {
  /** Sends each settlement that may be sent now, once, and records how it ended. */
  settleRows(input: SettleRowsInput): Promise<RowOutcome[]>;
  /** Reads one settlement: what an operator decided through our own API, without a call to the provider. */
  readSettlement(settlementId: string): Promise<RowOutcome>;
  /** Records an operator's decision that came by signal or update; the name in it is only claimed. */
  decide(request: DecisionInput): Promise<DecisionResult>;
}

export interface SettleRowsInput {
  settlementIds: string[];
  /** Limit of each call to the provider. */
  timeoutMs: number;
  /** `throw`: a settlement that must be tried again fails the activity, so that the retry policy waits and repeats. */
  whenUnsettled: 'return' | 'throw';
  /** Of all of them. Histories of older builds have none: then nobody counts how many calls are open there. */
  provider?: SettlementProvider;
}

export interface DecisionInput {
  settlementId: string;
  action: string;
  by: string;
  note: string;
  evidence: Record<string, unknown> | null;
  /** Same for every attempt of one message, so that a repeated activity decides once. */
  decisionId: string;
}

/** The item's status after the decision, whatever kind of item it is. */
export type DecisionResult =
  | { kind: 'applied' | 'pending_approval'; status: string; decisionId: string }
  | { kind: 'not_waiting'; status: string }
  | { kind: 'refused'; detail: string };

/** What starts a settlement's workflow; the retry settings travel with it, because a workflow reads no environment. */
export interface CloseTimeSettlementInput {
  settlementId: string;
  protocol: Protocol;
  /** Histories of older builds have none: then it is the auth server. */
  provider?: SettlementProvider;
  settings: SettlementTimings;
}

export interface SettleBatchInput {
  settlements: { settlementId: string; protocol: Protocol; provider?: SettlementProvider }[];
  settings: SettlementTimings;
}
