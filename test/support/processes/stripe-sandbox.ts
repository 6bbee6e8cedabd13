import { startStripeSandbox } from '../../../sandbox/stripe/start.js';

/** The stand-in of Stripe in a process that a test may kill; tells its parent where it listens. */
const sandbox = await startStripeSandbox({ stateDir: process.argv[2] ?? '' });
process.send?.(sandbox.url);
