import { startFundedStripe } from '../marketplace/funded-stripe.js';

/** The stand-in of Stripe in a process that a test may kill; tells its parent where it listens. */
const sandbox = await startFundedStripe({ stateDir: process.argv[2] ?? '' });
process.send?.(sandbox.url);
