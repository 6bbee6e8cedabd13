import { readConfig } from '../../../src/config/config.js';
import { runWorker, type WorkerParts } from '../../../src/programs/main-worker.js';
import { createCrashSwitch } from './crash-switch.js';

/** The worker as it is composed for production, with its ledger and providers wrapped in the crash switch. */
process.once('disconnect', () => process.exit(1));
const crash = createCrashSwitch();
const turnsPerSecond = Number(process.env['TEST_TURNS_PER_SECOND'] ?? 0);

/** So few turns that a test sees their order, and not how fast the machine is; each is told when it is asked for. */
const slowed = (parts: WorkerParts): WorkerParts => ({
  ...parts,
  ledger: {
    ...parts.ledger,
    takeTurn(seller) {
      console.log(`turn ${Date.now()} ${seller}`);
      return parts.ledger.takeTurn(seller, turnsPerSecond);
    },
  },
});

await runWorker(readConfig(process.env), {
  decorate: (parts) => crash(turnsPerSecond > 0 ? slowed(parts) : parts),
  prepareEveryMs: Number(process.env['TEST_PREPARE_EVERY_MS'] ?? 180_000),
  holdMs: process.env['TEST_HOLD_MS'] ? Number(process.env['TEST_HOLD_MS']) : undefined,
});
process.exit(0);
