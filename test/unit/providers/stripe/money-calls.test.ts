import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { TransferParams } from '../../../../src/domain/calls/provider-answers.js';
import { EmptyIdempotencyKey } from '../../../../src/providers/idempotency-key.js';
import type { Stopped } from '../../../../src/providers/stripe/ask.js';
import type { StripeCalls } from '../../../../src/providers/stripe/client.js';
import {
  answering,
  error,
  json,
  LANE,
  REVERSAL,
  reversalObject,
  SECRET_KEY,
  TRANSFER,
  transferObject,
} from './server.js';

const transferred = json(200, transferObject());
const reversed = json(200, reversalObject());

/** Both calls that move money, with the answer that Stripe gives to each. */
const MONEY_CALLS = [
  [
    'createTransfer',
    transferred,
    (calls: StripeCalls, key: string, stopped?: Stopped) => calls.createTransfer(key, TRANSFER, stopped),
  ],
  [
    'reverseTransfer',
    reversed,
    (calls: StripeCalls, key: string, stopped?: Stopped) => calls.reverseTransfer(key, 'tr_1', REVERSAL, stopped),
  ],
] as const;

describe.each(MONEY_CALLS)('%s', (name, success, call) => {
  it('puts exactly the given key on the wire, whatever the parameters are', async () => {
    const { calls, received } = await answering(success);
    for (const key of ['0199-id', '0199-id:g2', 'k'.repeat(255)]) await call(calls, key);
    expect(received.map(({ headers }) => headers['idempotency-key'])).toEqual([
      '0199-id',
      '0199-id:g2',
      'k'.repeat(255),
    ]);
  });

  it.each([
    ['empty', ''],
    ['blank', ' \t'],
    ['overlong', 'k'.repeat(256)],
    ['not plain text', 'schlüssel'],
    ['cut on its way', ' key'],
  ])('never takes a token or sends a byte with a key that is %s', async (_what, key) => {
    const { calls, received, tokens } = await answering(success);
    await expect(call(calls, key)).rejects.toThrow(EmptyIdempotencyKey);
    expect({ received, tokens }).toEqual({ received: [], tokens: [] });
  });

  it('takes one token of its endpoint and lane, and waits for it before it sends', async () => {
    const { calls, received, tokens, stripe } = await answering(success);
    await call(calls, 'key');
    await call(stripe.inLane('backfill'), 'key');
    const endpoint = name === 'createTransfer' ? 'transfers.create' : 'reversals.create';
    expect(tokens).toEqual([
      [endpoint, LANE],
      [endpoint, 'backfill'],
    ]);
    expect(received).toHaveLength(2);
    const refused = await answering(success, { takeToken: () => Promise.reject(new Error('no token')) });
    await expect(call(refused.calls, 'key')).rejects.toThrow('no token');
    expect(refused.received).toEqual([]);
  });

  it('is turned away, and sends nothing, when no token came in time', async () => {
    const { calls, received } = await answering(success, { takeToken: async () => undefined });
    expect(await call(calls, 'key')).toMatchObject({
      kind: 'busy',
      executed: 'no',
      detail: expect.stringMatching(/^too many requests to stripe are waiting before .*; nothing was done$/),
    });
    expect(await calls.readTransfer('tr_1')).toMatchObject({ kind: 'busy' });
    expect(received).toEqual([]);
  });

  it('asks with the token in hand whether it may leave, and sends nothing when not; the token is given back unused', async () => {
    const order: string[] = [];
    const { calls, received } = await answering(success, {
      takeToken: async () => {
        order.push('token');
        return (sentAtMs) => void order.push(sentAtMs === null ? 'given back' : 'answered');
      },
    });
    const asked = (why: string | undefined) => async () => {
      order.push('asked');
      return why;
    };
    expect(await call(calls, 'key', asked('stripe is paused'))).toMatchObject({
      kind: 'busy',
      executed: 'no',
      detail: expect.stringMatching(/^stripe is paused: .* was not sent; nothing was done$/) as string,
    });
    await expect(call(calls, 'key', () => Promise.reject(new Error('no ledger')))).rejects.toThrow('no ledger');
    expect(received).toEqual([]);
    expect(await call(calls, 'key', asked(undefined))).toMatchObject({ kind: 'done' });
    expect(received).toHaveLength(1);
    expect(order).toEqual(['token', 'asked', 'given back', 'token', 'given back', 'token', 'asked', 'answered']);
  });

  it('sends nothing when that was asked for so long that its token may be another’s', async () => {
    const { calls, received } = await answering(success);
    const now = vi.spyOn(performance, 'now');
    onTestFinished(() => now.mockRestore());
    const late = async () => {
      const then = performance.now();
      now.mockReturnValue(then + 1_001);
      return undefined;
    };
    expect(await call(calls, 'key', late)).toMatchObject({ kind: 'busy', executed: 'no' });
    expect(received).toEqual([]);
  });

  it('says whether Stripe repeated its first answer', async () => {
    const first = await answering(success);
    expect(await call(first.calls, 'key')).toMatchObject({ kind: 'done', replayed: false, requestId: 'req_1' });
    const body = name === 'createTransfer' ? transferObject() : reversalObject();
    const again = await answering(json(200, body, { 'idempotent-replayed': 'true' }));
    expect(await call(again.calls, 'key')).toMatchObject({ kind: 'done', replayed: true, requestId: 'req_1' });
    const failedAgain = await answering(
      error(500, { type: 'api_error', message: 'oops' }, { 'idempotent-replayed': 'true' }),
    );
    expect(await call(failedAgain.calls, 'key')).toMatchObject({
      kind: 'unclear',
      replayed: true,
      detail: expect.stringMatching(/repeats its first answer.*; it may have been carried out$/) as string,
    });
  });

  it('speaks as the platform, in the pinned version, without telemetry', async () => {
    const { calls, received } = await answering(success);
    await call(calls, 'key');
    await call(calls, 'key');
    for (const { method, headers } of received) {
      expect(method).toBe('POST');
      expect(headers).toMatchObject({
        'stripe-version': '2026-10-28.endive',
        authorization: `Bearer ${SECRET_KEY}`,
        'content-type': 'application/x-www-form-urlencoded',
      });
      expect(Object.keys(headers)).not.toContain('stripe-account');
      expect(Object.keys(headers)).not.toContain('x-stripe-client-telemetry');
    }
  });

  it.each([0, -1, 0.5, Number.NaN, 2 ** 53])('never sends an amount of %s', async (amount) => {
    const { calls, received, tokens } = await answering(success);
    const sent =
      name === 'createTransfer'
        ? calls.createTransfer('key', { ...TRANSFER, amount })
        : calls.reverseTransfer('key', 'tr_1', { ...REVERSAL, amount });
    await expect(sent).rejects.toThrow(RangeError);
    expect({ received, tokens }).toEqual({ received: [], tokens: [] });
  });
});

