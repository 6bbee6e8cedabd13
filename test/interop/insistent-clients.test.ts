import { ExactEvmScheme } from '@x402/evm/exact/client';
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { afterEach, describe, expect, it } from 'vitest';
import { SETTLED_FIRST } from '../support/sessions/settle-first-shop.js';
import { shopForFile } from './support/shop.js';
import { stockWallet } from './support/stock-wallet.js';

/** A loop around the published client that pays again whenever it reads that its payment failed. */

const PATIENCE_MS = 300;
const shop = await shopForFile(
  (app, sessions) => {
    for (const path of ['/first', '/first-refused', '/first-unknown', '/first-lost'])
      app.get(path, sessions.paidSession({ ...SETTLED_FIRST, price: '10000' }), (req, res) => {
        req.paymentSession?.charge('10000');
        res.json({ report: 'it' });
      });
  },
  { patienceMs: PATIENCE_MS },
);
afterEach(() => shop.sandbox.setFaults([]));

/** What was sent with a payment, oldest first. */
function insistent() {
  const payments: Headers[] = [];
  const watched: typeof fetch = (input, init) => {
    const { headers } = new Request(input, init);
    if (headers.has('payment-signature')) payments.push(headers);
    return fetch(input, init);
  };
  const pays = wrapFetchWithPayment(watched, new x402Client().register('eip155:*', new ExactEvmScheme(stockWallet)));
  const failed = (answer: Response) => {
    const said = answer.headers.get('payment-response') ?? answer.headers.get('x-payment-response');
    return answer.status === 402 || (said !== null && !decodePaymentResponseHeader(said).success);
  };
  return {
    payments,
    async buy(path: string): Promise<Response> {
      let answer = await pays(shop.url + path);
      for (let times = 1; times < 4 && failed(answer); times += 1) answer = await pays(shop.url + path);
      return answer;
    },
    again: (path: string) => fetch(shop.url + path, { headers: payments[0] ?? {} }),
  };
}

const debits = () => shop.sandbox.ledger().totals.debits;
const refusedAgain = async (answer: Response, id: string | null) => {
  expect([answer.status, answer.headers.get('settlement-id')]).toEqual([409, id]);
  expect(answer.headers.get('payment-required')).toBeNull();
};

describe('a loop around @x402/fetch that pays again whenever a payment failed', () => {
  it.each([
    ['settled at once', undefined],
    ['pending, because the auth server answers 500', 'server_error'],
    ['settled, and the answer that says so lost with a 500', 'server_error_after_commit'],
    ['settled, and the answer that says so never comes', 'hang_after_commit'],
    ['unknown, because the connection was reset', 'reset_before_commit'],
  ] as const)('pays a served answer once: %s', async (_state, fault) => {
    const client = insistent();
    const [before, past] = [debits(), (await shop.charges('/demo/fixed')).length];
    const answer = await client.buy('/demo/fixed');
    expect([answer.status, client.payments.length]).toEqual([200, 1]);
    const id = answer.headers.get('settlement-id');
    if (fault) shop.sandbox.setFaults([{ kinds: [fault], on: ['settle'], times: 1, ms: 2_000 }]);
    // Sent again before it is settled, at whatever the first call came to, and when the money is in.
    await refusedAgain(await client.again('/demo/fixed'), id);
    await shop.settle('/demo/fixed');
    await refusedAgain(await client.again('/demo/fixed'), id);
    shop.store.clock.advance(60_000);
    await shop.settle('/demo/fixed');
    await refusedAgain(await client.again('/demo/fixed'), id);
    const charges = await shop.charges('/demo/fixed');
    expect(charges.slice(past)).toEqual([expect.objectContaining({ id, status: 'settled', spent: '10000' })]);
    expect(debits()).toBe(before + 1);
  });

  it('pays an answer that is settled first once', async () => {
    const client = insistent();
    const [before, answer] = [debits(), await client.buy('/first')];
    expect([answer.status, client.payments.length, debits()]).toEqual([200, 1, before + 1]);
    await refusedAgain(await client.again('/first'), answer.headers.get('settlement-id'));
  });

  it('pays once more where its payment was refused before anything was served, and the first moves nothing', async () => {
    const client = insistent();
    shop.sandbox.setFaults([{ kinds: ['refused'], on: ['settle'], times: 1 }]);
    const [before, answer] = [debits(), await client.buy('/first-refused')];
    expect([answer.status, client.payments.length, debits()]).toEqual([200, 2, before + 1]);
  });

  it.each([
    ['the auth server answers 500', '/first-unknown', 'server_error_after_commit'],
    ['its answer never comes', '/first-lost', 'hang_after_commit'],
  ] as const)(
    'pays once for an answer that waits because nobody knows whether it is paid: %s',
    async (_why, path, fault) => {
      const client = insistent();
      shop.sandbox.setFaults([{ kinds: [fault], on: ['settle'], times: 1, ms: 1_000 }]);
      const [before, told] = [debits(), await client.buy(path)];
      expect([told.status, client.payments.length, told.headers.get('payment-response')]).toEqual([503, 1, null]);
      const id = told.headers.get('settlement-id');
      shop.store.clock.advance(60_000);
      await shop.settle(path);
      const answer = await client.again(path);
      expect([answer.status, await answer.json(), answer.headers.get('settlement-id')]).toEqual([
        200,
        { report: 'it' },
        id,
      ]);
      await refusedAgain(await client.again(path), id);
      expect([debits(), (await shop.charges(path)).length]).toEqual([before + 1, 1]);
    },
  );
});
