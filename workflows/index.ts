export { closeTimeSettlement } from './close-time-settlement.js';
export { settleBatch } from './settle-batch.js';
export { settlementSweep } from './sweep.js';
