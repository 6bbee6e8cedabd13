export { backfillTransferIds } from './backfill-transfer-ids.js';
export { closeTimeSettlement } from './close-time-settlement.js';
export { settleBatch } from './settle-batch.js';
export { settlementSweep } from './sweep.js';
