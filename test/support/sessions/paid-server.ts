import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { mountDemoRoutes } from '../../../sandbox/demo-routes.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import { createPaidSessions, type PaidSessions, type PaidSessionsDependencies } from '../../../src/sessions/index.js';
import type { TestLedger } from '../ledger-fixtures.js';
import { IN_USDC } from './offers.js';

export interface PaidServer {
  readonly url: string;
  stop(): Promise<void>;
}

export interface PaidServerOptions {
  readonly releasedLimit?: number;
  readonly leaseMs?: number;
  readonly settleNow?: PaidSessionsDependencies['settleNow'];
  /** What this server would prove payment request ids by if the ledger kept nothing for that. */
  readonly requestIds?: string;
  readonly publicUrl?: string;
}

/** Paid routes in this process on a real ledger, started; nothing is dispatched. */
export async function startPaidSessions(
  store: TestLedger,
  authServerUrl: string,
  {
    settleNow = () => Promise.resolve('unknown'),
    requestIds = 'another one',
    publicUrl,
    ...settings
  }: PaidServerOptions = {},
): Promise<PaidSessions> {
  const { clock } = store;
  const sessions = createPaidSessions({
    ledger: store.ledger,
    authServer: createAuthServer({ baseUrl: authServerUrl, clock }),
    authServerUrl,
    settings: {
      credentialValidityMs: 3_600_000,
      minRetryWindowMs: 120_000,
      checkpointAmount: 1_000n,
      checkpointIntervalMs: 1_000,
      challengePatienceMs: 5_000,
      ...settings,
    },
    secrets: { mpp: 'a secret that all servers of a deployment share', requestIds },
    holder: 'test',
    publicUrl,
    clock,
    log: { warn: () => undefined, error: () => undefined },
    settleNow,
    dispatch: () => undefined,
  });
  await sessions.start();
  return sessions;
}

/** The demo's paid routes, and others, over them. */
export async function startPaidServer(
  store: TestLedger,
  authServerUrl: string,
  mount?: (app: express.Express, sessions: PaidSessions) => void,
  options?: PaidServerOptions,
): Promise<PaidServer> {
  const sessions = await startPaidSessions(store, authServerUrl, options);
  const app = express();
  mountDemoRoutes(app, sessions.paidSession);
  mount?.(app, sessions);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await sessions.stop();
    },
  };
}

/** A route of which one payer may owe for three requests at most. */
export const mountLimitedRoute = (app: express.Express, sessions: PaidSessions): unknown =>
  app.get(
    '/limited',
    sessions.paidSession({
      price: '10000',
      ...IN_USDC,
      protocols: ['x402'],
      exposure: { perPayer: '30000' },
    }),
    (req, res) => {
      req.paymentSession?.charge(10_000n);
      res.json({ served: true });
    },
  );
