import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { type HyperswitchSandbox, startHyperswitchSandbox } from '../../../sandbox/hyperswitch/start.js';
import type { StripeSandbox } from '../../../sandbox/stripe/start.js';
import { SANDBOX_CHAIN_ID, SANDBOX_CURRENCY } from '../../../sandbox/tempo/defaults.js';
import { startTempoSandbox, type TempoSandbox } from '../../../sandbox/tempo/start.js';
import { readConfig } from '../../../src/config/config.js';
import { systemClock } from '../../../src/domain/clock.js';
import { createDatabase, type Database } from '../../../src/ledger/database.js';
import { createLedger, type Ledger } from '../../../src/ledger/ledger.js';
import { createSealer } from '../../../src/ledger/sealer.js';
import { createTemporalClient } from '../../../src/orchestration/temporal-client.js';
import {
  createMarketplaceProviders,
  createMarketplaceRuntime,
  type MarketplaceRuntime,
} from '../../../src/programs/marketplace-runtime.js';
import type { Hyperswitch } from '../../../src/providers/hyperswitch/client.js';
import { startFundedStripe } from '../marketplace/funded-stripe.js';

/** All four providers as stand-ins of this process, and the ledger that a worker elsewhere works on. */
export interface Providers {
  readonly ledger: Ledger;
  readonly database: Database;
  readonly authServer: AuthServerSandbox;
  readonly hyperswitch: HyperswitchSandbox;
  readonly stripe: StripeSandbox;
  readonly chain: TempoSandbox;
  readonly hyperswitchClient: Hyperswitch;
  /** What the server would call in a request. */
  readonly calls: NonNullable<MarketplaceRuntime['calls']>;
  /** Of the worker. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export interface ProvidersOptions {
  /** Migrated. */
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly namespace?: string;
}

export const PAYEE_KEY = `0x${'11'.repeat(32)}` as const;

/** Waits that make a run short; each provider is given the time that its calls have in production, but the auth server. */
const SETTINGS = {
  SETTLEMENT_HTTP_TIMEOUT: '8s',
  SETTLEMENT_BACKOFF_BASE: '200ms',
  SETTLEMENT_BACKOFF_MAX: '2s',
  SETTLEMENT_SWEEP_INTERVAL: '2s',
  TRANSFER_RETRY_INTERVAL: '2s',
  TRANSFER_RETRY_BACKOFF_BASE: '200ms',
  TRANSFER_RETRY_BACKOFF_MAX: '2s',
  TRANSFER_RETRY_MAX: '100',
  REVERSAL_CHECK_INTERVAL: '2s',
  REVERSAL_BACKOFF_BASE: '200ms',
  REVERSAL_BACKOFF_MAX: '2s',
  REVERSAL_MAX_RETRIES: '100',
};

export async function startProviders({
  databaseUrl,
  temporalAddress,
  namespace = 'default',
}: ProvidersOptions): Promise<Providers> {
  const auto = { pay: { to: 'succeeded', afterMs: 0 }, refund: { to: 'succeeded', afterMs: 0 } } as const;
  const [authServer, hyperswitch, stripe, chain] = await Promise.all([
    startAuthServerSandbox(),
    startHyperswitchSandbox({ auto }),
    startFundedStripe(),
    startTempoSandbox(),
  ]);
  const env = {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    CREDENTIAL_ENCRYPTION_KEY: `1:${Buffer.alloc(32, 7).toString('base64')}`,
    API_TOKENS: 'till:service:token-of-a-service-among-neighbours',
    AUTH_SERVER_URL: authServer.url,
    MPP_SECRET_KEY: 'a secret of the neighbours, at least 32 characters',
    TEMPO_RPC_URL: chain.url,
    TEMPO_CHAIN_ID: String(SANDBOX_CHAIN_ID),
    TEMPO_CURRENCY: SANDBOX_CURRENCY,
    TEMPO_PAYEE_KEY: PAYEE_KEY,
    STRIPE_SECRET_KEY: 'sk_test_sandbox',
    STRIPE_API_BASE: stripe.url,
    STRIPE_WEBHOOK_SECRET: 'whsec_sandbox',
    HYPERSWITCH_BASE_URL: hyperswitch.url,
    HYPERSWITCH_API_KEY: hyperswitch.apiKey,
    HYPERSWITCH_WEBHOOK_SECRET: 'sandbox-hyperswitch-hash-key',
    ...SETTINGS,
  };
  const config = readConfig(env);
  const database = createDatabase({ url: databaseUrl });
  const ledger = createLedger({
    database,
    sealer: createSealer(config.credentialKeys),
    clock: systemClock,
    approvalThreshold: config.approvalThreshold,
  });
  const providers = createMarketplaceProviders(config, ledger);
  const temporal = createTemporalClient(config.temporal);
  const silent = () => undefined;
  const { calls, wake } = createMarketplaceRuntime({
    config,
    ledger,
    providers,
    temporal,
    chain: undefined,
    logger: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
    processName: 'shop',
  });
  if (!calls || !providers.hyperswitch) throw new Error('Hyperswitch is configured here');
  return {
    ledger,
    database,
    authServer,
    hyperswitch,
    stripe,
    chain,
    hyperswitchClient: providers.hyperswitch,
    calls,
    env,
    async close() {
      await wake.stop();
      await temporal.connection.close();
      await database.close();
      await Promise.all([authServer.close(), hyperswitch.close(), stripe.close(), chain.close()]);
    },
  };
}
