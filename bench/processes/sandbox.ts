import { startSandbox } from '../../sandbox/auth-server/start.js';

/** The auth server in a process of its own, keeping nothing: in production it runs on somebody else's machine. */
const sandbox = await startSandbox();
console.log(sandbox.url);
