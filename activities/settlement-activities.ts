import type { DecisionId, SettlementId } from '../src/domain/ids.js';
import type { JsonObject } from '../src/domain/json.js';
import type { SettlementResolution } from '../src/resolution/decide-settlement.js';
import type { SettlementActivities } from './contract.js';
import { notSettledYet } from './failures.js';
import { createSettleRows, readOutcome, type SettleRowsDependencies } from './settle-rows.js';

export interface SettlementActivityDependencies extends SettleRowsDependencies {
  readonly resolution: SettlementResolution;
}

export function createSettlementActivities(dependencies: SettlementActivityDependencies): SettlementActivities {
  const settleRows = createSettleRows(dependencies);
  const { ledger, resolution } = dependencies;
  return {
    async settleRows({ settlementIds, timeoutMs, whenUnsettled }) {
      const outcomes = await settleRows(settlementIds as SettlementId[], timeoutMs);
      const unsettled = outcomes.find((outcome) => outcome.kind === 'retry');
      if (whenUnsettled === 'throw' && unsettled?.kind === 'retry')
        throw notSettledYet(unsettled.why, unsettled.afterMs);
      return outcomes;
    },

    readSettlement: (id) => readOutcome(id as SettlementId, ledger),

    async decide(request) {
      const outcome = await resolution.decide({
        id: request.decisionId as DecisionId,
        settlementId: request.settlementId as SettlementId,
        action: request.action,
        by: request.by,
        authenticated: false,
        note: request.note,
        evidence: request.evidence as JsonObject | null,
      });
      if (outcome.kind === 'not_found') throw new Error(`settlement ${request.settlementId} is not in the ledger`);
      return outcome.kind === 'unanswered' ? { kind: 'refused', detail: outcome.detail } : outcome;
    },
  };
}
