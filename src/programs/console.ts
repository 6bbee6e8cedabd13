import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.js';
import { stripeRateOfSettings } from '../domain/stripe-rate.js';
import type { ConsoleDependencies } from '../http/api.js';
import type { ChangeFeed } from '../http/reading/changes.js';
import type { Ledger } from '../ledger/ledger.js';

/** Of a build; code that runs from its sources has none, and says so. */
const BUILT = fileURLToPath(new URL('../../../dist/web/', import.meta.url));

interface Given {
  readonly ledger: Ledger;
  readonly changes: ChangeFeed;
  readonly webRoot: string | undefined;
}

/** What serves persons: pages, reads, acts. */
export const consoleDependencies = (
  { http, temporal, stripe, approvalThreshold, reconcileIntervalMs }: Config,
  { ledger, changes, webRoot = BUILT }: Given,
): ConsoleDependencies => ({
  ledger,
  changes,
  webRoot,
  publicUrl: http.publicUrl,
  reconcileEveryMs: reconcileIntervalMs,
  approvalThreshold,
  temporalUi: temporal.uiUrl === undefined ? undefined : { url: temporal.uiUrl, namespace: temporal.namespace },
  // Asked each time: it can be changed while a process runs.
  stripePerSecond: () => stripe && stripeRateOfSettings(stripe),
});
