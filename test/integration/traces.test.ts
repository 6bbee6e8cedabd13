import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { createTestDatabase } from '../support/database.js';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.js';
import { type RunningCommand, startCommand } from '../support/processes/command.js';
import { environmentFor } from '../support/processes/start-process.js';
import { encodingsOf, findSecret } from '../support/secret-search.js';
import { startStandIns } from '../support/stand-ins.js';
import { type DevServer, startDevServer } from '../support/temporal.js';
import { until } from '../support/until.js';

/** Server and worker as an operator starts them, with a receiver of traces beside them. */

const secret = () => randomBytes(20).toString('hex');
const [TOKEN, STRIPE_KEY, ATXP_TOKEN] = [secret(), secret(), secret()];
const ENCRYPTION_KEY = randomBytes(32).toString('base64');
const PAYEE = '0x209693Bc6afc0C5328bA36FaF03C514EF312287C';
const LIMIT = { limitMs: 20_000, everyMs: 100 };

let temporal: DevServer;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let authServer: AuthServerSandbox;
let standIns: Awaited<ReturnType<typeof startStandIns>>;
let receiver: OtlpReceiver;
let server: RunningCommand;
let worker: RunningCommand;

beforeAll(async () => {
  [temporal, database, authServer, standIns, receiver] = await Promise.all([
    startDevServer(),
    createTestDatabase(),
    startAuthServerSandbox(),
    startStandIns({ nowMs: () => Date.now() }),
    startOtlpReceiver(),
  ]);
  const env = environmentFor(
    { databaseUrl: database.url, temporalAddress: temporal.address, authServerUrl: authServer.url },
    {
      API_TOKENS: `till:service:${TOKEN}`,
      CREDENTIAL_ENCRYPTION_KEY: `1:${ENCRYPTION_KEY}`,
      STRIPE_SECRET_KEY: `sk_test_${STRIPE_KEY}`,
      STRIPE_API_BASE: standIns.stripe.url,
      HYPERSWITCH_BASE_URL: standIns.hyperswitch.url,
      HYPERSWITCH_API_KEY: standIns.hyperswitch.apiKey,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      // Spans leave at once, and the test waits for none of them.
      OTEL_BSP_SCHEDULE_DELAY: '200',
    },
  );
  worker = await startCommand('worker', env);
  server = await startCommand('server', env);
}, 120_000);
afterAll(async () => {
  await server.stop();
  await worker.stop();
  await receiver.close();
  await standIns.close();
  await authServer.close();
  await database.drop();
  await temporal.dispose();
});

