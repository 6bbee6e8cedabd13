import type { Certainty } from '../calls/certainty.js';
import type { Attention } from '../decisions/attention.js';
import type { SettlementId } from '../ids.js';
import type { AtomicAmount } from '../money.js';
import type { SettlementProvider } from './settlement-providers.js';
import type { Delivery, HeldBack, Protocol, SettlementStatus } from './settlement-status.js';

/** A settlement as our own programs see it; amounts are digits in the asset's atomic unit, times are ISO 8601. */
export interface Settlement {
  readonly id: SettlementId;
  readonly key: string;
  readonly status: SettlementStatus;
  readonly certainty: Certainty;
  readonly protocol: Protocol;
  readonly provider: SettlementProvider;
  readonly asset: string;
  readonly decimals: number;
  readonly spent: AtomicAmount;
  /** What the credential authorises at most; null where a credential does not say (some ATXP tokens). */
  readonly cap: AtomicAmount | null;
  readonly attempts: number;
  readonly nextRetryAt: string | null;
  readonly expiresAt: string | null;
  readonly delivery: Delivery | null;
  readonly answer: HeldBack | null;
  readonly attention: Attention | null;
  readonly workflowId: string | null;
  readonly txHash: string | null;
  readonly alreadySettled: boolean;
  readonly createdAt: string;
  readonly settledAt: string | null;
}

/** Of a charge that is settled before its answer is released. `refused`: given up, and surely nothing moved. */
export type SettleNowOutcome = 'settled' | 'refused' | 'unknown';
