import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { ledgerForTest } from '../../support/ledger-fixtures.js';
import { mountLimitedRoute, startPaidServer } from '../../support/sessions/paid-server.js';
import { credentialFor, pay } from '../../support/sessions/paying.js';

/** `exposure` counts by the route, and Express takes a prefix in every spelling of its letters. */

async function statusesAt(prefix: string, asked: readonly string[]): Promise<readonly (number | undefined)[]> {
  const store = await ledgerForTest();
  const sandbox = await startAuthServerSandbox();
  const server = await startPaidServer(store, sandbox.url, (app, sessions) => {
    const router = express.Router();
    mountLimitedRoute(router as unknown as express.Express, sessions);
    app.use(prefix, router);
  });
  onTestFinished(async () => {
    await server.stop();
    await sandbox.close();
  });
  const alice = payerAccount('alice');
  const statuses: (number | undefined)[] = [];
  for (const path of asked) {
    const url = `${server.url}${path}/limited`;
    const credential = await credentialFor(url, alice, { protocol: 'x402', nowMs: store.clock.nowMs() });
    statuses.push((await pay(url, credential)).status);
  }
  return statuses;
}

test('a payer owes no more for a route under a prefix by spelling the prefix otherwise', async () => {
  const asked = ['/api', '/api', '/api', '/api', '/API', '/Api', '/aPi', '/apI', '/APi'];
  expect(await statusesAt('/api', asked)).toEqual([200, 200, 200, 429, 429, 429, 429, 429, 429]);
});

test('a payer owes no more for a route under a prefix with a parameter by naming another one', async () => {
  const asked = ['/of/1', '/of/1', '/of/1', '/of/1', '/of/2', '/of/3'];
  expect(await statusesAt('/of/:shop', asked)).toEqual([200, 200, 200, 429, 429, 429]);
});
