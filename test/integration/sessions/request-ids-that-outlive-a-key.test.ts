import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { atxpCredential } from '../../../sandbox/payer/atxp.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { createSettleFirst } from '../../../src/calls/settlements/settle-first.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import type { PaidSessionOptions } from '../../../src/sessions/index.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { IN_USDC } from '../../support/sessions/offers.js';
import { type PaidServer, startPaidServer } from '../../support/sessions/paid-server.js';
import { settleOnce } from '../../support/settlements/settling.js';

/** An ATXP payment stays known by its payment request, whatever becomes of the keys of its server. */

const SOLD: PaidSessionOptions = {
  price: '10000',
  ...IN_USDC,
  protocols: ['atxp'],
};
let store: TestLedger;
let sandbox: AuthServerSandbox;
const servers: PaidServer[] = [];
beforeEach(async () => {
  store = await openTestLedger();
  sandbox = await startAuthServerSandbox({ clock: store.clock });
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  await sandbox.close();
  await store.dispose();
});

async function settle(ids: readonly SettlementId[]): Promise<void> {
  await settleOnce(store.ledger, ids, { authServer: createAuthServer({ baseUrl: sandbox.url, clock: store.clock }) });
}

/** @param derived from the oldest encryption key that the server has */
async function start(derived: string): Promise<PaidServer> {
  const server = await startPaidServer(
    store,
    sandbox.url,
    (app, sessions) => {
      for (const [path, options] of [
        ['/served-first', SOLD],
        ['/settled-first', { ...SOLD, settle: 'before-release' }],
      ] as const)
        app.get(path, sessions.paidSession(options), (req, res) => {
          req.paymentSession?.charge('10000');
          res.json({ ok: true });
        });
    },
    {
      requestIds: derived,
      publicUrl: 'https://shop.example',
      settleNow: createSettleFirst({ ledger: store.ledger, settle: (id) => settle([id]) }),
      leaseMs: 86_400_000,
    },
  );
  servers.push(server);
  return server;
}

type Path = '/served-first' | '/settled-first';
async function paying({ url }: PaidServer, path: Path): Promise<Readonly<Record<string, string>>> {
  const { atxp } = await readOffers(await fetch(url + path));
  return atxpCredential({
    account: payerAccount('outlives'),
    options: [{ amount: '0.01' }],
    paymentRequestId: atxp?.paymentRequestId,
  }).headers;
}
async function send({ url }: PaidServer, path: Path, headers: Readonly<Record<string, string>>) {
  const response = await fetch(url + path, { headers });
  return { status: response.status, id: response.headers.get('settlement-id') };
}
/** Settled first, and nobody knew: the answer is due. */
async function paidInDoubt(server: PaidServer) {
  const headers = await paying(server, '/settled-first');
  sandbox.setFaults([{ kinds: ['server_error_after_commit'], on: ['settle'], times: 1 }]);
  const told = await send(server, '/settled-first', headers);
  expect(told.status).toBe(503);
  await settle([told.id as SettlementId]);
  return { headers, id: told.id };
}
const charges = () => store.database.query('SELECT spent::text, answer FROM settlements ORDER BY created_at, id');

describe('after the oldest encryption key was taken out', () => {
  it('a challenge that was open sells, once', async () => {
    const headers = await paying(await start('of the old key'), '/served-first');
    const after = await start('of the new key');
    const sold = await send(after, '/served-first', headers);
    expect(sold).toEqual({ status: 200, id: expect.any(String) });
    const named = `SELECT context ->> 'paymentRequestId' IS NOT NULL AS named FROM settlements`;
    expect(await store.database.query(named)).toEqual([{ named: true }]);
    expect(await send(after, '/served-first', headers)).toEqual({ status: 409, id: sold.id });
  });

  it('a payment whose answer is due has it, and is not charged again', async () => {
    const { headers } = await paidInDoubt(await start('of the old key'));
    expect((await send(await start('of the new key'), '/settled-first', headers)).status).toBe(200);
    expect(await charges()).toEqual([{ spent: '10000', answer: 'given' }]);
  });
});

it('ids that were proved by the oldest key before the ledger kept a secret still are', async () => {
  const headers = await paying(await start('of the old key'), '/served-first');
  await store.database.query('DELETE FROM payment_request_secret');
  expect((await send(await start('of the old key'), '/served-first', headers)).status).toBe(200);
});

it('servers that start at once on a new ledger go by one secret', async () => {
  const first = await Promise.all(['a', 'b', 'c', 'd'].map((one) => store.ledger.requestIdSecret(one)));
  expect(new Set(first).size).toBe(1);
});

describe('an id in our form that is not proved', () => {
  const forget = () =>
    store.database.query('UPDATE payment_request_secret SET secret = gen_random_uuid()::text || gen_random_uuid()');

  it('still names the payment that was taken under it', async () => {
    const before = await start('any');
    const headers = await paying(before, '/served-first');
    const { id } = await send(before, '/served-first', headers);
    const due = await paidInDoubt(before);
    await forget();
    const after = await start('any');
    expect(await send(after, '/served-first', headers)).toEqual({ status: 409, id });
    expect(await send(after, '/settled-first', due.headers)).toEqual({ status: 200, id: due.id });
    expect(await charges()).toHaveLength(2);
  });

  it('opens nothing, and another challenge sells', async () => {
    const headers = await paying(await start('any'), '/served-first');
    await forget();
    const after = await start('any');
    expect(await send(after, '/served-first', headers)).toEqual({ status: 402, id: null });
    expect(await charges()).toEqual([]);
    expect((await send(after, '/served-first', await paying(after, '/served-first'))).status).toBe(200);
  });
});
