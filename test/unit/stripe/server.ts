import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ReversalParams, TransferParams } from '../../../src/domain/provider-answers.js';
import { createStripe, type StripeEndpoint, type StripeOptions } from '../../../src/providers/stripe/client.js';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
export type Answering = (response: ServerResponse, received: Received) => void;

export const SECRET_KEY = 'sk_test_CANARY0secret0key';
export const LANE = 'acct_seller';

/** A real server on this machine that remembers what it received and answers as told: one answer a request, the last one again. */
export async function answering(answers: Answering | readonly Answering[], options: Partial<StripeOptions> = {}) {
  const received: Received[] = [];
  const tokens: (readonly [StripeEndpoint, string])[] = [];
  const queue = typeof answers === 'function' ? [answers] : [...answers];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const entry = { method, path, headers, body: Buffer.concat(chunks).toString() };
      received.push(entry);
      const answer = queue.length > 1 ? queue.shift() : queue[0];
      answer?.(response, entry);
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stripe = createStripe({
    secretKey: SECRET_KEY,
    apiBase: url,
    takeToken: async (endpoint, lane) => void tokens.push([endpoint, lane]),
    ...options,
  });
  return { calls: stripe.inLane(LANE), stripe, received, tokens, url, server };
}

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answering =>
  (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_1', ...headers })
      .end(JSON.stringify(body));

export const raw =
  (status: number, contentType: string, body: string, headers: Record<string, string> = {}): Answering =>
  (response) =>
    void response.writeHead(status, { 'content-type': contentType, ...headers }).end(body);

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
