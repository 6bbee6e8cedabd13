import { describe, expect, it } from 'vitest';
import { type Answering, json } from '../../../support/answering-server.js';
import { answering, error } from '../../../support/marketplace/hyperswitch-server.js';
import { payment, refund } from './support/objects.js';

const dispute = (more: Record<string, unknown> = {}) => ({
  dispute_id: 'dispute_1',
  payment_id: 'pay_1',
  attempt_id: 'pay_1_1',
  amount: '1000',
  currency: 'USD',
  dispute_stage: 'dispute',
  dispute_status: 'dispute_opened',
  connector: 'stripe',
  connector_status: 'needs_response',
  connector_dispute_id: 'dp_1',
  connector_reason: 'fraudulent',
  created_at: '2026-11-21T03:00:00.000Z',
  profile_id: 'pro_1',
  is_already_refunded: false,
  ...more,
});
const NAMED = {
  hyperswitchDisputeId: 'dispute_1',
  hyperswitchPaymentId: 'pay_1',
  profileId: 'pro_1',
  connector: 'stripe',
  providerDisputeId: 'dp_1',
  status: 'open',
  providerStatus: 'dispute, dispute_opened',
  amount: 1_000n,
  currency: 'USD',
  reason: 'fraudulent',
};

describe('a dispute at Hyperswitch', () => {
  it('is read by its id, its amount as a text', async () => {
    const { client, received } = await answering([
      json(200, dispute()),
      json(200, dispute({ dispute_stage: 'pre_dispute', currency: 'ugx', connector_reason: null, profile_id: null })),
    ]);
    expect(await client.readDispute('dispute_1')).toEqual({ kind: 'found', value: NAMED });
    expect(await client.readDispute('dispute_1')).toMatchObject({
      value: { status: 'inquiry', amount: 100_000n, currency: 'UGX', reason: null, profileId: null },
    });
    expect(received.map(({ method, path }) => `${method} ${path}`)[0]).toBe('GET /disputes/dispute_1');
  });

  it.each([
    ['another one', { dispute_id: 'dispute_2' }],
    ['without the processor’s id', { connector_dispute_id: '' }],
    ['without a processor', { connector: null }],
    ['with an amount that is a number', { amount: 1_000 }],
    ['with an amount that is no whole one', { amount: '10.00' }],
    ['without a stage', { dispute_stage: undefined }],
    ['without a payment', { payment_id: 7 }],
  ])('%s is unclear', async (_what, more) => {
    const { client } = await answering(json(200, dispute(more)));
    expect((await client.readDispute('dispute_1')).kind).toBe('unclear');
  });

  it.each([
    ['dispute', 'dispute_challenged', 'open'],
    ['pre_dispute', 'dispute_lost', 'lost'],
    ['pre_arbitration', 'dispute_opened', 'open'],
    ['dispute', 'dispute_cancelled', 'cancelled'],
    ['dispute', 'dispute_accepted', 'lost'],
    ['dispute', 'dispute_won', 'won'],
    ['dispute', 'a_word_of_tomorrow', 'open'],
  ])('called %s, %s is %s for people', async (dispute_stage, dispute_status, status) => {
    const { client } = await answering(json(200, dispute({ dispute_stage, dispute_status })));
    expect(await client.readDispute('dispute_1')).toMatchObject({
      value: { status, providerStatus: `${dispute_stage}, ${dispute_status}` },
    });
  });

  it('that it does not know is missing', async () => {
    const { client } = await answering(error(404, 'HE_04', 'Dispute does not exist in our records'));
    expect((await client.readDispute('dispute_1')).kind).toBe('missing');
  });
});

describe('the disputes of one payment', () => {
  it('are a bare list, read on until a page brings nothing new', async () => {
    const { client, received } = await answering([
      json(200, [dispute(), dispute({ dispute_id: 'dispute_2', connector_dispute_id: 'dp_2' })]),
      json(200, [dispute({ dispute_id: 'dispute_3', connector_dispute_id: 'dp_3' })]),
      json(200, []),
    ]);
    const answer = await client.disputesOf('pay_1');
    expect(answer.kind === 'found' && answer.value.map(({ providerDisputeId }) => providerDisputeId)).toEqual([
      'dp_1',
      'dp_2',
      'dp_3',
    ]);
    expect(received.map(({ method, path, body }) => `${method} ${path} ${body}`)).toEqual([
      'GET /disputes/list?payment_id=pay_1&limit=100&offset=0 ',
      'GET /disputes/list?payment_id=pay_1&limit=100&offset=2 ',
      'GET /disputes/list?payment_id=pay_1&limit=100&offset=3 ',
    ]);
  });

  it.each<[string, Answering]>([
    ['an object', json(200, { data: 'x' })],
    ['another payment’s', json(200, [dispute({ payment_id: 'pay_2' })])],
    ['one that cannot be read', json(200, [dispute(), dispute({ amount: null })])],
    ['something that is none', json(200, ['dispute_1'])],
    ['a failure', error(500, 'HE_00', 'x')],
  ])('are unclear with %s', async (_what, answer) => {
    const { client } = await answering(answer);
    expect((await client.disputesOf('pay_1')).kind).toBe('unclear');
  });

  it('are asked for of what can be a payment alone', async () => {
    const { client, received } = await answering(json(200, []));
    expect((await client.disputesOf('../x')).kind).toBe('missing');
    expect((await client.readDispute('a&b')).kind).toBe('missing');
    expect(received).toHaveLength(0);
  });
});

it('a payment and a refund say what they are called at the processor', async () => {
  const { client } = await answering([
    json(200, payment({ connector: 'stripe', connector_transaction_id: 'pi_1' })),
    json(200, payment()),
    json(200, refund({ connector_refund_id: 're_1' })),
    json(200, refund()),
  ]);
  const { PAY, REF } = await import('./support/objects.js');
  expect(await client.readPayment(PAY)).toMatchObject({
    value: { connector: 'stripe', connectorTransactionId: 'pi_1' },
  });
  expect(await client.readPayment(PAY)).toMatchObject({ value: { connector: null, connectorTransactionId: null } });
  expect(await client.readRefund(REF)).toMatchObject({ value: { connectorRefundId: 're_1' } });
  expect(await client.readRefund(REF)).toMatchObject({ value: { connectorRefundId: null } });
});
