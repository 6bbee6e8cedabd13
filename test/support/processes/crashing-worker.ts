import { readConfig } from '../../../src/config.js';
import { runWorker } from '../../../src/main-worker.js';
import { createCrashSwitch } from './crash-switch.js';

/** The worker as it is composed for production, with its ledger and auth server wrapped in the crash switch. */
process.once('disconnect', () => process.exit(1));
await runWorker(readConfig(process.env), {
  decorate: createCrashSwitch(),
  prepareEveryMs: Number(process.env['TEST_PREPARE_EVERY_MS'] ?? 180_000),
});
process.exit(0);
