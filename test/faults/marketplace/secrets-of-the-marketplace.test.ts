import { createHmac, randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HyperswitchSandbox, startHyperswitchSandbox } from '../../../sandbox/hyperswitch/start.js';
import type { StripeSandbox } from '../../../sandbox/stripe/start.js';
import type { OrderAnswer, PaymentAnswer, RefundAnswer } from '../../../src/domain/marketplace/marketplace-answer.js';
import { marketplaceWorkflowId } from '../../../src/domain/workflow-ids.js';
import { resolveSignal } from '../../../workflows/messages.js';
import { startFundedStripe } from '../../support/marketplace/funded-stripe.js';
import {
  BAD_GATEWAY,
  BROKEN,
  CUT,
  FORBIDDEN,
  KEY_REFUSED,
  LOGIN_PAGE,
  MOVED,
  REFUSED,
  RESET,
  type SecretEchoingProxy,
  SILENT,
  SLOW_DOWN,
  STRANGE,
  startSecretEchoingProxy,
} from '../../support/secret-echoing-proxy.js';
import { encodingsOf, findSecret, searchDatabase, searchTemporal } from '../../support/secret-search.js';
import { type Received, request } from '../../support/sessions/paying.js';
import { type CrashWorld, startCrashWorld } from '../../support/settlements/crash-world.js';
import { sql } from '../../support/settlements/ledger-comparison.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';

/**
 * Every secret of a marketplace goes its ways through payments, refunds, reversals, webhooks and decisions, while both
 * providers repeat all they know in every answer that has words. The end of this file looks for what was written down.
 */
const randomSecret = () => randomBytes(20).toString('hex');
const STRIPE_KEY = randomSecret();
const HYPERSWITCH_KEY = randomSecret();
const STRIPE_SIGNING = randomSecret();
const HYPERSWITCH_SIGNING = randomSecret();
const TOKENS = { service: randomSecret(), operator: randomSecret(), approver: randomSecret() };
const ENCRYPTION_KEY = randomBytes(32).toString('base64');
const KEPT_BY_US = [STRIPE_KEY, HYPERSWITCH_KEY, STRIPE_SIGNING, HYPERSWITCH_SIGNING, ...Object.values(TOKENS)];

const LIMIT = { limitMs: 120_000, everyMs: 100 };
/** A call that is never answered is given up after twenty seconds. */
const LONG = 300_000;

let temporal: DevServer;
let stripe: StripeSandbox;
let hyperswitch: HyperswitchSandbox;
let atStripe: SecretEchoingProxy;
let atHyperswitch: SecretEchoingProxy;
let world: CrashWorld;
let connection: Connection;
/** Everything the server answered, except the one answer that is made for the buyer. */
const answers: string[] = [];
const forBuyers: string[] = [];

beforeAll(async () => {
  temporal = await startDevServer();
  stripe = await startFundedStripe();
  hyperswitch = await startHyperswitchSandbox({
    apiKey: `snd_${HYPERSWITCH_KEY}`,
    auto: { refund: { to: 'succeeded', afterMs: 0 } },
  });
  atStripe = await startSecretEchoingProxy(stripe.url);
  atHyperswitch = await startSecretEchoingProxy(hyperswitch.url, clientSecrets);
  world = await startCrashWorld({ temporalAddress: temporal.address, changes: settings() });
  hyperswitch.setWebhooks({ url: `${world.server.url}/webhooks/hyperswitch`, secret: HYPERSWITCH_SIGNING });
  stripe.setWebhookTarget({ url: `${world.server.url}/webhooks/stripe`, secrets: [`whsec_${STRIPE_SIGNING}`] });
  connection = await Connection.connect({ address: temporal.address });
}, LONG);
afterAll(async () => {
  await connection.close();
  await world.stop();
  for (const proxy of [atStripe, atHyperswitch]) proxy.close();
  await hyperswitch.close();
  await stripe.close();
  await temporal.dispose();
});

const settings = (): Record<string, string> => ({
  LOG_LEVEL: 'debug',
  CREDENTIAL_ENCRYPTION_KEY: `1:${ENCRYPTION_KEY}`,
  API_TOKENS: Object.entries(TOKENS)
    .map(([role, token]) => `the-${role}:${role}:${token}`)
    .join(','),
  STRIPE_SECRET_KEY: `sk_test_${STRIPE_KEY}`,
  STRIPE_API_BASE: atStripe.url,
  STRIPE_WEBHOOK_SECRET: `whsec_${STRIPE_SIGNING}`,
  HYPERSWITCH_BASE_URL: atHyperswitch.url,
  HYPERSWITCH_API_KEY: `snd_${HYPERSWITCH_KEY}`,
  HYPERSWITCH_WEBHOOK_SECRET: HYPERSWITCH_SIGNING,
  REVERSAL_MAX_RETRIES: '100',
  REVERSAL_BACKOFF_BASE: '100ms',
  REVERSAL_BACKOFF_MAX: '200ms',
  REVERSAL_CHECK_INTERVAL: '2s',
  TRANSFER_RETRY_MAX: '100',
  TRANSFER_RETRY_BACKOFF_BASE: '100ms',
  TRANSFER_RETRY_BACKOFF_MAX: '200ms',
  TRANSFER_RETRY_INTERVAL: '2s',
});

