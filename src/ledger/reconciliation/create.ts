import type { ApprovalThreshold } from '../../domain/decisions/approval-threshold.js';
import type { Database } from '../database.js';
import { createDriftReader, createDrifts } from './drifts.js';
import { createHeldPayouts } from './held-payouts.js';
import { createHeldRows } from './held-rows.js';
import { createReconciliationReader } from './reconciliation-reader.js';
import { createReconciliationParts, createReconciliations } from './reconciliations.js';
import { createRunningWorkflows } from './running-workflows.js';

/** Comparing the ledger with its providers: the runs, what they found, and the ledger's side of it. */
export const createReconciling = (database: Database, approvalThreshold: ApprovalThreshold) => ({
  ...createReconciliations(database),
  ...createReconciliationParts(database),
  ...createReconciliationReader(database),
  ...createDrifts(database, approvalThreshold),
  ...createDriftReader(database),
  ...createHeldRows(database),
  ...createHeldPayouts(database),
  ...createRunningWorkflows(database),
});
