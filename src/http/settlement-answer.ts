import type { Settlement } from '../domain/settlement.js';
import type { SettlementAnswer } from './schemas.js';

/** A settlement as outsiders see it (contract.md): snake_case, amounts as digits in the atomic unit. */
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
  attention: settlement.attention,
  workflow_id: settlement.workflowId,
  tx_hash: settlement.txHash,
  already_settled: settlement.alreadySettled,
  created_at: settlement.createdAt,
  settled_at: settlement.settledAt,
});
