import type { DeliveryNote, SessionLedger } from '../session-ledger.js';
import { createRetriedWrites, type RetriedWrites } from './retried-writes.js';

/** What became of billed responses. Of one that is forgotten the row stays `unknown`, which is what we then know. */
export type DeliveryRecorder = RetriedWrites<DeliveryNote>;

/** Long enough to share a statement, short enough that the console is never far behind. */
const GATHER_MS = 50;

export const createDeliveryRecorder = (ledger: Pick<SessionLedger, 'recordDeliveries'>): DeliveryRecorder =>
  createRetriedWrites((notes) => ledger.recordDeliveries(notes), GATHER_MS);