describe('createTransfer', () => {
  it('sends the frozen parameters and nothing else', async () => {
    const { calls, received } = await answering(transferred);
    await calls.createTransfer('key', TRANSFER);
    expect(received[0]).toMatchObject({
      path: '/v1/transfers',
      body:
        'amount=600&currency=usd&destination=acct_seller&metadata[generation]=1&metadata[order_id]=order-1' +
        '&metadata[seller_transfer_id]=st-1&transfer_group=order-1',
    });
  });

  it('sends the same bytes whatever order the record comes back in', async () => {
    const { calls, received } = await answering(transferred);
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(Object.entries(TRANSFER), { minLength: 5 }),
        fc.shuffledSubarray(Object.entries(TRANSFER.metadata), { minLength: 3 }),
        async (entries, metadata) => {
          const params = Object.fromEntries(entries) as unknown as TransferParams;
          await calls.createTransfer('key', { ...params, metadata: Object.fromEntries(metadata) as never });
        },
      ),
      { numRuns: 50 },
    );
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  });

  it('tells what Stripe holds, in our units', async () => {
    const { calls } = await answering(transferred);
    expect(await calls.createTransfer('key', TRANSFER)).toEqual({
      kind: 'done',
      replayed: false,
      requestId: 'req_1',
      value: {
        stripeTransferId: 'tr_1',
        amount: 600n,
        amountReversed: 0n,
        currency: 'USD',
        destination: 'acct_seller',
        transferGroup: 'order-1',
        metadata: { order_id: 'order-1', seller_transfer_id: 'st-1', generation: '1' },
        livemode: false,
        destinationPayment: 'py_1',
        createdAt: '2023-11-14T22:13:20.000Z',
      },
    });
  });

  it('carries the largest amount that JSON can, digit for digit', async () => {
    const amount = Number.MAX_SAFE_INTEGER;
    const { calls, received } = await answering(json(200, transferObject({ amount })));
    const answer = await calls.createTransfer('key', { ...TRANSFER, amount });
    expect(answer).toMatchObject({ kind: 'done', value: { amount: 9_007_199_254_740_991n } });
    expect(received[0]?.body).toContain('amount=9007199254740991&');
  });

  it.each([
    ['another amount', transferObject({ amount: 599 })],
    ['another currency', transferObject({ currency: 'eur' })],
    ['another destination', transferObject({ destination: 'acct_other' })],
    ['another object', { ...reversalObject(), amount: 600 }],
    ['no id', transferObject({ id: undefined })],
    ['an amount with a fraction', transferObject({ amount: 600.5 })],
    ['an empty object', {}],
  ])('never books %s as done', async (_what, body) => {
    const { calls } = await answering(json(200, body));
    expect(await calls.createTransfer('key', TRANSFER)).toMatchObject({
      kind: 'unclear',
      why: 'unreadable',
      requestId: 'req_1',
    });
  });

  it('never sends a currency in upper case, or to nobody', async () => {
    const { calls, received } = await answering(transferred);
    await expect(calls.createTransfer('key', { ...TRANSFER, currency: 'USD' })).rejects.toThrow(RangeError);
    await expect(calls.createTransfer('key', { ...TRANSFER, destination: '' })).rejects.toThrow(RangeError);
    expect(received).toEqual([]);
  });
});