// oxlint-disable-next-line typescript/no-explicit-any
async function call(path: string, body?: object): Promise<any> {
  const response = await fetch(`${server.url}/api/v1/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      Authorization: `Bearer ${TOKEN}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': crypto.randomUUID(),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer;
}

/** From a span up to the root of its trace, as `service: name`; a parent that never came is `?`. */
function lineage(span: ReceivedSpan): string[] {
  const parent = receiver.spans.find(({ spanId, traceId }) => spanId === span.parentId && traceId === span.traceId);
  const above = span.parentId === '' ? [] : parent ? lineage(parent) : ['?'];
  return [...above, `${span.service.replace('makegood-', '')}: ${span.name}`];
}

/** Once such a span is there with everything above it. */
const arrived = (name: string, ofWorkflow: string): Promise<string[]> =>
  until(
    `${name} has arrived under ${ofWorkflow}`,
    () =>
      receiver.spans
        .filter((span) => span.name === name)
        .map(lineage)
        .find((line) => !line.includes('?') && line.some((step) => step.includes(ofWorkflow))),
    LIMIT,
  ).catch((error: unknown) => {
    throw new Error(
      `${String(error)}; there are:\n${receiver.spans.map((span) => lineage(span).join(' > ')).join('\n')}`,
    );
  });

describe('one trace', () => {
  it('runs from the request that posts a settlement to the call that collects it', async () => {
    await call('settlements', {
      protocol: 'atxp',
      credential: { sourceAccountId: 'acct_of_the_payer', sourceAccountToken: ATXP_TOKEN },
      context: { options: [{ network: 'base', currency: 'USDC', address: PAYEE, amount: '0.01' }] },
      spent: { amount: '1000', asset: 'USDC', decimals: 6 },
    });
    expect(await arrived('POST /settle/atxp', 'closeTimeSettlement')).toEqual([
      'server: POST /api/v1/settlements',
      'server: StartWorkflow:closeTimeSettlement',
      'worker: RunWorkflow:closeTimeSettlement',
      'worker: StartActivity:settleRows',
      'worker: RunActivity:settleRows',
      'worker: POST /settle/atxp',
    ]);
  });

  it("runs from the request that refunds a buyer to the call that takes the seller's share back", async () => {
    const order = await call('orders', {
      currency: 'usd',
      items: [{ seller_account: 'acct_1Ada', amount: 6000, description: 'a vase' }],
    });
    await call('payments', { order_id: order.id });
    await until(
      'the seller is paid',
      async () =>
        (await call(`orders/${order.id}`)).transfers.every(({ status }: { status: string }) => status === 'completed'),
      LIMIT,
    );
    await call('refunds', { order_id: order.id, reason: 'broken' });
    await until(
      'the share is back',
      async () => {
        const { reversals } = await call(`orders/${order.id}`);
        return reversals.length > 0 && reversals.every(({ status }: { status: string }) => status === 'reversed');
      },
      LIMIT,
    );
    const line = await arrived('POST /v1/transfers/{id}/reversals', 'refundReversal');
    expect(line).toEqual([
      'server: POST /api/v1/refunds',
      'server: SignalWithStartWorkflow:refundReversal',
      'worker: RunWorkflow:refundReversal',
      'worker: StartActivity:reverseTransfer',
      'worker: RunActivity:reverseTransfer',
      'worker: POST /v1/transfers/{id}/reversals',
    ]);
  });
});

it('holds no secret: not in an attribute, not in a name, not in what a query of Postgres or a request was', async () => {
  await fetch(`${server.url}/api/v1/settlements?limit=1&api_token=${TOKEN}`, {
    headers: { Authorization: `Bearer ${TOKEN}`, Cookie: `makegood_session=${TOKEN}` },
  });
  await fetch(`${server.url}/api/v1/${TOKEN}${TOKEN}`);
  await until(
    'both requests have arrived',
    () =>
      receiver.spans.some(({ attributes }) =>
        String(attributes['http.target'] ?? attributes['url.path']).includes('[…]'),
      ),
    LIMIT,
  );
  const secrets = [TOKEN, STRIPE_KEY, standIns.hyperswitch.apiKey, ATXP_TOKEN, ENCRYPTION_KEY];
  const forms = encodingsOf(secrets.map((one) => one.padEnd(16, '_')));
  expect(receiver.spans.length).toBeGreaterThan(50);
  expect(receiver.bodies.flatMap((body) => findSecret(forms, 'traces', body.toString('latin1')))).toEqual([]);
  // What is looked for would be found: ids stand there as they are.
  expect(receiver.bodies.some((body) => body.includes('temporalWorkflowId'))).toBe(true);
  const asked = receiver.spans.filter(({ name }) => name.startsWith('pg.query'));
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter(({ attributes }) => 'db.postgresql.values' in attributes)).toEqual([]);
});

it('leaves probes and scrapes out', async () => {
  await fetch(`${server.url}/healthz`);
  expect(receiver.spans.filter(({ name }) => name.includes('healthz'))).toEqual([]);
});

it('where it is off, nothing of it is loaded', async () => {
  const look = `
    import { createRequire } from 'node:module';
    await import('${projectRoot()}/dist/src/programs/main-server.js');
    await import('${projectRoot()}/dist/src/programs/main-worker.js');
    const { loadTraces } = await import('${projectRoot()}/dist/src/programs/traces.js');
    if ((await loadTraces({ traces: undefined }, 'x', console)) !== undefined) throw new Error('they are on');
    // prom-client loads the API, which does nothing by itself.
    const { _cache } = createRequire(import.meta.url)('node:module');
    console.log(Object.keys(_cache).length > 50, Object.keys(_cache).filter((file) => /@opentelemetry\\/(?!api\\/)|interceptors-opentelemetry/.test(file)).length);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', look], { env: {} });
  expect(stdout).toBe('true 0\n');
});
