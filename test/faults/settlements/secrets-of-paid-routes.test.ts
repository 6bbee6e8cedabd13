import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PayerAccount, payerAccount, payerOnLedger } from '../../../sandbox/payer/account.js';
import type { PaymentCredential } from '../../../sandbox/payer/credential.js';
import { askFor, type PayOptions } from '../../../sandbox/payer/pay.js';
import { APPROVER_TOKEN, OPERATOR_TOKEN, SERVICE_TOKEN } from '../../support/processes/start-process.js';
import { encodingsOf, type Finding, findSecret, searchDatabase, searchTemporal } from '../../support/secret-search.js';
import { pay, type Received, request } from '../../support/sessions/paying.js';
import { type CrashWorld, startCrashWorld } from '../../support/settlements/crash-world.js';
import { ourRows, sql } from '../../support/settlements/ledger-comparison.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';

/** Every secret goes the ways of a paid request: served, refused, broken, misread; what the server says is all kept. */
const secrets: string[] = [];
const answers: Finding['around'][] = [];
let temporal: DevServer;
let world: CrashWorld;
let close: () => void;

type EchoingAnswer = (res: ServerResponse, body: string) => void;
/** What the auth server does with calls to a path, in this order; then it is the sandbox again. */
const queued = new Map<'/verify/' | '/settle/', EchoingAnswer[]>();

const json = (res: ServerResponse, status: number, value: object) =>
  void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
const BROKEN: EchoingAnswer = (res, body) =>
  void res.writeHead(500, { 'x-said': body.slice(0, 200) }).end(`failed at ${body}`);
const REFUSING: EchoingAnswer = (res, body) =>
  json(res, 400, { error: { code: 'invalid_credential', message: `no: ${body}` } });
const LOST: EchoingAnswer = (res, body) =>
  void res.writeHead(302, { location: `/login?credential=${encodeURIComponent(body)}` }).end();
const UNREADABLE: EchoingAnswer = (res, body) =>
  void res.writeHead(200, { 'content-type': 'application/json' }).end(`{"txHash":${body}`);
const INVALID: EchoingAnswer = (res, body) => json(res, 200, { valid: false, invalidReason: body });

/** The sandbox behind an auth server that repeats everything it was told as often as answers are queued. */
async function startEchoingAuthServer(target: string): Promise<string> {
  const server = createServer((req, res) => {
    const pieces: Buffer[] = [];
    req.on('data', (piece: Buffer) => pieces.push(piece));
    req.on('end', () => {
      const body = Buffer.concat(pieces);
      const path = (['/verify/', '/settle/'] as const).find((known) => req.url?.startsWith(known));
      const echo = path && queued.get(path)?.shift();
      if (echo) return echo(res, body.toString());
      fetch(target + req.url, { method: req.method, ...(body.length > 0 && { body }) }).then(
        async (answer) => res.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text()),
        () => res.destroy(),
      );
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  temporal = await startDevServer();
  world = await startCrashWorld({
    temporalAddress: temporal.address,
    authServerUrl: startEchoingAuthServer,
    changes: { LOG_LEVEL: 'debug' },
  });
}, 60_000);
afterAll(async () => {
  await world.stop();
  close();
  await temporal.dispose();
});

/** Kept, to be searched in the end. */
function keep(received: Received): Received {
  answers.push(JSON.stringify([received.status, Array.from(received.headers), received.body]));
  return received;
}

async function credentialOf(account: PayerAccount, options: Omit<PayOptions, 'account'>): Promise<PaymentCredential> {
  const asked = await askFor(`${world.server.url}/demo/fixed`, { ...options, account });
  const credential = 'credential' in asked ? asked.credential : expect.unreachable('nothing is to be paid for');
  const secret = /"(?:sourceAccountToken|signature)":"(?:0x)?([^"]+)"/.exec(JSON.stringify(credential.content))?.[1];
  secrets.push(secret ?? '');
  return credential;
}

const PROTOCOLS = ['atxp', 'x402', 'mpp'] as const;
const present = async (credential: PaymentCredential) => keep(await pay(`${world.server.url}/demo/fixed`, credential));
const api = async (token: string, path: string, body?: unknown) =>
  keep(
    await request(world.server.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    }),
  );

type OurRow = Awaited<ReturnType<typeof ourRows>>[number];
const untilRow = (what: string, status: string, isIt: (row: OurRow) => boolean) =>
  until(
    `${what} is ${status}`,
    async () => (await ourRows(world.databaseUrl)).find((row) => row.status === status && isIt(row)),
    { limitMs: 30_000 },
  );
const untilStatus = (account: PayerAccount, protocol: (typeof PROTOCOLS)[number], status: string) =>
  untilRow(`${account.name} ${protocol}`, status, ({ payer }) => payer === payerOnLedger(account, protocol));

/** A person gives the charge up; what was unclear before needs a second one. */
async function writeOff(id: string): Promise<void> {
  const asked = await api(OPERATOR_TOKEN, `/api/v1/settlements/${id}/resolve`, {
    action: 'write_off',
    note: 'given up',
  });
  if (asked.status === 200) return;
  const { decision_id } = JSON.parse(asked.body) as { decision_id: string };
  expect((await api(APPROVER_TOKEN, `/api/v1/decisions/${decision_id}/approve`, { note: 'agreed' })).status).toBe(200);
}

