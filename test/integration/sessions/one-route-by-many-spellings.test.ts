import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { ledgerForTest } from '../../support/ledger-fixtures.js';
import { mountLimitedRoute, startPaidServer } from '../../support/sessions/paid-server.js';
import { credentialFor, pay } from '../../support/sessions/paying.js';

/** `exposure` counts by the route, and Express takes a prefix in every spelling of its letters. */

test('a payer owes no more for a route under a prefix by spelling the prefix otherwise', async () => {
  const store = await ledgerForTest();
  const sandbox = await startAuthServerSandbox();
  const server = await startPaidServer(store, sandbox.url, (app, sessions) => {
    const router = express.Router();
    mountLimitedRoute(router as unknown as express.Express, sessions);
    app.use('/api', router);
  });
  onTestFinished(async () => {
    await server.stop();
    await sandbox.close();
  });
  const alice = payerAccount('alice');
  const statuses: (number | undefined)[] = [];
  for (const path of ['/api', '/api', '/api', '/api', '/API', '/Api', '/aPi', '/apI', '/APi']) {
    const url = `${server.url}${path}/limited`;
    const credential = await credentialFor(url, alice, { protocol: 'x402', nowMs: store.clock.nowMs() });
    statuses.push((await pay(url, credential)).status);
  }
  expect(statuses).toEqual([200, 200, 200, 429, 429, 429, 429, 429, 429]);
});
