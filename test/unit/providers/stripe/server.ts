import type { ReversalParams, TransferParams } from '../../../../src/domain/calls/provider-answers.js';
import { createStripe, type StripeEndpoint, type StripeOptions } from '../../../../src/providers/stripe/client.js';
import { type Answering, json as answerJson, startAnswering } from '../../../support/answering-server.js';

export const SECRET_KEY = 'sk_test_CANARY0secret0key';
export const LANE = 'acct_seller';

/** Our client of Stripe before a server that answers as told. */
export async function answering(answers: Answering | readonly Answering[], options: Partial<StripeOptions> = {}) {
  const { received, server, url } = await startAnswering(answers);
  const tokens: (readonly [StripeEndpoint, string])[] = [];
  const answered: StripeEndpoint[] = [];
  const stripe = createStripe({
    secretKey: SECRET_KEY,
    apiBase: url,
    async takeToken(endpoint, lane) {
      tokens.push([endpoint, lane]);
      return () => void answered.push(endpoint);
    },
    ...options,
  });
  return { calls: stripe.inLane(LANE), stripe, received, tokens, answered, url, server };
}

export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Answering =>
  answerJson(status, body, { 'request-id': 'req_1', ...headers });

/** Stripe's form of an error; members that are undefined are left out. */
export const error = (
  status: number,
  { type = 'invalid_request_error', ...more }: Record<string, unknown>,
  headers: Record<string, string> = {},
): Answering => json(status, { error: { type, ...more } }, headers);

export const transferObject = (more: Record<string, unknown> = {}) => ({
  id: 'tr_1',
  object: 'transfer',
  amount: 600,
  amount_reversed: 0,
  currency: 'usd',
  created: 1_700_000_000,
  destination: 'acct_seller',
  destination_payment: 'py_1',
  livemode: false,
  metadata: { order_id: 'order-1', seller_transfer_id: 'st-1', generation: '1' },
  reversals: list([]),
  reversed: false,
  source_type: 'card',
  transfer_group: 'order-1',
  ...more,
});

export const reversalObject = (more: Record<string, unknown> = {}) => ({
  id: 'trr_1',
  object: 'transfer_reversal',
  amount: 200,
  balance_transaction: 'txn_1',
  created: 1_700_000_060,
  currency: 'usd',
  metadata: { operation_id: 'rev-1' },
  transfer: 'tr_1',
  ...more,
});

export const list = (data: readonly unknown[], has_more = false) => ({ object: 'list', data, has_more, url: '/v1/x' });

export const TRANSFER: TransferParams = {
  amount: 600,
  currency: 'usd',
  destination: 'acct_seller',
  transfer_group: 'order-1',
  metadata: { order_id: 'order-1', seller_transfer_id: 'st-1', generation: '1' },
};

export const REVERSAL: ReversalParams = {
  amount: 200,
  metadata: {
    operation_id: 'rev-1',
    refund_id: 'ref-1',
    order_id: 'order-1',
    generation: '1',
    reason: 'does not fit & too "small"',
  },
};
