import express from 'express';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { answerOffers } from '../../../sandbox/payer/pay.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { openSettleFirstShop, SETTLED_FIRST, type SettleFirstShop } from '../../support/sessions/settle-first-shop.js';

let shop: SettleFirstShop;
beforeEach(async () => {
  shop = await openSettleFirstShop((app, sessions) => {
    const metered = sessions.paidSession({ ...SETTLED_FIRST, protocols: ['atxp'], cap: '100000' });
    app.post('/words', express.json(), metered, (req, res) => {
      const { words } = req.body as { words: number };
      if (req.paymentSession?.charge(`${words}`)) res.json({ words });
      else res.status(402).end();
    });
  });
});
afterEach(() => shop.close());

const post = (words: number, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${shop.url}/words`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ words }),
  });

it('a metered answer that was paid with 10 is not exchanged for one of a dearer body, and is still had', async () => {
  const account = payerAccount('cheap');
  const offers = await readOffers(await post(10));
  const { headers } = await answerOffers(offers, { protocol: 'atxp', account, nowMs: shop.store.clock.nowMs() });
  shop.sandbox.setFaults([{ kinds: ['server_error_after_commit'], on: ['settle'], times: 1 }]);
  const told = await post(10, headers);
  expect(told.status).toBe(503);
  await shop.settle(told.headers.get('settlement-id') as SettlementId);
  expect((await post(100_000, headers)).status).toBe(402);
  expect((await post(10, headers)).status).toBe(200);
});
