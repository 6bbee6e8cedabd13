import type { GivenUpSession, SessionLedger } from '../session-ledger.js';
import { createRetriedWrites, type RetriedWrites } from './retried-writes.js';

/** Those whose close stayed unknown. */
export type GivenUpSessions = RetriedWrites<GivenUpSession>;

/** It has just not answered. */
const AFTER_MS = 1_000;

/**
 * A short outage of the ledger leaves sessions open whose server lives on: without this they would count as credit, and
 * refuse their own credential, until the longest time of their route has passed. Whichever is forgotten here is closed by the
 * sweep then.
 */
export const createGivenUpSessions = (ledger: Pick<SessionLedger, 'giveUpSessions'>): GivenUpSessions =>
  createRetriedWrites((sessions) => ledger.giveUpSessions(sessions), AFTER_MS);
