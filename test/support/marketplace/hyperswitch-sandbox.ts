import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type HyperswitchSandboxOptions, startHyperswitchSandbox } from '../../../sandbox/hyperswitch/start.js';
import { createHyperswitch } from '../../../src/providers/hyperswitch/client.js';
import { hyperswitchPaymentId } from '../../../src/providers/hyperswitch/ids.js';

/** A sandbox of one test, with the product's client and a plain caller for everything the client never sends. */
export async function hyperswitchSandbox(options: HyperswitchSandboxOptions = {}, timeoutMs = 5_000) {
  const sandbox = await startHyperswitchSandbox(options);
  onTestFinished(() => sandbox.close());
  const { url, apiKey } = sandbox;
  const client = createHyperswitch({ baseUrl: url, apiKey, timeoutMs });
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: { 'api-key': apiKey, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      redirect: 'manual',
    });
    const text = await response.text();
    return { status: response.status, text, headers: response.headers, json: objectOf(text) };
  };
  const createPayment = (key: string, amount = 6540n) =>
    client.createPayment(key, {
      amount,
      currency: 'USD',
      metadata: { order_id: key, payment_id: `payment of ${key}` },
    });
  /** A payment that its buyer has paid; returns its id. */
  const paid = async (key: string, amount = 6540n) => {
    await createPayment(key, amount);
    await sandbox.movePayment(hyperswitchPaymentId(key), { to: 'succeeded' });
    return hyperswitchPaymentId(key);
  };
  const createRefund = (key: string, paymentId: string, amount: bigint) =>
    client.createRefund(key, {
      hyperswitchPaymentId: paymentId,
      amount,
      currency: 'USD',
      reason: 'requested_by_customer',
      metadata: { order_id: 'order', refund_id: key },
    });
  return { sandbox, client, call, createPayment, paid, createRefund };
}

const objectOf = (text: string): Record<string, unknown> => {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
};

export interface Delivered {
  readonly body: Buffer;
  readonly signature: string | undefined;
}

/** The merchant's end of the webhooks: remembers every delivery and answers with these statuses, the last one again. */
export async function webhookReceiver(...statuses: number[]) {
  const received: Delivered[] = [];
  const queue = statuses.length === 0 ? [200] : statuses;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const signature = request.headers['x-webhook-signature-512'];
      received.push({ body: Buffer.concat(chunks), signature: typeof signature === 'string' ? signature : undefined });
      response.writeHead((queue.length > 1 ? queue.shift() : queue[0]) ?? 200).end();
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/hyperswitch` };
}