it.each(PROTOCOLS)('%s: served, broken at every settle, and collected in the end', async (protocol) => {
  const account = payerAccount(`served-${protocol}`);
  queued.set('/verify/', [BROKEN, UNREADABLE, LOST, REFUSING, INVALID]);
  const credential = await credentialOf(account, { protocol });
  for (const status of [503, 503, 503, 402, 402]) expect((await present(credential)).status).toBe(status);
  queued.set('/settle/', [BROKEN, UNREADABLE, LOST]);
  expect((await present(credential)).status).toBe(200);
  expect((await present(credential)).status).toBe(409);
  await untilStatus(account, protocol, 'settled');
  expect((await present(credential)).status).toBe(409);
});

it.each(PROTOCOLS)('%s: served, refused, and written off by two persons', async (protocol) => {
  const account = payerAccount(`refused-${protocol}`);
  const credential = await credentialOf(account, { protocol });
  queued.set('/settle/', [BROKEN, REFUSING]);
  expect((await present(credential)).status).toBe(200);
  const { id } = await untilStatus(account, protocol, 'needs_attention');
  await api(SERVICE_TOKEN, `/api/v1/settlements/${id}`);
  await writeOff(id);
  await untilStatus(account, protocol, 'written_off');
});

it('over the API: accepted, repeated, in conflict, undecodable, and in every place where it does not belong', async () => {
  const credential = await credentialOf(payerAccount('by-api'), { protocol: 'atxp' });
  const [token] = secrets.slice(-1);
  const body = {
    protocol: 'atxp',
    credential: credential.content,
    context: { options: [{ network: 'base', currency: 'USDC', address: `0x${'1'.repeat(40)}`, amount: '0.01' }] },
    spent: { amount: '3000', asset: 'USDC', decimals: 6 },
  };
  queued.set('/settle/', [BROKEN]);
  const sent: [unknown, number][] = [
    [body, 202],
    [body, 202],
    [{ ...body, spent: { ...body.spent, amount: '4000' } }, 409],
    [{ ...body, key: 'another' }, 409],
    [{ ...body, credential: `undecodable ${token}`, key: 'undecodable' }, 202],
    [{ ...body, unknown: token, protocol: token }, 400],
    [{ ...body, spent: token }, 400],
    [`{"credential": "${token}`, 400],
  ];
  for (const [value, status] of sent)
    expect((await api(SERVICE_TOKEN, '/api/v1/settlements', value)).status).toBe(status);
  expect((await api(token ?? '', '/api/v1/settlements')).status).toBe(401);
  keep(
    await pay(`${world.server.url}/demo/fixed`, { content: {}, headers: { 'X-ATXP-PAYMENT': `garbled {${token}` } }),
  );
  keep(await pay(`${world.server.url}/demo/fixed`, { content: {}, headers: { 'X-PAYMENT': `${token}` } }));
  keep(await pay(`${world.server.url}/demo/fixed`, { content: {}, headers: { Authorization: `Payment ${token}` } }));
  // What is posted was verified by whoever served it: here its payer has no name but the token's digest.
  const ofToken = `atxp:${createHash('sha256')
    .update(token ?? '')
    .digest('hex')}`;
  await untilRow('what was posted', 'settled', ({ payer }) => payer === ofToken);
  const undecodable = (await ourRows(world.databaseUrl)).find(({ status }) => status === 'needs_attention');
  await writeOff(undecodable?.id ?? '');
});

it('stands nowhere afterwards: no row, no history, no log line of either process, no answer and no metric', async () => {
  await world.finished(30_000);
  await api(SERVICE_TOKEN, '/api/v1/settlements?limit=200');
  await api(OPERATOR_TOKEN, '/metrics');
  await request(`${world.server.url}/readyz`).then(keep);
  expect(new Set(secrets).size).toBe(7);
  const forms = encodingsOf(secrets);
  expect(await sql(world.databaseUrl, 'SELECT 1 FROM settlements WHERE sealed IS NOT NULL')).toEqual([]);

  const inDatabase = await searchDatabase(world.databaseUrl, forms);
  expect(inDatabase.rows).toBeGreaterThan(60);
  expect(inDatabase.findings).toEqual([]);
  const connection = await Connection.connect({ address: temporal.address });
  const inTemporal = await searchTemporal(new Client({ connection }), forms);
  await connection.close();
  expect(inTemporal.workflows).toBeGreaterThan(7);
  expect(inTemporal.findings).toEqual([]);

  const search = (where: string, texts: readonly string[]) => texts.flatMap((text) => findSecret(forms, where, text));
  expect(world.server.lines.length).toBeGreaterThan(30);
  expect(search('server', world.server.lines)).toEqual([]);
  expect(search('worker', world.worker.lines)).toEqual([]);
  expect(answers.length).toBeGreaterThan(40);
  expect(search('answer', answers)).toEqual([]);
});

it('would have been found: the search sees a secret in an answer and in a log line', () => {
  const planted = randomBytes(20).toString('hex');
  expect(
    findSecret(encodingsOf([planted]), 'answer', JSON.stringify([200, [], `{"detail":"${planted}"}`])),
  ).toHaveLength(1);
});
