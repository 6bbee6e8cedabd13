import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/domain/clock.js';
import { newSettlementId, type SettlementId } from '../../../src/domain/ids.js';
import { settlementWorkflowId } from '../../../src/domain/workflow-ids.js';
import { createDatabase, type Database } from '../../../src/ledger/database.js';
import { createLedger, type Ledger } from '../../../src/ledger/ledger.js';
import { createSealer } from '../../../src/ledger/sealer.js';
import { resolveSignal } from '../../../workflows/messages.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { aSettlement } from '../../support/ledger-fixtures.js';
import { environmentFor, startProcess, type TestProcess } from '../../support/processes/start-process.js';
import { encodingsOf, findSecret, searchDatabase, searchTemporal } from '../../support/secret-search.js';
import { paidSettlement } from '../../support/settlements/settlement-world.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';

const TOKEN = `canary-${randomBytes(20).toString('hex')}`;
const LIMIT = { limitMs: 60_000, everyMs: 100 };
let temporal: DevServer;
let database: TestDatabase;
let pool: Database;
let ledger: Ledger;
let connection: Connection;
let client: Client;
let worker: TestProcess;
let echoing: ReturnType<typeof secretEchoingAuthServer>;
let ids: SettlementId[];
let forms: readonly string[];

/**
 * An auth server that says everything it hears, in every place where an answer has words: each settlement meets all of
 * these in turn.
 */
function secretEchoingAuthServer() {
  const heard = new Map<string, number>();
  const answers: ((res: ServerResponse, body: string, secret: string) => void)[] = [
    (res, body, secret) => res.writeHead(500, { 'x-trace': secret.slice(0, 60) }).end(`could not handle ${body}`),
    (res, body, secret) => json(res, 502, { error: { code: secret.slice(0, 60), message: `upstream said: ${body}` } }),
    (res, _body, secret) => res.writeHead(200, { 'content-type': 'application/json' }).end(`{"txHash": "${secret}`),
    (res, _body, secret) => json(res, 429, { error: { code: 'slow_down', message: `for ${secret}` } }),
    (res, body, secret) =>
      res.writeHead(404, { 'content-type': 'text/html' }).end(`<title>${secret}</title><p>${body}</p>`),
    (res, _body, secret) => res.writeHead(302, { location: `/login?token=${encodeURIComponent(secret)}` }).end(),
    (res, body, secret) =>
      json(res, 400, { error: { code: 'invalid_credential', message: `${secret} ${body}` }, detail: body }),
    (res, _body, secret) => json(res, 200, { txHash: secret, settledAmount: '3000', payer: secret, note: secret }),
  ];
  const server = createServer((req: IncomingMessage, res) => {
    let body = '';
    req.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    req.on('end', () => {
      const secret = secretIn(body);
      const nth = heard.get(secret) ?? 0;
      heard.set(secret, nth + 1);
      answers[Math.min(nth, answers.length - 1)]?.(res, body, secret);
    });
  });
  return { server, heard, answers };
}

const json = (res: ServerResponse, status: number, value: object): void =>
  void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
