import { createHmac, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type StackEndpoints, startStack } from '../../../sandbox/stack/stack.js';
import type { LedgerView as StripeBooks } from '../../../sandbox/stripe/control/ledger-view.js';
import type { OrderAnswer, RefundAnswer } from '../../../src/domain/marketplace/marketplace-answer.js';
import { createDatabase, type Database } from '../../../src/ledger/database.js';
import { temporaryPath, testLog } from '../child-processes.js';
import { until } from '../until.js';

/** The whole product as `npm start` runs it, every part a process of its own, seen only from outside. */
export interface MarketplaceStack {
  readonly at: StackEndpoints;
  /** Of the product, for what no route tells. */
  readonly database: Database;
  /** A POST of the API; without a key one of its own is sent, `null` sends none. */
  post(path: string, body: object, options?: PostOptions): Promise<Answer>;
  order(id: string): Promise<OrderAnswer>;
  /** Ordered and put before the buyer; nothing is paid. @param of items as the API takes them, or one for each seller */
  sell(of: Readonly<Record<string, number>> | readonly object[]): Promise<Sold>;
  /** Sold, paid, and every seller has the share. */
  sellPaid(of: Readonly<Record<string, number>> | readonly object[]): Promise<Sold>;
  refund(order: string, body?: object, key?: string): Promise<RefundAnswer>;
  /** Looks at the order until it holds. */
  orderUntil(what: string, id: string, holds: (order: OrderAnswer) => boolean): Promise<OrderAnswer>;
  /** A switch of the stand-in of Hyperswitch or Stripe, below /control/. @param change none: a GET */
  hyperswitch<T>(path: string, change?: Change): Promise<T>;
  stripe<T>(path: string, change?: Change): Promise<T>;
  books(): Promise<StripeBooks>;
  /** An event of Hyperswitch's that somebody sends us, signed with any secret. @returns the status of our answer */
  tellAsHyperswitch(event: object, secret: string): Promise<number>;
  stop(): Promise<void>;
}

export interface PostOptions {
  readonly key?: string | null;
  readonly as?: keyof StackEndpoints['tokens'];
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export interface Sold {
  readonly id: string;
  readonly hyperswitchPaymentId: string;
}

export type Change = readonly ['PUT' | 'POST' | 'DELETE', object?];

export interface HyperswitchBooks {
  readonly payments: readonly { readonly id: string; readonly metadata: { readonly order_id?: string } | null }[];
  readonly refunds: readonly { readonly id: string; readonly paymentId: string; readonly amount: number }[];
}

const PATIENCE = { limitMs: 30_000, everyMs: 100 };

/** @param settings on top of waits that make a test short */
export async function startMarketplaceStack(
  settings: Readonly<Record<string, string>> = {},
): Promise<MarketplaceStack> {
  const directory = temporaryPath('marketplace');
  const stack = await startStack({
    directory,
    environment: process.env,
    log: testLog,
    settings: {
      REVERSAL_BACKOFF_BASE: '200ms',
      REVERSAL_BACKOFF_MAX: '1s',
      REVERSAL_CHECK_INTERVAL: '1s',
      TRANSFER_RETRY_BACKOFF_BASE: '200ms',
      TRANSFER_RETRY_BACKOFF_MAX: '1s',
      // What pays sellers starts by itself; only reversals that a person has decided about wait for their sweep.
      TRANSFER_RETRY_INTERVAL: '10s',
      ...settings,
    },
  });
  const database = createDatabase({ url: stack.endpoints.database, maxConnections: 2 });
  return {
    ...outside(stack.endpoints),
    database,
    async stop() {
      await database.close();
      await stack.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function outside(at: StackEndpoints): Omit<MarketplaceStack, 'stop' | 'database'> {
  const { post, get } = apiOf(at);
  const hyperswitch = switchesOf(at.hyperswitch);
  const stripe = switchesOf(at.stripe);
  const order = async (id: string): Promise<OrderAnswer> => (await get(`orders/${id}`)).body;
  const orderUntil = (what: string, id: string, holds: (order: OrderAnswer) => boolean) =>
    until(what, async () => found(await order(id), holds), PATIENCE);
  const sell: MarketplaceStack['sell'] = async (of) => {
    const items = Array.isArray(of)
      ? of
      : Object.entries(of).map(([account, amount]) => ({ seller_account: account, amount, description: 'one lot' }));
    const { id } = expectStatus(201, await post('orders', { currency: 'usd', items }));
    expectStatus(201, await post('payments', { order_id: id }));
    const { payments } = await hyperswitch<HyperswitchBooks>('ledger');
    const payment = payments.find(({ metadata }) => metadata?.order_id === id);
    if (!payment) throw new Error(`Hyperswitch has no payment of order ${id}`);
    return { id, hyperswitchPaymentId: payment.id };
  };
  return {
    at,
    post,
    order,
    orderUntil,
    sell,
    hyperswitch,
    stripe,
    books: () => stripe('ledger'),
    async sellPaid(of) {
      const sold = await sell(of);
      await hyperswitch(`payments/${sold.hyperswitchPaymentId}`, ['PUT', { to: 'succeeded' }]);
      await orderUntil('every seller is paid', sold.id, isPaidOut);
      return sold;
    },
    refund: async (id, body = {}, key = randomUUID()) =>
      expectStatus(202, await post('refunds', { order_id: id, reason: 'requested_by_customer', ...body }, { key })),
    async tellAsHyperswitch(event, secret) {
      const body = JSON.stringify(event);
      const signature = createHmac('sha512', secret).update(body).digest('hex');
      const headers = { 'Content-Type': 'application/json', 'X-Webhook-Signature-512': signature };
      return (await fetch(`${at.server}/webhooks/hyperswitch`, { method: 'POST', headers, body })).status;
    },
  };
}

export const isPaidOut = ({ transfers }: OrderAnswer): boolean =>
  transfers.length > 0 && transfers.every(({ status }) => status === 'completed');
export const isTakenBack = ({ reversals }: OrderAnswer): boolean =>
  reversals.length > 0 && reversals.every(({ status }) => status === 'reversed');

const found = <T>(value: T, holds: (value: T) => boolean): T | undefined => (holds(value) ? value : undefined);

// oxlint-disable-next-line typescript/no-explicit-any
function expectStatus(wanted: number, { status, body }: Answer): any {
  if (status !== wanted) throw new Error(`answered ${status}, not ${wanted}: ${JSON.stringify(body)}`);
  return body;
}

function apiOf({ server, tokens }: StackEndpoints) {
  const ask = async (path: string, given: RequestInit, role: keyof StackEndpoints['tokens']): Promise<Answer> => {
    const headers = { ...(given.headers as Record<string, string>), Authorization: `Bearer ${tokens[role]}` };
    const answer = await fetch(`${server}/api/v1/${path}`, { ...given, headers });
    return { status: answer.status, body: await answer.json() };
  };
  return {
    get: (path: string) => ask(path, {}, 'viewer'),
    post: (path: string, body: object, { key = randomUUID(), as = 'service' }: PostOptions = {}) => {
      const headers = { 'Content-Type': 'application/json', ...(key === null ? {} : { 'Idempotency-Key': key }) };
      return ask(path, { method: 'POST', headers, body: JSON.stringify(body) }, as);
    },
  };
}

const switchesOf =
  (url: string) =>
  async <T>(path: string, [method, body]: Change | readonly ['GET', undefined?] = ['GET']): Promise<T> => {
    const answer = await fetch(`${url}/control/${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  };
