import { once } from 'node:events';
import { mountDemoRoutes } from '../../../sandbox/demo-routes.js';
import { readConfig } from '../../../src/config/config.js';
import { startServer } from '../../../src/programs/main-server.js';
import { createCrashSwitch, type FromProcess } from './crash-switch.js';

/** The server as it is composed for production, with its ledger and auth server wrapped in the crash switch. */
const decorate = createCrashSwitch();
const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'disconnect')]);
const server = await startServer(readConfig(process.env), {
  decorate,
  mount: mountDemoRoutes,
  leaseMs: Number(process.env['TEST_LEASE_MS'] ?? 30_000),
  holdMs: process.env['TEST_HOLD_MS'] ? Number(process.env['TEST_HOLD_MS']) : undefined,
});
process.send?.({ ready: server.url } satisfies FromProcess);
await stopped;
await server.stop();
process.exit(0);
