import { createHmac, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { mountDemoRoutes } from '../../../sandbox/demo-routes.js';
import { type Config, readConfig } from '../../../src/config/config.js';
import { createDatabase } from '../../../src/ledger/database.js';
import { LedgerNotReady } from '../../../src/ledger/ledger.js';
import type { Logger } from '../../../src/observability/logger.js';
import { type RunningServer, type ServerOptions, startServer } from '../../../src/programs/main-server.js';
import { createTestDatabase } from '../../support/database.js';
import { atxp } from '../../support/sessions/credentials.js';

const quiet = (): undefined => undefined;
const logger: Logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet } as never;
const TOKEN = '0123456789abcdef';

const configFor = (url: string, change: Record<string, string> = {}): Config =>
  readConfig({
    DATABASE_URL: url,
    CREDENTIAL_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    API_TOKENS: `billing:service:${TOKEN}`,
    PORT: '0',
    // Nothing listens there: Temporal is down from the start to the end of these tests.
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    AUTH_SERVER_URL: 'http://127.0.0.1:1',
    MPP_SECRET_KEY: randomBytes(32).toString('hex'),
    ...change,
  });

// oxlint-disable-next-line typescript/no-explicit-any
const jsonOf = async (response: Response): Promise<any> => response.json();

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(
  template: 'migrated' | 'empty' = 'migrated',
  { change, mount }: Pick<ServerOptions, 'mount'> & { readonly change?: Record<string, string> } = {},
) {
  const database = await createTestDatabase(template);
  cleanups.push(() => database.drop());
  const server = await startServer(configFor(database.url, change), { logger, mount });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= server.stop());
  cleanups.push(stop);
  return { ...server, stop } satisfies RunningServer;
}

const post = (url: string, token: string) =>
  fetch(`${url}/api/v1/settlements`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({
      protocol: 'atxp',
      credential: atxp(),
      context: {},
      spent: { amount: '1000', asset: 'USDC', decimals: 6 },
    }),
  });

