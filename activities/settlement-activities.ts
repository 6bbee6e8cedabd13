import { createSettleRows, readOutcome, type SettleRowsDependencies } from '../src/calls/settlements/settle-rows.js';
import type { SettlementId } from '../src/domain/ids.js';
import { SETTLEMENT_PROVIDERS } from '../src/domain/settlements/settlement-providers.js';
import { createBulkhead } from './bulkhead.js';
import type { SettlementActivities } from './contract.js';
import { notSettledYet } from './failures.js';

export function createSettlementActivities(dependencies: SettleRowsDependencies): Omit<SettlementActivities, 'decide'> {
  const settleRows = createSettleRows(dependencies);
  const { ledger } = dependencies;
  const bulkheads = new Map(SETTLEMENT_PROVIDERS.map(({ provider }) => [provider, createBulkhead()]));
  return {
    async settleRows({ settlementIds, timeoutMs, whenUnsettled, provider }) {
      const work = () => settleRows(settlementIds as SettlementId[], timeoutMs);
      const bulkhead = provider && bulkheads.get(provider);
      const outcomes = await (bulkhead ? bulkhead(work) : work());
      if (!outcomes) return settlementIds.map((settlementId) => ({ settlementId, kind: 'waiting', why: 'busy' }));
      const unsettled = outcomes.find((outcome) => outcome.kind === 'retry');
      if (whenUnsettled === 'throw' && unsettled?.kind === 'retry')
        throw notSettledYet(unsettled.why, unsettled.afterMs);
      return outcomes;
    },

    readSettlement: (id) => readOutcome(id as SettlementId, ledger),
  };
}
