import { once } from 'node:events';
import { connect } from 'node:net';
import type express from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import type { PaidSessionOptions, PaidSessions } from '../../../src/sessions/index.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { named } from '../../support/sessions/naming.js';
import { IN_USDC } from '../../support/sessions/offers.js';
import { type PaidServer, startPaidServer } from '../../support/sessions/paid-server.js';
import { credentialFor } from '../../support/sessions/paying.js';

/** An answer that was had by its name is billed, whatever becomes of the connection that it was first made for. */

const TERMS: PaidSessionOptions = { ...IN_USDC, price: '10000', protocols: ['x402'] };
const account = payerAccount('mallory');

let store: TestLedger;
let sandbox: AuthServerSandbox;
let shop: PaidServer;
/** The connection of the first answer is gone, as its server sees it. */
let gone: Promise<unknown>;

function mount(app: express.Express, sessions: PaidSessions): void {
  app.get('/unfinished', (_req, res) => void res.write('a body that goes on'));
  const watched: express.RequestHandler = (req, _res, next) => {
    gone = once(req.socket, 'close');
    next();
  };
  app.get('/report', sessions.paidSession(TERMS), watched, (req, res) => {
    req.paymentSession?.charge('10000');
    res.json({ secret: 'what is sold' });
  });
  app.get('/metered', sessions.paidSession({ ...TERMS, price: undefined, cap: '100000' }), watched, (req, res) => {
    req.paymentSession?.charge('7000');
    res.json({ secret: 'what is sold' });
  });
}

beforeEach(async () => {
  store = await openTestLedger();
  sandbox = await startAuthServerSandbox({ clock: store.clock });
  shop = await startPaidServer(store, sandbox.url, mount, { leaseMs: 86_400_000 });
});
afterEach(async () => {
  await shop.stop();
  await sandbox.close();
  await store.dispose();
});

const rows = () =>
  store.database.query<{ status: string; spent: string }>('SELECT status, spent::text FROM settlements ORDER BY id');

/** Asked for behind an answer that never ends: what is let go of it waits for its turn. */
async function askOutOfTurn(path: string, headers: object) {
  const socket = connect(Number(new URL(shop.url).port), '127.0.0.1');
  await once(socket, 'connect');
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const get = (target: string, more: string) =>
    `GET ${target} HTTP/1.1\r\nHost: ${new URL(shop.url).host}\r\n${more}\r\n`;
  socket.write(get('/unfinished', '') + get(path, head.join('')));
  await expect.poll(async () => (await rows()).map(({ status }) => status)).toEqual(['pending']);
  return socket;
}

describe('an answer whose first connection breaks off before its turn', () => {
  it.each([
    ['/report', '10000'],
    ['/metered', '7000'],
  ])('%s: had by its name meanwhile, it stays billed', async (path, spent) => {
    const payment = named(
      await credentialFor(shop.url + path, account, { protocol: 'x402', nowMs: store.clock.nowMs() }),
    );
    const socket = await askOutOfTurn(path, payment.headers);
    const had = await fetch(shop.url + path, payment);
    expect([had.status, await had.json()]).toEqual([200, { secret: 'what is sold' }]);
    socket.destroy();
    await gone;
    // Ends when nothing is on its way to the ledger any more.
    await shop.stop();
    expect(await rows()).toEqual([{ status: 'pending', spent }]);
  });
});