describe('the server', () => {
  it('runs and takes settlements while Temporal is down, and says that it is degraded', async () => {
    const { url } = await start();
    const taken = await post(url, TOKEN);
    expect([taken.status, (await jsonOf(taken)).status]).toEqual([202, 'pending']);
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, (await jsonOf(ready)).components]).toEqual([
      200,
      {
        postgres: 'ok',
        schema: 'ok',
        temporal: 'degraded',
        paid_sessions: 'ok',
        auth_server: 'ok',
        stripe: 'not_configured',
        hyperswitch: 'not_configured',
        tempo: 'not_configured',
      },
    ]);
  });

  it('takes orders and events while Temporal and both providers are down, and promises no payment that it does not know', async () => {
    const secret = 'hs_hash_key';
    const change = {
      HYPERSWITCH_BASE_URL: 'http://127.0.0.1:1',
      HYPERSWITCH_API_KEY: 'snd_key_1',
      HYPERSWITCH_WEBHOOK_SECRET: secret,
      STRIPE_SECRET_KEY: 'sk_test_1',
      STRIPE_API_BASE: 'http://127.0.0.1:1',
    };
    const { url } = await start('migrated', { change });
    const send = (path: string, json: unknown) =>
      fetch(`${url}/api/v1/${path}`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Authorization: `Bearer ${TOKEN}`,
          'Idempotency-Key': randomBytes(8).toString('hex'),
        },
        body: JSON.stringify(json),
      });
    const items = [{ seller_account: 'acct_1A', amount: 1_000, description: 'a lamp' }];
    const order = await send('orders', { currency: 'usd', items });
    expect(order.status).toBe(201);
    const { id } = await jsonOf(order);
    const payment = await send('payments', { order_id: id });
    expect([payment.status, (await jsonOf(payment)).code]).toEqual([503, 'payment_unknown']);
    const kept = await jsonOf(
      await fetch(`${url}/api/v1/orders/${id}`, { headers: { Authorization: `Bearer ${TOKEN}` } }),
    );
    expect(kept.payment).toMatchObject({ order_id: id, status: 'pending' });

    const body = '{"event_id":"e","event_type":"payment_succeeded","content":{"object":{"payment_id":"pay_x"}}}';
    const signature = createHmac('sha512', secret).update(body).digest('hex');
    const deliver = (provider: string, headers: Record<string, string>) =>
      fetch(`${url}/webhooks/${provider}`, { method: 'POST', headers, body });
    const received = await deliver('hyperswitch', { 'X-Webhook-Signature-512': signature });
    expect([received.status, await jsonOf(received)]).toEqual([200, { received: true }]);
    expect((await deliver('hyperswitch', { 'X-Webhook-Signature-512': '00' })).status).toBe(400);
    // No secret is set for Stripe's.
    expect((await deliver('stripe', { 'Stripe-Signature': 't=1,v1=00' })).status).toBe(503);
  });

  it('is ready, and says so, while Stripe refuses the key', async () => {
    const database = await createTestDatabase();
    cleanups.push(() => database.drop());
    const config = configFor(database.url, { STRIPE_SECRET_KEY: 'sk_test_1' });
    const server = await startServer(config, { logger });
    cleanups.push(() => server.stop());
    const stripe = async () => (await jsonOf(await fetch(`${server.url}/readyz`))).components.stripe;
    expect(await stripe()).toBe('ok');
    const ledger = createDatabase({ url: database.url });
    cleanups.push(() => ledger.close());
    await ledger.query(`SELECT park_provider('stripe:acct_a', 'revoked')`);
    expect(await stripe()).toBe('ok');
    await ledger.query(`SELECT park_provider('stripe', '401')`);
    expect(await stripe()).toBe('degraded');
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  it('refuses to start on an old schema, and names makegood migrate', async () => {
    await expect(start('empty')).rejects.toThrow(LedgerNotReady);
    await expect(start('empty')).rejects.toThrow(/makegood migrate/);
  });

  it('sells nothing but what is mounted', async () => {
    const [with_, without] = [await start('migrated', { mount: mountDemoRoutes }), await start()];
    expect((await fetch(`${without.url}/demo/fixed`)).status).toBe(404);
    expect((await fetch(`${with_.url}/demo/fixed`)).status).not.toBe(404);
  });

  it('lets the pages of everybody buy what is mounted for that, and call the API of nobody', async () => {
    const { url } = await start('migrated', { mount: mountDemoRoutes });
    const preflight = { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'GET' };
    const allowed = async (path: string) => {
      const { headers } = await fetch(url + path, { method: 'OPTIONS', headers: preflight });
      return headers.get('access-control-allow-origin');
    };
    expect([await allowed('/demo/channel'), await allowed('/api/v1/settlements')]).toEqual(['*', null]);
  });

  it('stops at once when nothing is under way, and takes no connection afterwards', async () => {
    const server = await start();
    await (await fetch(`${server.url}/healthz`)).text();
    const startedMs = performance.now();
    await server.stop();
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  });

  it('ends what tells of changes when it is told to stop, and waits for none of it', async () => {
    const server = await start();
    const headers = { Authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`${server.url}/api/v1/events`, { headers });
    expect(answer.status).toBe(200);
    const heard = answer.text();
    const startedMs = performance.now();
    await server.stop();
    expect(await heard).toMatch(/^retry: \d+\n\n/);
    // What is under way for other reasons is waited for thirty seconds.
    expect(performance.now() - startedMs).toBeLessThan(15_000);
  });

  it('serves the console, and says how its pages are made where there are none', async () => {
    const { url } = await start();
    const page = await fetch(`${url}/console/settlements`);
    expect([page.status, await page.text()]).toEqual([503, expect.stringContaining('npm run build')]);
    expect((await fetch(`${url}/console/session`)).status).toBe(401);
  });

  it('finishes a request that is under way when it is told to stop', async () => {
    const server = await start();
    const { port } = new URL(server.url);
    const body = JSON.stringify({
      protocol: 'atxp',
      credential: atxp(),
      context: {},
      spent: { amount: '1000', asset: 'USDC', decimals: 6 },
    });
    const socket = connect(Number(port), '127.0.0.1');
    const answered = text(socket);
    socket.write(
      `POST /api/v1/settlements HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 20)}`,
    );
    // A second request is answered only after the first was seen: from here on it is under way.
    await (await fetch(`${server.url}/healthz`)).text();
    const stopping = server.stop();
    socket.write(body.slice(20));
    await stopping;
    expect(await answered).toMatch(/^HTTP\/1.1 202 /);
  });
});
