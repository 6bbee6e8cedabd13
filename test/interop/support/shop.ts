import type { Express } from 'express';
import { afterAll, expect } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { createSettleFirst } from '../../../src/calls/settlements/settle-first.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import type { PaidSessions } from '../../../src/sessions/index.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { startPaidServer } from '../../support/sessions/paid-server.js';
import { settleOnce } from '../../support/settlements/settling.js';

/** A charge as the ledger has it. */
export interface Charge {
  readonly id: SettlementId;
  readonly status: string;
  readonly spent: string;
  readonly delivery: string | null;
}

export interface Shop {
  /** Without a slash at its end. */
  readonly url: string;
  readonly store: TestLedger;
  readonly sandbox: AuthServerSandbox;
  /** Every session of one route, released ones too; oldest first. */
  charges(route: string): Promise<Charge[]>;
  /** Waits until what these sessions have become is known. */
  expectCharges(route: string, charges: readonly Partial<Charge>[]): Promise<void>;
  /** One attempt for each charge of a route that waits for one. @returns what the auth server moved by that */
  settle(route: string): Promise<string[]>;
}

/** What is charged and was had; its price moves when its workflow asks for it. */
export const had = (spent: string): Partial<Charge> => ({ status: 'pending', spent, delivery: 'delivered' });
export const RELEASED = { status: 'released', spent: '0' } as const;

/** Paid routes on a real ledger, beside an auth server of its own mind, for all tests of the file that calls this while it is read. */
export async function shopForFile(
  mount: (app: Express, sessions: PaidSessions) => void,
  { patienceMs = 5_000, ...settings }: { readonly publicUrl?: string; readonly patienceMs?: number } = {},
): Promise<Shop> {
  const store = await openTestLedger();
  const sandbox = await startAuthServerSandbox({ clock: store.clock, checkSignatures: true });
  const authServer = createAuthServer({ baseUrl: sandbox.url, clock: store.clock });
  const settle = async (id: SettlementId) => void (await settleOnce(store.ledger, [id], { authServer }));
  const server = await startPaidServer(store, sandbox.url, mount, {
    ...settings,
    leaseMs: 86_400_000,
    settleNow: createSettleFirst({ ledger: store.ledger, settle, patienceMs }),
  });
  afterAll(async () => {
    await server.stop();
    await sandbox.close();
    await store.dispose();
  });
  const charges = (route: string) =>
    store.database.query<Charge & { [column: string]: unknown }>(
      'SELECT id, status, spent::text, delivery FROM settlements WHERE route = $1 ORDER BY id',
      [route],
    );
  return {
    url: server.url,
    store,
    sandbox,
    charges,
    async expectCharges(route, expected) {
      await expect.poll(() => charges(route)).toEqual(expected.map((charge) => expect.objectContaining(charge)));
    },
    async settle(route) {
      const before = sandbox.ledger().debits.length;
      const waiting = (await charges(route)).filter(({ status }) => status === 'pending');
      await settleOnce(
        store.ledger,
        waiting.map(({ id }) => id),
        { authServer },
      );
      return sandbox
        .ledger()
        .debits.slice(before)
        .map(({ amount }) => amount);
    },
  };
}
