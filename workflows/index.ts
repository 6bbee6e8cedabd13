export { backfillTransferIds } from './backfill-transfer-ids.js';
export { closeTimeSettlement } from './close-time-settlement.js';
export { dispute } from './dispute.js';
export { payment } from './payment.js';
export { refund } from './refund.js';
export { refundReversal } from './refund-reversal.js';
export { sellerTransfer } from './seller-transfer.js';
export { settleBatch } from './settle-batch.js';
export { moneySweep, settlementSweep, sweep } from './sweep.js';
