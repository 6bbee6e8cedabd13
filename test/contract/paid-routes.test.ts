import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodePaymentRequiredHeader } from '@x402/core/http';
import { PaymentRequiredV2Schema } from '@x402/core/schemas';
import express from 'express';
import { Challenge } from 'mppx';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import { mountDemoRoutes } from '../../sandbox/demo-routes.js';
import { payerAccount } from '../../sandbox/payer/account.js';
import { type PayOptions, pay } from '../../sandbox/payer/pay.js';
import { systemClock } from '../../src/domain/clock.js';
import { createAuthServer } from '../../src/providers/auth-server/client.js';
import { createPaidSessions } from '../../src/sessions/index.js';
import { FakeLedger } from '../unit/sessions/support/fake-ledger.js';

// The demo routes, the middleware and the auth-server client as they are, against an auth server of its own mind; only
// the ledger is a stand-in, so that these shapes are checked without a database.

const MPP_SECRET = 'a secret of at least thirty-two characters';
let sandbox: AuthServerSandbox;
let ledger: FakeLedger;
let shop: string;
let close: () => Promise<void>;
const note = () => undefined;

beforeEach(async () => {
  sandbox = await startAuthServerSandbox({ checkSignatures: true });
  ledger = new FakeLedger();
  const sessions = createPaidSessions({
    ledger,
    authServer: createAuthServer({ baseUrl: sandbox.url, clock: systemClock }),
    authServerUrl: sandbox.url,
    destinationAccountId: 'atxp_acct_shop',
    settings: {
      credentialValidityMs: 3_600_000,
      minRetryWindowMs: 120_000,
      checkpointIntervalMs: 60_000,
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
  mountDemoRoutes(app, (options) => sessions.paidSession(options));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  shop = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = async () => {
    await sessions.stop();
    server.closeAllConnections();
    server.close();
  };
});
afterEach(async () => {
  await close();
  await sandbox.close();
});

describe('the 402 of a demo route', () => {
  it.each([
    ['/demo/fixed', 'exact', 'charge'],
    ['/demo/metered', 'upto', 'session'],
    ['/demo/stream', 'upto', 'session'],
  ])('%s is read by @x402/core and mppx, and offers %s and %s', async (path, scheme, intent) => {
    const answer = await fetch(`${shop}${path}`);
    expect(answer.status).toBe(402);
    const body = PaymentRequiredV2Schema.parse(await answer.json());
    expect(decodePaymentRequiredHeader(answer.headers.get('payment-required') ?? '')).toEqual(body);
    expect(body.accepts.map((accept) => [accept.scheme, accept.amount])).toEqual([[scheme, '10000']]);
    expect(body.resource?.url).toBe(`${shop}${path}`);
    const [challenge, ...more] = Challenge.fromResponseList(answer);
    expect(more).toEqual([]);
    expect(challenge && Challenge.verify(challenge, { secretKey: MPP_SECRET })).toBe(true);
    expect(challenge).toMatchObject({ method: 'tempo', intent, request: { amount: '10000' } });
    expect(JSON.parse(answer.headers.get('x-atxp-payment-request') ?? '')).toEqual({
      paymentRequestId: expect.any(String),
      paymentRequestUrl: expect.stringContaining(`${sandbox.url}/payment-request/`),
      chargeAmount: '0.01',
    });
  });
});

const ways: readonly (readonly [string, string, Omit<PayOptions, 'account'>, string])[] = [
  ['ATXP', '/demo/fixed', { protocol: 'atxp' }, '10000'],
  ['x402 v1 exact', '/demo/fixed', { protocol: 'x402', version: 1 }, '10000'],
  ['x402 v2 exact', '/demo/fixed', { protocol: 'x402' }, '10000'],
  ['an MPP charge', '/demo/fixed', { protocol: 'mpp' }, '10000'],
  ['metered ATXP', '/demo/metered?n=3', { protocol: 'atxp' }, '3000'],
  ['x402 upto', '/demo/metered?n=3', { protocol: 'x402' }, '3000'],
  ['an MPP session', '/demo/metered?n=3', { protocol: 'mpp' }, '3000'],
  ['an MPP session that costs nothing', '/demo/metered?n=0', { protocol: 'mpp' }, '0'],
  ['ATXP up to the cap and no further', '/demo/metered?n=11', { protocol: 'atxp' }, '10000'],
  ['streamed ATXP', '/demo/stream?n=2', { protocol: 'atxp' }, '2000'],
];

describe('a demo route', () => {
  it.each(ways)(
    'paid by %s at %s is served, and its settle moves exactly what was spent',
    async (_, path, how, spent) => {
      const answer = await pay(`${shop}${path}`, { ...how, account: payerAccount('alice') });
      expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
      const { body, session } = ledger.only();
      const client = createAuthServer({ baseUrl: sandbox.url, clock: systemClock });
      const settled = await client.settle(how.protocol, { body: body ?? '', key: session.key, timeoutMs: 5_000 });
      expect(settled).toMatchObject({ kind: 'done', alreadySettled: false });
      expect(sandbox.ledger().totals).toEqual({ debits: 1, debited: spent });
    },
  );
});
