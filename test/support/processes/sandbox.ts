import { startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';

/** The provider sandbox in a process that a test may kill; tells its parent where it listens. */
const sandbox = await startAuthServerSandbox({ stateDir: process.argv[2] });
process.send?.(sandbox.url);
