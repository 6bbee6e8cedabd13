import type { CommonControl } from '../../stand-in/control.js';
import type { FaultRule } from '../faults.js';
import type { CallsView } from './call-log.js';
import type { LedgerView } from './ledger-view.js';

/** The same switches as under /control, for tests in this process. */
export interface TempoControl extends CommonControl<FaultRule, LedgerView, CallsView> {
  /** Atomic units; of the default token unless another is named. */
  setBalance(owner: string, balance: bigint, token?: string): Promise<void>;
  /** Carries out what the fault `stay_pending` left in the pool, unless it has expired there. */
  mine(): Promise<void>;
}