describe('reverseTransfer', () => {
  it('names the transfer in the path and sends the frozen parameters, the amount always among them', async () => {
    const { calls, received } = await answering(reversed);
    await calls.reverseTransfer('key', 'tr_1', REVERSAL);
    expect(received[0]).toMatchObject({
      path: '/v1/transfers/tr_1/reversals',
      body:
        'amount=200&metadata[generation]=1&metadata[operation_id]=rev-1&metadata[order_id]=order-1' +
        '&metadata[reason]=does%20not%20fit%20%26%20too%20%22small%22&metadata[refund_id]=ref-1',
    });
  });

  it('tells what Stripe holds, in our units', async () => {
    const { calls } = await answering(reversed);
    expect(await calls.reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject({
      kind: 'done',
      value: {
        stripeReversalId: 'trr_1',
        stripeTransferId: 'tr_1',
        amount: 200n,
        currency: 'USD',
        metadata: { operation_id: 'rev-1' },
        state: 'done',
        createdAt: '2023-11-14T22:14:20.000Z',
      },
    });
  });

  it.each([
    [undefined, 'done'],
    [null, 'done'],
    ['succeeded', 'done'],
    ['pending', 'pending'],
    ['failed', 'failed'],
    ['canceled', 'canceled'],
    ['toString', 'unknown'],
    ['half_done', 'unknown'],
    [7, 'unknown'],
  ])('calls a reversal with the status %s %s', async (status, state) => {
    const { calls } = await answering(json(200, reversalObject({ status })));
    expect(await calls.reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject({ kind: 'done', value: { state } });
  });

  it.each([
    ['another transfer', reversalObject({ transfer: 'tr_2' })],
    ['another amount', reversalObject({ amount: 201 })],
    ['another object', { ...transferObject(), amount: 200, transfer: 'tr_1' }],
    ['no currency', reversalObject({ currency: null })],
  ])('never books the reversal of %s as done', async (_what, body) => {
    const { calls } = await answering(json(200, body));
    expect(await calls.reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject({ kind: 'unclear', why: 'unreadable' });
  });

  it.each(['', ' ', '..', 'tr 1'])('never calls Stripe for a transfer without an id (%j)', async (id) => {
    const { calls, received, tokens } = await answering(reversed);
    await expect(calls.reverseTransfer('key', id, REVERSAL)).rejects.toThrow(RangeError);
    expect({ received, tokens }).toEqual({ received: [], tokens: [] });
  });

  it('never lets an id lead to another path', async () => {
    const { calls, received } = await answering(reversed);
    await calls.reverseTransfer('key', 'tr_1/../../account?x=1#', REVERSAL);
    expect(received.map(({ path }) => path)).toEqual(['/v1/transfers/tr_1%2F..%2F..%2Faccount%3Fx%3D1%23/reversals']);
  });
});
