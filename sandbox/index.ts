/** `makegood/sandbox`: the stand-ins of the providers, for tests of whoever uses them. Nothing of the product needs them. */
export { startAuthServerSandbox } from './auth-server/start.js';
export { startHyperswitchSandbox } from './hyperswitch/start.js';
export { startStripeSandbox } from './stripe/start.js';
export { startTempoSandbox } from './tempo/start.js';
