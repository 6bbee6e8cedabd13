import type { Config } from '../config/config.js';
import type { LedgerDependencies } from '../ledger/ledger.js';

/** What settings say to the ledger: the same in every program, or a worker would follow other rules than the server. */
export const ledgerSettings = (
  config: Config,
): Required<
  Pick<
    LedgerDependencies,
    | 'approvalThreshold'
    | 'refundFee'
    | 'disputeRules'
    | 'releaseOverdueMs'
    | 'offsets'
    | 'debtHorizonMs'
    | 'captureOverdueMs'
  >
> => ({
  approvalThreshold: config.approvalThreshold,
  refundFee: config.refundFee,
  disputeRules: config.disputes,
  releaseOverdueMs: config.releaseOverdueMs,
  offsets: config.offsets,
  debtHorizonMs: config.reversal.balanceHorizonMs,
  captureOverdueMs: config.captureOverdueMs,
});
