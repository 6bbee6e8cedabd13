import { startAuthServerSandbox } from '../../sandbox/auth-server/start.js';

/** The auth server in a process of its own, keeping nothing: in production it runs on somebody else's machine. */
const sandbox = await startAuthServerSandbox();
console.log(sandbox.url);
