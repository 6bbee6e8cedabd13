import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { mountDemoRoutes } from '../../../sandbox/demo-routes.js';
import { startTempoSandbox } from '../../../sandbox/tempo/start.js';
import { readConfig } from '../../../src/config/config.js';
import { type ServerOptions, startServer } from '../../../src/programs/main-server.js';
import { CHAIN_SETTINGS } from '../channels/channel-shop.js';
import { openTestLedger } from '../ledger-fixtures.js';

const quiet = (): undefined => undefined;
const logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

/**
 * The server as `npm start` runs it, with an auth server and a chain beside it, until the test ends. It is started on any
 * free port, which its PUBLIC_URL therefore does not know.
 */
export async function openDemoServer(options: { readonly publicUrl?: string } & Pick<ServerOptions, 'mount'> = {}) {
  const { publicUrl = 'http://127.0.0.1', mount = mountDemoRoutes } = options;
  const [chain, authServer, store] = await Promise.all([
    startTempoSandbox(),
    startAuthServerSandbox(),
    openTestLedger(),
  ]);
  const settings = {
    DATABASE_URL: store.url,
    CREDENTIAL_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    API_TOKENS: 'billing:service:0123456789abcdef',
    PORT: '0',
    PUBLIC_URL: publicUrl,
    // Nothing listens there: a 402 waits for nobody.
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    AUTH_SERVER_URL: authServer.url,
    MPP_SECRET_KEY: randomBytes(32).toString('hex'),
    TEMPO_RPC_URL: chain.url,
    TEMPO_CHAIN_ID: String(CHAIN_SETTINGS.chainId),
    TEMPO_CURRENCY: CHAIN_SETTINGS.currency,
    TEMPO_PAYEE_KEY: CHAIN_SETTINGS.payeeKey,
  };
  const server = await startServer(readConfig(settings), { logger, mount });
  onTestFinished(async () => {
    await server.stop();
    await Promise.all([chain.close(), authServer.close(), store.dispose()]);
  });
  return { url: server.url, chain, authServer, store };
}