const secretIn = (body: string): string =>
  /"sourceAccountToken":"([^"]+)"/.exec(body)?.[1] ?? /"signature":"([^"]+)"/.exec(body)?.[1] ?? 'nothing';

beforeAll(async () => {
  [temporal, database] = await Promise.all([startDevServer(), createTestDatabase()]);
  const key = randomBytes(32);
  pool = createDatabase({ url: database.url });
  const sealer = createSealer([{ id: '1', key }]);
  ledger = createLedger({ database: pool, sealer, clock: systemClock, approvalThreshold: 10_000n });
  echoing = secretEchoingAuthServer();
  echoing.server.listen(0, '127.0.0.1');
  await once(echoing.server, 'listening');
  connection = await Connection.connect({ address: temporal.address });
  client = new Client({ connection });
  worker = await startProcess(
    'worker',
    environmentFor(
      {
        databaseUrl: database.url,
        temporalAddress: temporal.address,
        authServerUrl: `http://127.0.0.1:${(echoing.server.address() as AddressInfo).port}`,
      },
      { CREDENTIAL_ENCRYPTION_KEY: `1:${key.toString('base64')}`, LOG_LEVEL: 'debug' },
    ),
  );

  const undecodable = aSettlement({ body: null, undecodable: 'it carries no source token', credential: TOKEN });
  const settlements = [
    await paidSettlement('atxp', { token: TOKEN }),
    await paidSettlement('x402'),
    { ...undecodable, id: newSettlementId(Date.now()) },
  ];
  const signature = secretIn(settlements[1]?.body ?? '');
  forms = encodingsOf([TOKEN, signature, signature.slice(2)]);
  ids = settlements.map(({ id }) => id);
  for (const settlement of settlements) await ledger.createSettlement(settlement);
  // The sweep takes them up; nobody waits for its grace.
  await pool.query('UPDATE settlements SET next_check_at = clock_now()');
}, 60_000);
afterAll(async () => {
  worker?.kill('SIGKILL');
  await worker?.exited;
  await connection.close();
  await pool.close();
  echoing.server.closeAllConnections();
  echoing.server.close();
  await temporal.dispose();
  await database.drop();
});

const untilStatus = (id: SettlementId, status: string) =>
  until(`${id} is ${status}`, async () => (await ledger.findSettlement(id))?.status === status, LIMIT);
const resolve = (id: SettlementId, action: 'retry' | 'write_off') =>
  until(
    'somebody hears of the decision',
    () =>
      client.workflow
        .getHandle(settlementWorkflowId(id))
        .signal(resolveSignal, { action, by: 'ann', note: 'by hand' })
        .then(() => true),
    LIMIT,
  );

describe('a credential that the auth server repeats in every answer it can give', () => {
  it('stands nowhere but encrypted while it is needed', async () => {
    await Promise.all(ids.map((id) => untilStatus(id, 'needs_attention')));
    const sealed = await pool.query('SELECT 1 FROM settlements WHERE sealed IS NOT NULL');
    expect(sealed).toHaveLength(3);
    const { findings, rows } = await searchDatabase(database.url, forms);
    expect(rows).toBeGreaterThan(20);
    expect(findings).toEqual([]);
  });

  it('stands nowhere at all once all is decided: not in the database, not in Temporal, not in any log line', async () => {
    const [atxp, x402, undecodable] = ids;
    await resolve(atxp!, 'retry');
    await resolve(x402!, 'retry');
    await resolve(undecodable!, 'write_off');
    await Promise.all([
      untilStatus(atxp!, 'settled'),
      untilStatus(x402!, 'settled'),
      untilStatus(undecodable!, 'written_off'),
    ]);
    await until(
      'their workflows have ended',
      async () =>
        (await client.workflow.count(`ExecutionStatus = 'Running' AND WorkflowType = 'closeTimeSettlement'`)).count ===
        0,
      LIMIT,
    );
    // Every answer was given to each of the two that can be sent.
    expect(Array.from(echoing.heard.values())).toEqual([echoing.answers.length, echoing.answers.length]);
    expect(await pool.query('SELECT 1 FROM settlements WHERE sealed IS NOT NULL')).toEqual([]);

    const inDatabase = await searchDatabase(database.url, forms);
    expect(inDatabase.rows).toBeGreaterThan(40);
    expect(inDatabase.findings).toEqual([]);
    const inTemporal = await searchTemporal(client, forms);
    expect(inTemporal.workflows).toBeGreaterThan(3);
    expect(inTemporal.events).toBeGreaterThan(60);
    expect(inTemporal.findings).toEqual([]);
    expect(worker.lines.length).toBeGreaterThan(5);
    expect(worker.lines.flatMap((line) => findSecret(forms, 'log', line))).toEqual([]);
  });
});

describe('the search itself', () => {
  it.each([
    ['as it is', (secret: string) => `a ${secret} b`],
    ['in capitals', (secret: string) => secret.toUpperCase()],
    ['in hex, as bytes of a row', (secret: string) => `\\x00${Buffer.from(secret).toString('hex')}`],
    ['in base64, wherever it begins', (secret: string) => Buffer.from(`xy${secret}z`).toString('base64')],
    ['in base64url', (secret: string) => Buffer.from(`{"t":"${secret}"}`).toString('base64url')],
  ])('finds the secret %s', (_how, hidden) => {
    expect(findSecret(encodingsOf([TOKEN]), 'here', hidden(TOKEN)).length).toBeGreaterThan(0);
  });

  it('finds it in a database and in Temporal', async () => {
    const plant = `planted-${randomBytes(16).toString('hex')}`;
    await pool.query(
      `INSERT INTO operation_events (item_kind, item_id, kind, detail) VALUES ('provider', 'test', 'planted', $1)`,
      [JSON.stringify({ plant })],
    );
    expect((await searchDatabase(database.url, encodingsOf([plant]))).findings).toHaveLength(1);
    const inMemo = `memo-${plant}`;
    const inHistory = `history-${plant}`;
    await client.workflow.start('settlementSweep', {
      taskQueue: 'nobody',
      workflowId: 'planted',
      memo: { inMemo },
      args: [{ inHistory }] as never,
    });
    await until('it is listed', async () => (await client.workflow.count(`WorkflowId = 'planted'`)).count === 1, LIMIT);
    for (const planted of [inMemo, inHistory])
      expect((await searchTemporal(client, encodingsOf([planted]))).findings.length).toBeGreaterThan(0);
    await client.workflow.getHandle('planted').terminate();
  });
});
