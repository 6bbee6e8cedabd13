import { decodePaymentResponseHeader } from '@x402/core/http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { answerOffers, type PayOptions } from '../../../sandbox/payer/pay.js';
import { named } from '../../support/sessions/naming.js';
import { openSettleFirstShop, SETTLED_FIRST, type SettleFirstShop } from '../../support/sessions/settle-first-shop.js';

/** What a payer is told of a payment that is final, by a route that settles before it releases. */

const account = payerAccount('told');
let shop: SettleFirstShop;
let made: number;

beforeEach(async () => {
  made = 0;
  shop = await openSettleFirstShop((app, sessions) => {
    const paid = sessions.paidSession({ ...SETTLED_FIRST, price: '10000', protocols: ['x402', 'atxp'] });
    app.get('/first', paid, (req, res) => {
      made += 1;
      req.paymentSession?.charge('10000');
      res.json({ made, padding: 'x'.repeat(500) });
    });
  });
});
afterEach(() => shop.close());

async function paymentFor(options: Omit<PayOptions, 'account'>) {
  const offers = await readOffers(await fetch(`${shop.url}/first`));
  return answerOffers(offers, { ...options, account, nowMs: shop.store.clock.nowMs() });
}
const ask = ({ headers }: { readonly headers: object }) =>
  fetch(`${shop.url}/first`, { headers: { ...headers } as Record<string, string> });
const settled = (network: string) => ({
  success: true,
  transaction: shop.sandbox.ledger().debits[0]?.txHash,
  network,
  payer: account.wallet.address.toLowerCase(),
});

it('an x402 answer says in its own version where its payment has settled', async () => {
  const v2 = await ask(await paymentFor({ protocol: 'x402' }));
  expect(decodePaymentResponseHeader(v2.headers.get('payment-response') ?? '')).toEqual(settled('eip155:84532'));
  expect(await v2.json()).toMatchObject({ made: 1 });
  const v1 = await ask(await paymentFor({ protocol: 'x402', version: 1 }));
  expect(v1.headers.get('payment-response')).toBeNull();
  const read = decodePaymentResponseHeader(v1.headers.get('x-payment-response') ?? '');
  expect(read).toMatchObject({ success: true, network: 'base-sepolia' });
});

it('an answer paid by another protocol says nothing in words of x402', async () => {
  const answer = await ask(await paymentFor({ protocol: 'atxp' }));
  expect(answer.status).toBe(200);
  expect([...answer.headers.keys()].filter((name) => name.endsWith('payment-response'))).toEqual([]);
});

it('an answer of which nobody knows whether it is paid says nothing, and tells it when it is had', async () => {
  const { headers } = await shop.due('/first');
  const had = await ask({ headers });
  expect(decodePaymentResponseHeader(had.headers.get('payment-response') ?? '')).toMatchObject({ success: true });
  expect(made).toBe(2);
});

it('a named answer that was held back is had from the store once it is paid for: nobody makes it a second time', async () => {
  const payment = named(await paymentFor({ protocol: 'x402' }));
  shop.sandbox.setFaults([{ kinds: ['server_error_after_commit'], on: ['settle'], times: 1 }]);
  const held = await ask(payment);
  expect([held.status, held.headers.get('payment-response')]).toEqual([503, null]);
  expect((await ask(payment)).status).toBe(503);
  await shop.settle(held.headers.get('settlement-id') as never);
  for (let times = 0; times < 2; times += 1) {
    const had = await ask(payment);
    expect(await had.json()).toMatchObject({ made: 1 });
    expect(decodePaymentResponseHeader(had.headers.get('payment-response') ?? '')).toMatchObject({ success: true });
  }
  expect(await shop.store.database.query('SELECT answer, status FROM settlements')).toEqual([
    { answer: 'given', status: 'settled' },
  ]);
  expect(shop.sandbox.ledger().totals.debits).toBe(1);
});
