import type { SettlementId } from '../src/domain/ids.js';
import type { SettlementActivities } from './contract.js';
import { notSettledYet } from './failures.js';
import { createSettleRows, readOutcome, type SettleRowsDependencies } from './settle-rows.js';

export function createSettlementActivities(dependencies: SettleRowsDependencies): Omit<SettlementActivities, 'decide'> {
  const settleRows = createSettleRows(dependencies);
  const { ledger } = dependencies;
  return {
    async settleRows({ settlementIds, timeoutMs, whenUnsettled }) {
      const outcomes = await settleRows(settlementIds as SettlementId[], timeoutMs);
      const unsettled = outcomes.find((outcome) => outcome.kind === 'retry');
      if (whenUnsettled === 'throw' && unsettled?.kind === 'retry')
        throw notSettledYet(unsettled.why, unsettled.afterMs);
      return outcomes;
    },

    readSettlement: (id) => readOutcome(id as SettlementId, ledger),
  };
}
