import { describe, expect, it } from 'vitest';
import type { Answering } from '../../../support/answering-server.js';
import { answering, error, json, LANE, list } from './server.js';

const withdrawn = (more: Record<string, unknown> = {}) => ({
  id: 'txn_1',
  object: 'balance_transaction',
  amount: -1_000,
  fee: 1_500,
  net: -2_500,
  currency: 'usd',
  created: 1_700_000_000,
  reporting_category: 'dispute',
  ...more,
});
const dispute = (more: Record<string, unknown> = {}) => ({
  id: 'dp_1',
  object: 'dispute',
  amount: 1_000,
  currency: 'usd',
  charge: 'ch_1',
  payment_intent: 'pi_1',
  status: 'needs_response',
  reason: 'fraudulent',
  created: 1_700_000_000,
  balance_transactions: [withdrawn()],
  ...more,
});
const refund = (more: Record<string, unknown> = {}) => ({
  id: 're_1',
  object: 'refund',
  amount: 300,
  currency: 'usd',
  charge: 'ch_1',
  payment_intent: 'pi_1',
  status: 'succeeded',
  created: 1_700_000_000,
  ...more,
});

describe('a dispute at Stripe', () => {
  it('is read with what moved because of it', async () => {
    const { calls, received, tokens } = await answering(json(200, dispute()));
    expect(await calls.readDispute('dp_1')).toEqual({
      kind: 'found',
      value: {
        stripeDisputeId: 'dp_1',
        charge: 'ch_1',
        paymentIntent: 'pi_1',
        amount: 1_000n,
        currency: 'USD',
        status: 'needs_response',
        reason: 'fraudulent',
        createdAt: '2023-11-14T22:13:20.000Z',
        movements: [{ id: 'txn_1', amount: -1_000n, currency: 'USD', at: '2023-11-14T22:13:20.000Z' }],
      },
    });
    expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v1/disputes/dp_1']);
    expect(tokens).toEqual([['disputes.read', LANE]]);
  });

  it('of a charge without a PaymentIntent, and with the objects in place of their ids, is read as well', async () => {
    const { calls } = await answering(json(200, dispute({ payment_intent: null, charge: { id: 'ch_9' } })));
    expect(await calls.readDispute('dp_1')).toMatchObject({ value: { charge: 'ch_9', paymentIntent: null } });
  });

  it.each<[string, Answering, string]>([
    ['is another one', json(200, dispute({ id: 'dp_2' })), 'unclear'],
    ['has no list of movements', json(200, dispute({ balance_transactions: undefined })), 'unclear'],
    [
      'has a movement without an amount',
      json(200, dispute({ balance_transactions: [withdrawn({ amount: null })] })),
      'unclear',
    ],
    ['has a movement by its id alone', json(200, dispute({ balance_transactions: ['txn_1'] })), 'unclear'],
    ['has no status', json(200, dispute({ status: null })), 'unclear'],
    ['is none', json(200, { ...dispute(), object: 'charge' }), 'unclear'],
    ['is not of this account', error(404, { code: 'resource_missing' }), 'missing'],
    ['is turned away', error(429, { code: 'rate_limit' }), 'busy'],
    ['may not be read by this key', error(401, {}), 'misdirected'],
    ['cannot be told now', error(500, { type: 'api_error' }), 'unclear'],
  ])('that %s is no reading', async (_what, answer, kind) => {
    const { calls } = await answering(answer);
    expect((await calls.readDispute('dp_1')).kind).toBe(kind);
  });

  it.each(['', '..', 'dp 1'])('of the id "%s" is not asked for', async (id) => {
    const { calls, received } = await answering(json(200, dispute()));
    expect(await calls.readDispute(id)).toMatchObject({ kind: 'missing' });
    expect(await calls.disputesOf(id)).toMatchObject({ kind: 'missing' });
    expect(await calls.refundsOf(id)).toMatchObject({ kind: 'missing' });
    expect(received).toHaveLength(0);
  });
});

describe('what left because of one payment', () => {
  it.each([
    [{ reason: 'expired_uncaptured_charge' }, 'surely'],
    [{ reason: 'partial_capture' }, 'surely'],
    [{ balance_transaction: null }, 'perhaps'],
    [{ balance_transaction: null, status: 'pending' }, undefined],
    [{ balance_transaction: null, metadata: { refund_id: 'refund-1' } }, undefined],
    [{ balance_transaction: 'txn_1', reason: 'requested_by_customer' }, undefined],
  ])('of %j was only held: %s', async (more, expected) => {
    const { calls } = await answering(json(200, list([refund(more)])));
    const answer = await calls.refundsOf('ch_1');
    expect(answer.kind === 'found' && answer.value.map(({ ofHeld }) => ofHeld)).toEqual([expected]);
  });

  it('is listed by its PaymentIntent or charge, all pages', async () => {
    const { calls, received, tokens } = await answering([
      json(200, list([dispute(), dispute({ id: 'dp_2' })], true)),
      json(200, list([dispute({ id: 'dp_3' })])),
      json(
        200,
        list([
          refund({ metadata: { order_id: 'ref_1', is_refund_id_as_reference: 'true' } }),
          refund({ id: 're_2', status: null, metadata: { order_id: 'pay_1_1' } }),
          refund({ id: 're_3' }),
        ]),
      ),
      json(200, list([])),
    ]);
    const disputes = await calls.disputesOf('pi_1');
    expect(disputes.kind === 'found' && disputes.value.map(({ stripeDisputeId }) => stripeDisputeId)).toEqual([
      'dp_1',
      'dp_2',
      'dp_3',
    ]);
    expect(await calls.refundsOf('ch_1')).toMatchObject({
      value: [
        {
          stripeRefundId: 're_1',
          amount: 300n,
          currency: 'USD',
          status: 'succeeded',
          madeFrom: { kind: 'refund', id: 'ref_1' },
        },
        { stripeRefundId: 're_2', status: 'succeeded', madeFrom: { kind: 'attempt', id: 'pay_1_1' } },
        { stripeRefundId: 're_3', madeFrom: null },
      ],
    });
    expect(await calls.disputesOf('ch_1')).toEqual({ kind: 'found', value: [] });
    expect(received.map(({ path }) => path)).toEqual([
      '/v1/disputes?payment_intent=pi_1&limit=100',
      '/v1/disputes?payment_intent=pi_1&limit=100&starting_after=dp_2',
      '/v1/refunds?charge=ch_1&limit=100',
      '/v1/disputes?charge=ch_1&limit=100',
    ]);
    expect(tokens.map(([endpoint]) => endpoint)).toEqual([
      'disputes.list',
      'disputes.list',
      'refunds.list',
      'disputes.list',
    ]);
  });

  it.each<[string, Answering, string]>([
    ['another payment’s among them', json(200, list([dispute({ payment_intent: 'pi_2', charge: 'ch_2' })])), 'unclear'],
    ['one that cannot be read', json(200, list([dispute({ amount: 1.5 })])), 'unclear'],
    ['no such payment', error(404, { code: 'resource_missing' }), 'missing'],
  ])('is no list with %s', async (_what, answer, kind) => {
    const { calls } = await answering(answer);
    expect((await calls.disputesOf('pi_1')).kind).toBe(kind);
  });
});