const clientSecrets = (): string[] => hyperswitch.ledger().payments.map(({ clientSecret }) => clientSecret);
/** What comes before it is the payment's id, which is no secret. */
const tailsOfClientSecrets = () => clientSecrets().map((secret) => secret.replace(/^.*_secret_/, ''));

interface Ask {
  readonly as?: keyof typeof TOKENS;
  readonly body?: object | string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function call(path: string, { as = 'service', body, key, headers }: Ask = {}): Promise<Received> {
  const received = await request(world.server.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      Authorization: `Bearer ${TOKENS[as]}`,
      'Content-Type': 'application/json',
      ...(key !== undefined && { 'Idempotency-Key': key }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const said = JSON.stringify([received.status, Array.from(received.headers), received.body]);
  (path === '/api/v1/payments' && received.status !== 503 ? forBuyers : answers).push(said);
  return received;
}
// oxlint-disable-next-line typescript/no-explicit-any
const contentOf = ({ body }: Received): any => JSON.parse(body);

async function order(amount: number): Promise<string> {
  const items = [{ seller_account: `acct_1Seller${amount}`, amount, description: 'one lot' }];
  const made = await call('/api/v1/orders', { body: { currency: 'usd', items }, key: `order of ${amount}` });
  expect(made.status).toBe(201);
  return contentOf(made).id;
}

/** Sent again, as a client does, until somebody knows what became of it. */
const putBeforeBuyer = (id: string): Promise<PaymentAnswer & { client_secret: string | null }> =>
  until(
    `the payment of ${id} is before its buyer`,
    async () => {
      const answer = await call('/api/v1/payments', { body: { order_id: id }, key: `payment of ${id}` });
      if (answer.status === 503) return undefined;
      expect(answer.status).toBe(201);
      return contentOf(answer);
    },
    LIMIT,
  );

const paymentAtProvider = (id: string) => {
  const payment = hyperswitch.ledger().payments.find(({ metadata }) => metadata?.['order_id'] === id);
  if (!payment) throw new Error(`Hyperswitch has no payment of ${id}`);
  return payment;
};
const orderUntil = (what: string, id: string, holds: (order: OrderAnswer) => boolean) =>
  until(
    what,
    async () => {
      const now: OrderAnswer = contentOf(await call(`/api/v1/orders/${id}`));
      return holds(now) && now;
    },
    LIMIT,
  );
const isPaidOut = ({ transfers }: OrderAnswer) =>
  transfers.length > 0 && transfers.every(({ status }) => status === 'completed');
const isTakenBack = ({ reversals }: OrderAnswer) =>
  reversals.length > 0 && reversals.every(({ status }) => status === 'reversed');

async function soldAndPaid(amount: number): Promise<string> {
  const id = await order(amount);
  await putBeforeBuyer(id);
  await hyperswitch.movePayment(paymentAtProvider(id).id, { to: 'succeeded' });
  await orderUntil('its seller is paid', id, isPaidOut);
  return id;
}

const refund = async (id: string): Promise<RefundAnswer> => {
  const made = await call('/api/v1/refunds', {
    body: { order_id: id, reason: 'requested_by_customer' },
    key: `refund of ${id}`,
  });
  expect(made.status).toBe(202);
  return contentOf(made);
};
const sealedSecrets = (id: string) =>
  sql(world.databaseUrl, 'SELECT 1 FROM payments WHERE order_id = $1 AND sealed_client_secret IS NOT NULL', [id]);

it('orders whose every call goes wrong in one way or another: paid, sent, refunded and taken back in the end', {
  timeout: LONG,
}, async () => {
  const ids = await Promise.all([1_001, 1_002, 1_003, 1_004, 1_005, 1_006].map(order));
  const all = <T>(work: (id: string) => Promise<T>) => Promise.all(ids.map(work));
  atHyperswitch.say(/^POST \/payments$/, BROKEN, KEY_REFUSED, BAD_GATEWAY, CUT, STRANGE, MOVED, RESET, SLOW_DOWN);
  atHyperswitch.say(/^GET \/payments\//, BROKEN, KEY_REFUSED, CUT, FORBIDDEN, LOGIN_PAGE);
  await all(async (id) => {
    const { client_secret: secret } = await putBeforeBuyer(id);
    expect(secret).toBe(paymentAtProvider(id).clientSecret);
    expect(await sealedSecrets(id)).toHaveLength(1);
  });
  expect((await searchDatabase(world.databaseUrl, encodingsOf(tailsOfClientSecrets()))).findings).toEqual([]);

  atStripe.say(/^GET \/v1\/(account|balance)$/, BROKEN, LOGIN_PAGE, CUT);
  atStripe.say(/^POST \/v1\/transfers$/, BROKEN, KEY_REFUSED, BAD_GATEWAY, REFUSED, CUT, STRANGE, MOVED, RESET);
  atStripe.say(/^GET \/v1\/transfers$/, BROKEN, FORBIDDEN, CUT, STRANGE, SLOW_DOWN);
  await all((id) => hyperswitch.movePayment(paymentAtProvider(id).id, { to: 'succeeded' }) ?? Promise.reject(id));
  await all(async (id) => {
    await orderUntil('its seller is paid', id, isPaidOut);
    expect(await sealedSecrets(id)).toEqual([]);
    for (const key of [`payment of ${id}`, `once more for ${id}`]) {
      const again = await call('/api/v1/payments', { body: { order_id: id }, key });
      expect(contentOf(again)).toMatchObject({ id: expect.any(String), client_secret: null });
    }
  });

  atHyperswitch.say(/^POST \/refunds$/, BROKEN, KEY_REFUSED, CUT, STRANGE, SLOW_DOWN, RESET);
  atHyperswitch.say(/^GET \/refunds\//, BROKEN, FORBIDDEN, CUT, LOGIN_PAGE);
  atStripe.say(/^POST \/v1\/transfers\/.*\/reversals$/, BROKEN, KEY_REFUSED, SILENT, CUT, STRANGE, RESET, SLOW_DOWN);
  atStripe.say(/^GET \/v1\/transfers\//, BROKEN, FORBIDDEN, BAD_GATEWAY, CUT, MOVED);
  await all(refund);
  await all((id) => orderUntil('the share is back', id, isTakenBack));
  expect([atStripe.left(), atHyperswitch.left()]).toEqual([0, 0]);
});

it('a payment that Hyperswitch refuses, one that its buyer cannot make, and a refund that is refused', {
  timeout: LONG,
}, async () => {
  const refused = await order(2_001);
  atHyperswitch.say(/^POST \/payments$/, REFUSED);
  const answer = await call('/api/v1/payments', { body: { order_id: refused }, key: 'refused' });
  expect(contentOf(answer)).toMatchObject({ code: 'payment_closed' });

  const failed = await order(2_002);
  await putBeforeBuyer(failed);
  await hyperswitch.movePayment(paymentAtProvider(failed).id, { to: 'failed' });
  await orderUntil('it has failed', failed, ({ status }) => status === 'payment_failed');
  expect(await sealedSecrets(failed)).toEqual([]);

  const unrefunded = await soldAndPaid(2_003);
  atHyperswitch.say(/^POST \/refunds$/, REFUSED);
  expect((await refund(unrefunded)).status).toBe('failed');
});

it('a reversal that needs a person: decisions that Stripe cannot confirm, that it refutes, by API and by signal', {
  timeout: LONG,
}, async () => {
  const id = await soldAndPaid(3_001);
  atStripe.say(/^POST \/v1\/transfers\/.*\/reversals$/, REFUSED);
  await refund(id);
  const asked = await orderUntil('a person is asked', id, ({ reversals }) =>
    reversals.some(({ attention }) => attention !== null),
  );
  const reversal = asked.reversals[0]?.id ?? '';
  atStripe.say(/^GET \/v1\/transfers\//, BROKEN, KEY_REFUSED, CUT);
  const adopt = { action: 'adopt', note: 'seen', evidence: { stripe_reversal_id: 'trr_1NotThere' } };
  for (const status of [503, 503, 503, 422]) {
    const decided = await call(`/api/v1/reversals/${reversal}/resolve`, { as: 'operator', body: adopt });
    expect([decided.status, decided.body]).toEqual([status, expect.any(String)]);
  }
  const handle = new Client({ connection }).workflow.getHandle(marketplaceWorkflowId('reversal', reversal));
  atStripe.say(/^GET \/v1\/transfers\//, BROKEN);
  await handle.signal(resolveSignal, { ...adopt, by: 'olga' });
  await handle.signal(resolveSignal, { action: 'retry', by: 'olga', note: 'once more' });
  await orderUntil('the share is back', id, isTakenBack);
});

it('webhooks: signed, repeated, forged with what a thief might try, and secrets where they do not belong', async () => {
  const event = { event_id: 'evt_forged', event_type: 'payment_succeeded', content: { secret: clientSecrets()[0] } };
  const body = JSON.stringify(event);
  const signed = (secret: string) => createHmac('sha512', secret).update(body).digest('hex');
  for (const signature of [HYPERSWITCH_SIGNING, signed(HYPERSWITCH_KEY), '']) {
    const headers = { 'X-Webhook-Signature-512': signature };
    expect((await call('/webhooks/hyperswitch', { body, headers })).status).toBe(400);
  }
  const stripeHeaders = [`t=1,v1=${STRIPE_SIGNING}`, `whsec_${STRIPE_SIGNING}`, `t=${Date.now()},v1=${STRIPE_KEY}`];
  for (const signature of stripeHeaders)
    expect((await call('/webhooks/stripe', { body, headers: { 'Stripe-Signature': signature } })).status).toBe(400);
  const [known] = hyperswitch.webhooks();
  expect(await hyperswitch.redeliver(known?.eventId ?? '')).toBe(true);
  expect(stripe.redeliver()).toBeGreaterThan(0);

  const { service } = TOKENS;
  const items = [{ seller_account: service, amount: service, description: 'one lot' }];
  for (const [path, ask, status] of [
    ['/api/v1/orders', { body: { currency: service, items }, key: 'misplaced' }, 400],
    ['/api/v1/orders', { body: `{"currency":"${service}`, key: 'misplaced' }, 400],
    ['/api/v1/refunds', { body: { order_id: service, reason: 'r', amount: service }, key: 'misplaced' }, 400],
    [`/api/v1/orders/${service}`, {}, 404],
    [`/api/v1/${service}`, {}, 404],
    [`/api/v1/orders?status=${service}`, {}, 400],
    ['/api/v1/orders', { headers: { Authorization: `Basic ${service}` } }, 401],
    ['/api/v1/orders', { headers: { Authorization: `Bearer ${service}0` } }, 401],
  ] satisfies [string, Ask, number][]) {
    const answer = await call(path, ask);
    expect([path, answer.status]).toEqual([path, status]);
  }
});

it('stand nowhere afterwards: no row, no history, no log line of either process, no answer and no metric', {
  timeout: LONG,
}, async () => {
  for (const path of ['orders', 'transfers', 'reversals']) await call(`/api/v1/${path}?limit=200`);
  for (const path of ['/metrics', '/readyz', '/openapi.json']) await call(path, { as: 'operator' });
  const open = `SELECT id FROM payments WHERE status IN ('pending', 'processing')
    UNION ALL SELECT id FROM reversals WHERE status = 'pending' UNION ALL SELECT id FROM seller_transfers WHERE status = 'pending'
    UNION ALL SELECT id FROM refunds WHERE status = 'pending'`;
  await until('nothing is open', async () => (await sql(world.databaseUrl, open)).length === 0, LIMIT);
  expect(await sql(world.databaseUrl, 'SELECT 1 FROM payments WHERE sealed_client_secret IS NOT NULL')).toEqual([]);

  const buyers = tailsOfClientSecrets();
  expect(buyers).toHaveLength(9);
  // Half of a secret is a leak, too.
  const halves = KEPT_BY_US.flatMap((secret) => [secret.slice(0, 20), secret.slice(20)]);
  const forms = encodingsOf([...halves, ENCRYPTION_KEY.replace(/=+$/, ''), ...buyers]);

  const inDatabase = await searchDatabase(world.databaseUrl, forms);
  const inTemporal = await searchTemporal(new Client({ connection }), forms);
  const texts = { server: world.server.lines, worker: world.worker.lines, answers };
  const inTexts = Object.entries(texts).flatMap(([where, lines]) =>
    lines.flatMap((line) => findSecret(forms, where, line)),
  );
  expect([...inDatabase.findings, ...inTemporal.findings, ...inTexts]).toEqual([]);
  expect(inDatabase.rows).toBeGreaterThan(150);
  expect(inTemporal.workflows).toBeGreaterThan(12);
  expect(inTemporal.events).toBeGreaterThan(150);
  expect(world.server.lines.length).toBeGreaterThan(60);
  expect(world.worker.lines.length).toBeGreaterThan(20);
  expect(answers.length).toBeGreaterThan(50);
});

it('the buyer’s secret is in the answers made for the buyer, its own and no other, and nothing else is there', () => {
  const found = forBuyers.filter((answer) => findSecret(encodingsOf(tailsOfClientSecrets()), '', answer).length > 0);
  expect(found).toHaveLength(9);
  const forms = encodingsOf(KEPT_BY_US);
  expect(forBuyers.flatMap((answer) => findSecret(forms, 'answer for a buyer', answer))).toEqual([]);
});
