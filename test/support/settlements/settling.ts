import { createRecorder } from '../../../src/calls/settlements/recorder.js';
import { createSettleRows, type SettleRowsDependencies } from '../../../src/calls/settlements/settle-rows.js';
import type { RowOutcome } from '../../../src/calls/steps.js';
import { newDecisionId, type SettlementId } from '../../../src/domain/ids.js';
import type { DecideOutcome, DecisionRequest } from '../../../src/ledger/decisions/decision-types.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { memoryLogger, TIMINGS } from './settlement-world.js';

type Asked = Pick<SettleRowsDependencies, 'authServer'> & Partial<Pick<SettleRowsDependencies, 'tempo' | 'timings'>>;

/** One attempt of each of these charges, as their workflow makes it. */
export async function settleOnce(ledger: Ledger, ids: readonly SettlementId[], asked: Asked): Promise<RowOutcome[]> {
  const settleRows = createSettleRows({
    ledger: { ...ledger, recordAttempt: createRecorder((outcomes) => ledger.recordAttempts(outcomes)) },
    tempo: undefined,
    timings: TIMINGS,
    logger: memoryLogger(),
    processName: 'test',
    monotonicMs: () => performance.now(),
    ...asked,
  });
  return await settleRows(ids, 30_000);
}

export type SettlementDecision = [
  itemId: SettlementId,
  action: 'retry' | 'settled' | 'write_off',
  more?: Partial<DecisionRequest>,
];

/** What a person decided about a charge, in the ledger alone: nobody tells its workflow. */
export const decideInLedger = (ledger: Ledger, ...[itemId, action, more]: SettlementDecision): Promise<DecideOutcome> =>
  ledger.decide({
    id: newDecisionId(Date.now()),
    kind: 'settlement',
    itemId,
    action,
    by: 'ann',
    authenticated: true,
    note: 'looked it up',
    evidence: null,
    verified: { kind: 'not_needed' },
    ...more,
  });
