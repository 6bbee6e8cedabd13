import type { Certainty } from '../calls/certainty.js';
import type { Attention } from '../decisions/attention.js';
import type { Settlement } from './settlement.js';
import type { Delivery, HeldBack, Protocol, SettlementStatus } from './settlement-status.js';

/** A settlement as outsiders see it, in the API and with `--json`: amounts are digits in the atomic unit. */
export interface SettlementAnswer {
  readonly id: string;
  readonly key: string;
  readonly status: SettlementStatus;
  readonly certainty: Certainty;
  readonly protocol: Protocol;
  readonly spent: { readonly amount: string; readonly asset: string; readonly decimals: number };
  readonly cap: string | null;
  readonly attempts: number;
  readonly next_retry_at: string | null;
  readonly delivery: Delivery | null;
  readonly answer: HeldBack | null;
  readonly attention: Attention | null;
  readonly workflow_id: string | null;
  readonly tx_hash: string | null;
  readonly already_settled: boolean;
  readonly created_at: string;
  readonly settled_at: string | null;
}

export const settlementAnswer = (settlement: Settlement): SettlementAnswer => ({
  id: settlement.id,
  key: settlement.key,
  status: settlement.status,
  certainty: settlement.certainty,
  protocol: settlement.protocol,
  spent: { amount: settlement.spent, asset: settlement.asset, decimals: settlement.decimals },
  cap: settlement.cap,
  attempts: settlement.attempts,
  next_retry_at: settlement.nextRetryAt,
  delivery: settlement.delivery,
  answer: settlement.answer,
  attention: settlement.attention,
  workflow_id: settlement.workflowId,
  tx_hash: settlement.txHash,
  already_settled: settlement.alreadySettled,
  created_at: settlement.createdAt,
  settled_at: settlement.settledAt,
});
