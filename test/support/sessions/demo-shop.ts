import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { mountDemoRoutes } from '../../../sandbox/demo-routes.js';
import { systemClock } from '../../../src/domain/clock.js';
import type { Protocol } from '../../../src/domain/settlements/settlement-status.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import { createPaidSessions } from '../../../src/sessions/index.js';
import { FakeLedger } from '../../unit/sessions/support/fake-ledger.js';

/**
 * The demo routes, the middleware and the auth-server client as they are, against an auth server of its own mind that checks
 * signatures; only the ledger is a stand-in, so that shapes are checked without a database.
 */
export interface DemoShop {
  /** Without a slash at its end. */
  readonly url: string;
  readonly sandbox: AuthServerSandbox;
  readonly ledger: FakeLedger;
  /** Asks the auth server to settle the one charge that there is. */
  readonly settle: (protocol: Protocol) => ReturnType<ReturnType<typeof createAuthServer>['settle']>;
  readonly close: () => Promise<void>;
}

export const MPP_SECRET = 'a secret of at least thirty-two characters';
const note = () => undefined;

export async function openDemoShop(
  mount?: (app: express.Express, paid: ReturnType<typeof createPaidSessions>['paidSession']) => unknown,
): Promise<DemoShop> {
  const sandbox = await startAuthServerSandbox({ checkSignatures: true });
  const authServer = createAuthServer({ baseUrl: sandbox.url, clock: systemClock });
  const ledger = new FakeLedger();
  const sessions = createPaidSessions({
    ledger,
    authServer,
    authServerUrl: sandbox.url,
    destinationAccountId: 'atxp_acct_shop',
    settings: {
      credentialValidityMs: 3_600_000,
      minRetryWindowMs: 120_000,
      checkpointIntervalMs: 60_000,
      challengePatienceMs: 5_000,
      checkpointAmount: 10_000n,
    },
    secrets: { mpp: MPP_SECRET, requestIds: 'another secret' },
    holder: 'test',
    clock: systemClock,
    log: { warn: note, error: note },
    settleNow: async () => 'settled',
    dispatch: note,
  });
  await sessions.start();
  const app = express();
  mountDemoRoutes(app, sessions.paidSession);
  mount?.(app, sessions.paidSession);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sandbox,
    ledger,
    async settle(protocol) {
      const { body, session } = ledger.only();
      return await authServer.settle(protocol, { body: body ?? '', key: session.key, timeoutMs: 5_000 });
    },
    async close() {
      await sessions.stop();
      server.closeAllConnections();
      server.close();
      await sandbox.close();
    },
  };
}
