import type express from 'express';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { answerOffers } from '../../../sandbox/payer/pay.js';
import { createSettleFirst } from '../../../src/calls/settlements/settle-first.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import type { PaidSessions } from '../../../src/sessions/index.js';
import { openTestLedger, type TestLedger } from '../ledger-fixtures.js';
import { settleOnce } from '../settlements/settling.js';
import { IN_USDC } from './offers.js';
import { startPaidServer } from './paid-server.js';

/** What its routes are paid in, before anything of them is released. */
export const SETTLED_FIRST = {
  ...IN_USDC,
  protocols: ['x402'],
  settle: 'before-release',
} as const;

export interface SettleFirstShop {
  readonly store: TestLedger;
  readonly sandbox: AuthServerSandbox;
  readonly url: string;
  settle(id: SettlementId): Promise<void>;
  /** Paid for and settled, and nobody knew that in time: the answer is due for whoever sends these headers. */
  due(path: string): Promise<{ readonly id: SettlementId; readonly headers: Record<string, string> }>;
  close(): Promise<void>;
}

/** Routes that settle before they release, on a real ledger and beside the auth server's stand-in. */
export async function openSettleFirstShop(
  mount: (app: express.Express, sessions: PaidSessions) => void,
  { patienceMs = 5_000, ...settings }: { readonly releasedLimit?: number; readonly patienceMs?: number } = {},
): Promise<SettleFirstShop> {
  const store = await openTestLedger();
  const { clock } = store;
  const sandbox = await startAuthServerSandbox({ clock });
  const authServer = createAuthServer({ baseUrl: sandbox.url, clock });
  const settle = async (id: SettlementId) => void (await settleOnce(store.ledger, [id], { authServer }));
  const server = await startPaidServer(store, sandbox.url, mount, {
    ...settings,
    leaseMs: 86_400_000,
    settleNow: createSettleFirst({ ledger: store.ledger, settle, patienceMs }),
  });
  return {
    store,
    sandbox,
    url: server.url,
    settle,
    async due(path) {
      const offers = await readOffers(await fetch(server.url + path));
      const account = payerAccount('waits for an answer');
      const { headers } = await answerOffers(offers, { protocol: 'x402', account, nowMs: clock.nowMs() });
      sandbox.setFaults([{ kinds: ['server_error_after_commit'], on: ['settle'], times: 1 }]);
      const told = await fetch(server.url + path, { headers });
      if (told.status !== 503) throw new Error(`a payment of which nobody knows is answered ${told.status}`);
      const id = told.headers.get('settlement-id') as SettlementId;
      await settle(id);
      return { id, headers: { ...headers } };
    },
    async close() {
      await server.stop();
      await sandbox.close();
      await store.dispose();
    },
  };
}
