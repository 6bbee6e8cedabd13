import { hostname } from 'node:os';
import { createSettleNow } from '../calls/settlements/settle-first.js';
import type { Config } from '../config/config.js';
import { firstRequestIdSecret } from '../config/request-id-secret.js';
import { systemClock } from '../domain/clock.js';
import type { ReconciliationId, SettlementId } from '../domain/ids.js';
import { createAtomicStore } from '../ledger/channels/atomic-store.js';
import { createDatabase, type Database } from '../ledger/database.js';
import { createLedger, type Ledger } from '../ledger/ledger.js';
import { createSealer } from '../ledger/sealer.js';
import type { Logger } from '../observability/logger.js';
import { createDispatcher, type Dispatcher } from '../orchestration/dispatcher.js';
import { createReconcileOrchestration } from '../orchestration/reconciling.js';
import { createSettlementOrchestration } from '../orchestration/settlements.js';
import { createTemporalClient, temporalAnswers } from '../orchestration/temporal-client.js';
import { type AuthServer, createAuthServer } from '../providers/auth-server/client.js';
import type { AuthorizationReader } from '../providers/evm/authorizations.js';
import type { Tempo } from '../providers/tempo/client.js';
import { createCaptureClosing } from '../sessions/channels/capture-closing.js';
import { createPaidSessions, type PaidSessions } from '../sessions/index.js';
import { tellingOfDispatchFailures } from './dispatch-failures.js';
import { ledgerSettings } from './ledger-settings.js';
import {
  createMarketplaceProviders,
  createMarketplaceRuntime,
  type MarketplaceProviders,
  type MarketplaceRuntime,
} from './marketplace-runtime.js';
import type { TempoRuntime } from './tempo-runtime.js';
import type { ProcessTraces } from './traces.js';

/** What the test build wraps to kill the process before or after a chosen call. */
export interface RuntimeParts extends MarketplaceProviders {
  readonly ledger: Ledger;
  readonly authServer: AuthServer | undefined;
  readonly tempo: Tempo | undefined;
}

export interface RuntimeOptions {
  readonly logger: Logger;
  /** Undefined: no node is configured. */
  readonly tempo: TempoRuntime | undefined;
  /** Left out: no node is configured where authorizations of x402 could be looked up. */
  readonly authorizations?: AuthorizationReader | undefined;
  readonly decorate?: (parts: RuntimeParts) => RuntimeParts;
  readonly traces?: Pick<ProcessTraces, 'client'> | undefined;
  /** How long Postgres keeps this process's lease without renewal; no setting, because it is a promise of the product. */
  readonly leaseMs?: number;
  /** How long a claim on a payment or refund outlives its process; likewise no setting. */
  readonly holdMs?: number | undefined;
}

/** Everything a process that serves paid routes needs; shared by the server and by an application that embeds us. */
export interface PaidSessionRuntime extends RuntimeParts {
  readonly database: Database;
  readonly sessions: PaidSessions;
  readonly marketplace: MarketplaceRuntime;
  readonly dispatcher: Dispatcher;
  /** Nudges the workflow of a settlement after a decision; a failure is healed by the sweep. */
  wake(id: SettlementId): Promise<void>;
  /** Has the ledger compared with its providers; a run that is not started is taken up by the schedule. */
  startReconciliation(id: ReconciliationId, requestedBy: string): Promise<void>;
  /** True when Temporal answers within a second. */
  temporalAnswers(): Promise<boolean>;
  /** Checks the schema and the keys, then takes the lease. @throws LedgerNotReady */
  start(): Promise<void>;
  /** After the last response. */
  stop(): Promise<void>;
}

export function createPaidSessionRuntime(
  config: Config,
  { logger, tempo, authorizations, decorate, leaseMs, holdMs, traces }: RuntimeOptions,
): PaidSessionRuntime {
  const database = createDatabase({
    url: config.databaseUrl,
    maxConnections: 20,
    onIdleError: (error) => logger.warn({ err: error }, 'an idle database connection broke; it is replaced'),
  });
  const plain = createLedger({
    database,
    sealer: createSealer(config.credentialKeys),
    clock: systemClock,
    ...ledgerSettings(config),
  });
  const parts = (decorate ?? ((same) => same))({
    ledger: plain,
    ...createMarketplaceProviders(config, plain),
    tempo: tempo?.provider,
    authServer:
      config.authServer &&
      createAuthServer({ baseUrl: config.authServer.url, appName: config.authServer.appName, clock: systemClock }),
  });
  const { ledger, authServer } = parts;
  const { backoffBaseMs, backoffMaxMs, httpTimeoutMs } = config.settlement;
  const timings = { backoffBaseMs, backoffMaxMs, httpTimeoutMs };
  const temporal = createTemporalClient(config.temporal, traces?.client);
  const orchestration = createSettlementOrchestration(temporal, config.temporal.taskQueue, timings);
  const dispatcher = createDispatcher({
    startSettlement: (settlement) => orchestration.startSettlement(settlement),
    ledger,
    overflowBacklog: config.settlement.overflowBacklog,
    onFailure: tellingOfDispatchFailures(logger),
  });
  const holder = `${hostname()}:${process.pid}`;
  const processName = `${holder}:${Date.now().toString(36)}`;
  const sessions = createPaidSessions({
    ledger,
    authServer,
    channels: tempo && {
      ledger: { ...ledger, atomicStore: createAtomicStore(database) },
      createVerifier: tempo.createVerifier,
      onClosing: createCaptureClosing({
        openWhenDue: async (id) => {
          const outcome = await ledger.captureWhenDue(id, tempo.policy);
          return outcome.kind === 'opened' ? outcome.id : undefined;
        },
        dispatch: (id) => dispatcher.dispatch(id),
        log: logger,
      }),
    },
    authServerUrl: config.authServer?.url,
    destinationAccountId: config.authServer?.destinationAccountId,
    settings: { ...config.settlement, leaseMs },
    secrets: { mpp: config.mppSecretKey, requestIds: firstRequestIdSecret(config) },
    holder,
    publicUrl: config.http.publicUrl,
    clock: systemClock,
    log: logger,
    settleNow: createSettleNow({ ledger, authServer, timings, logger, processName }),
    dispatch: (id) => dispatcher.dispatch(id),
  });

  const shared = { config, ledger, temporal, logger, processName, holdMs };
  const marketplace = createMarketplaceRuntime({ ...shared, providers: parts, chain: parts.tempo, authorizations });
  return {
    ...parts,
    marketplace,
    database,
    sessions,
    dispatcher,
    async wake(id) {
      const settlement = await ledger.findSettlement(id);
      if (settlement) await orchestration.wake(settlement);
    },
    ...createReconcileOrchestration(temporal, config.temporal.taskQueue),
    temporalAnswers: () => temporalAnswers(temporal),
    async start() {
      await ledger.assertReady();
      await sessions.start();
    },
    async stop() {
      await sessions.stop();
      await dispatcher.stop();
      await marketplace.wake.stop();
      await temporal.connection.close();
      await database.close();
    },
  };
}
