import { assertNever } from '../domain/assert-never.js';
import type { SettlementId } from '../domain/ids.js';
import type { Settlement } from '../domain/settlement.js';
import type { SettleNowOutcome } from './gate-options.js';

export interface SettleFirstDependencies {
  /** One attempt, claimed, sent and recorded like every other. */
  readonly settle: (id: SettlementId) => Promise<unknown>;
  readonly ledger: {
    findSettlement(id: SettlementId): Promise<Pick<Settlement, 'status' | 'certainty'> | undefined>;
  };
}

/**
 * Settles a charge whose answer is held back, and says what may be done with the answer. The ledger decides, not the attempt:
 * somebody else may have ended it meanwhile. Only absence that is proved is a refusal. Whatever else is not settled may have
 * moved money, so the charge is kept, and the same credential has the answer when the money is in.
 */
export function createSettleFirst({ settle, ledger }: SettleFirstDependencies) {
  return async function settleNow(id: SettlementId): Promise<SettleNowOutcome> {
    await settle(id);
    const settlement = await ledger.findSettlement(id);
    if (settlement === undefined) return 'unknown';
    switch (settlement.status) {
      case 'settled':
        return 'settled';
      case 'written_off':
        return settlement.certainty === 'absent' ? 'refused' : 'unknown';
      case 'open':
      case 'pending':
      case 'needs_attention':
      case 'released':
        return 'unknown';
      default:
        return assertNever(settlement.status);
    }
  };
}
