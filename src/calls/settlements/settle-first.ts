import { setTimeout as wait } from 'node:timers/promises';
import { assertNever } from '../../domain/assert-never.js';
import { surelyUnmoved } from '../../domain/calls/certainty.js';
import type { SettlementId } from '../../domain/ids.js';
import type { Settlement, SettleNowOutcome } from '../../domain/settlements/settlement.js';
import type { Ledger } from '../../ledger/ledger.js';
import { createRecorder } from './recorder.js';
import { createSettleRows, type SettleRowsDependencies } from './settle-rows.js';

export interface SettleFirstDependencies {
  /** One attempt, claimed, sent and recorded like every other. */
  readonly settle: (id: SettlementId) => Promise<unknown>;
  readonly ledger: {
    findSettlement(id: SettlementId): Promise<Pick<Settlement, 'status' | 'certainty'> | undefined>;
    /** Of its channel, where it is paid by voucher. Undefined: there is nothing to wait for. */
    firstInTurn(id: SettlementId): Promise<{ readonly id: SettlementId; readonly due: boolean } | undefined>;
  };
  /** The longest that a charge waits for its turn; default that of SETTLEMENT_HTTP_TIMEOUT. */
  readonly patienceMs?: number;
}

const POLL_MS = 100;

/**
 * Settles a charge whose answer is held back, and says what may be done with the answer. The ledger decides, not the attempt:
 * somebody else may have ended it meanwhile. Only what was given up and surely moved nothing is a refusal. Whatever else is not
 * settled may have moved money, so the charge is kept, and the same credential has the answer when the money is in.
 */
export function createSettleFirst({ settle, ledger, patienceMs = 30_000 }: SettleFirstDependencies) {
  async function outcomeOf(id: SettlementId): Promise<SettleNowOutcome> {
    const settlement = await ledger.findSettlement(id);
    if (settlement === undefined) return 'unknown';
    switch (settlement.status) {
      case 'settled':
        return 'settled';
      case 'written_off':
        return surelyUnmoved(settlement.certainty) ? 'refused' : 'unknown';
      case 'open':
      case 'pending':
      case 'needs_attention':
      case 'released':
        return 'unknown';
      default:
        return assertNever(settlement.status);
    }
  }

  /** Vouchers of one channel are settled one at a time, in their order: another that is on its way is no failure of this one. */
  async function inItsTurn(id: SettlementId): Promise<void> {
    const until = performance.now() + patienceMs;
    let tried: SettlementId | undefined;
    while (performance.now() < until) {
      const first = await ledger.firstInTurn(id);
      if (first === undefined) return;
      // What an attempt did not take further is not tried again at once: somebody else may have it.
      const attempts = first.due && first.id !== tried;
      tried = attempts ? first.id : undefined;
      await (attempts ? settle(first.id) : wait(POLL_MS));
    }
  }

  return async function settleNow(id: SettlementId): Promise<SettleNowOutcome> {
    await settle(id);
    const outcome = await outcomeOf(id);
    if (outcome !== 'unknown') return outcome;
    await inItsTurn(id);
    return await outcomeOf(id);
  };
}

export type SettleNowDependencies = Omit<SettleRowsDependencies, 'ledger' | 'authServer' | 'tempo' | 'monotonicMs'> & {
  readonly ledger: Pick<
    Ledger,
    'claimSettlements' | 'findSettlement' | 'recordAttempts' | 'firstInTurn' | 'settlementStopped'
  >;
  /** Undefined: AUTH_SERVER_URL is not set here. */
  readonly authServer: SettleRowsDependencies['authServer'] | undefined;
};

/** For routes that settle before they release: the same claim and the same record as the workflow's activity. */
export function createSettleNow({ ledger, authServer, ...rest }: SettleNowDependencies) {
  if (!authServer) return () => Promise.resolve('unknown' as const);
  const { httpTimeoutMs } = rest.timings;
  const settleRows = createSettleRows({
    ...rest,
    ledger: { ...ledger, recordAttempt: createRecorder((outcomes) => ledger.recordAttempts(outcomes)) },
    authServer,
    // A capture is never settled in a request.
    tempo: undefined,
    monotonicMs: () => performance.now(),
  });
  return createSettleFirst({ settle: (id) => settleRows([id], httpTimeoutMs), ledger, patienceMs: httpTimeoutMs });
}
