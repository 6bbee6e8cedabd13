import { describe, expect, it } from 'vitest';
import { ledgerForFile } from '../../../support/ledger-fixtures.js';
import { anOrder, aRequest, beginRequest, putOrder } from '../../../support/marketplace/fixtures.js';
import { aPayment, aRefund } from '../../../support/marketplace/new-payments-and-refunds.js';

const test = await ledgerForFile();

describe('the key of our client’s request', () => {
  const begin = (request: ReturnType<typeof aRequest>) => test.ledger.beginRequest(request);

  it('begins once, however many ask at the same time', async () => {
    const request = aRequest('orders');
    const begun = await Promise.all(Array.from({ length: 20 }, () => begin(request)));
    expect(begun.filter(({ kind }) => kind === 'begun')).toEqual([{ kind: 'begun', itemId: null }]);
    expect(begun.filter(({ kind }) => kind === 'in_flight')).toHaveLength(19);
  });

  it('stands for one body, while it is held, after it was released and after the answer', async () => {
    const request = aRequest('orders');
    const other = { ...request, bodySha256: 'another body' };
    await begin(request);
    expect(await begin(other)).toEqual({ kind: 'other_body' });
    await test.ledger.releaseRequest(request);
    expect(await begin(other)).toEqual({ kind: 'other_body' });
    await test.ledger.finishRequest(request, { status: 201, answer: { id: 'x' } });
    expect(await begin(other)).toEqual({ kind: 'other_body' });
  });

  it('is its token’s and its operation’s own', async () => {
    const request = aRequest('orders');
    await begin(request);
    expect(await begin({ ...request, operation: 'refunds' })).toEqual({ kind: 'begun', itemId: null });
    expect(await begin({ ...request, principal: 'another shop' })).toEqual({ kind: 'begun', itemId: null });
  });

  it('repeats its first answer for ever', async () => {
    const request = aRequest('refunds');
    await begin(request);
    await test.ledger.finishRequest(request, { status: 202, answer: { id: 'r1', amount: 5 } });
    await test.ledger.finishRequest(request, { status: 500, answer: { id: 'late' } });
    const answered = { kind: 'answered', status: 202, answer: { id: 'r1', amount: 5 } };
    expect(await begin(request)).toEqual(answered);
    await test.ledger.releaseRequest(request);
    test.clock.advance(24 * 3_600_000);
    expect(await begin(request)).toEqual(answered);
  });

  it('is taken over sixty seconds after the request that held it died, with the item that one made', async () => {
    const request = aRequest('orders');
    await begin(request);
    const order = await test.ledger.createOrder(anOrder(test), request);
    test.clock.advance(59_000);
    expect(await begin(request)).toEqual({ kind: 'in_flight' });
    test.clock.advance(2_000);
    expect(await begin(request)).toEqual({ kind: 'begun', itemId: order.id });
    expect(await begin(request)).toEqual({ kind: 'in_flight' });
  });

  it('goes on at once, with its item, after an outcome that nobody knows', async () => {
    const request = await beginRequest(test, 'orders');
    const order = await test.ledger.createOrder(anOrder(test), request);
    await test.ledger.releaseRequest(request);
    expect(await begin(request)).toEqual({ kind: 'begun', itemId: order.id });
  });

  it('is neither answered nor released by a request with another body', async () => {
    const request = await beginRequest(test, 'orders');
    const other = { ...request, bodySha256: 'another body' };
    await test.ledger.releaseRequest(other);
    await test.ledger.finishRequest(other, { status: 201, answer: {} });
    expect(await begin(request)).toEqual({ kind: 'in_flight' });
  });

  it('is needed: nothing is made for a request that was not begun', async () => {
    const order = await putOrder(test);
    await expect(test.ledger.createOrder(anOrder(test), aRequest('orders'))).rejects.toThrow('was not begun');
    await expect(test.ledger.createPayment(aPayment(test, order.id), aRequest('payments'))).rejects.toThrow(
      'was not begun',
    );
    await expect(test.ledger.createRefund(aRefund(test, order.id), aRequest('refunds'))).rejects.toThrow(
      'was not begun',
    );
  });
});
