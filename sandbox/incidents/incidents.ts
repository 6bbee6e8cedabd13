import {
  FOREIGN_REVERSAL,
  LOST_ANSWER,
  LOW_BALANCE,
  POISON_ITEM,
  REVOKED_KEY,
  TERMINATED_WORKFLOW,
} from './at-stripe.js';
import { DEAD_WORKER, FORGED_HINT } from './elsewhere.js';
import type { Incident } from './incident.js';
import type { IncidentWorld } from './world.js';

/** In the order in which all of them can be planted: what stops everything comes last. */
export const INCIDENTS: readonly Incident<IncidentWorld>[] = [
  POISON_ITEM,
  FOREIGN_REVERSAL,
  LOW_BALANCE,
  FORGED_HINT,
  LOST_ANSWER,
  TERMINATED_WORKFLOW,
  REVOKED_KEY,
  DEAD_WORKER,
];
