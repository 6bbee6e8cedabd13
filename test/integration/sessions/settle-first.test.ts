import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import type { PaymentCredential } from '../../../sandbox/payer/credential.js';
import { answerOffers } from '../../../sandbox/payer/pay.js';
import { readConfig } from '../../../src/config/config.js';
import type { Answer } from '../../../src/domain/calls/answers.js';
import { systemClock } from '../../../src/domain/clock.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createPaidSessionRuntime, type PaidSessionRuntime } from '../../../src/programs/runtime.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { memoryLogger } from '../../support/settlements/settlement-world.js';
import { decideInLedger, settleOnce } from '../../support/settlements/settling.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';

/** Settled before anything is released, as the server itself does it, on a real ledger and beside an auth server with faults. */

let temporal: DevServer;
let database: TestDatabase;
let sandbox: AuthServerSandbox;
let runtime: PaidSessionRuntime;
let server: Server;
let url: string;
let bySessionUrl: string;
/** What the handler does besides serving. */
let during: (req: express.Request) => unknown;
let answered: number;

const account = payerAccount('first');
const wallet = account.wallet.address.toLowerCase();

async function serve(req: express.Request, res: express.Response): Promise<void> {
  req.paymentSession?.charge('10000');
  await during(req);
  answered += 1;
  res.json({ answer: answered });
}

beforeAll(async () => {
  temporal = await startDevServer();
}, 60_000);
afterAll(() => temporal.dispose());
beforeEach(async () => {
  [database, sandbox] = await Promise.all([createTestDatabase(), startAuthServerSandbox()]);
  const config = readConfig({
    DATABASE_URL: database.url,
    CREDENTIAL_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    API_TOKENS: 'billing:service:0123456789abcdef',
    // No worker listens there: what is dispatched stays in the ledger, and these tests settle it when they want to.
    TEMPORAL_ADDRESS: temporal.address,
    AUTH_SERVER_URL: sandbox.url,
    MPP_SECRET_KEY: randomBytes(32).toString('hex'),
    SETTLEMENT_HTTP_TIMEOUT: '2s',
  });
  runtime = createPaidSessionRuntime(config, { logger: memoryLogger() as never, tempo: undefined });
  await runtime.start();
  during = () => undefined;
  answered = 0;
  const paid = runtime.sessions.paidSession({
    price: '10000',
    settle: 'before-release',
    asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
    decimals: 6,
    network: 'eip155:84532',
    payTo: '0xde30000000000000000000000000000000000402',
    protocols: ['x402', 'atxp'],
  });
  const bySession = runtime.sessions.paidSession({
    cap: '10000',
    settle: 'before-release',
    asset: '0x20c0000000000000000000000000000000000001',
    decimals: 6,
    network: 'eip155:42431',
    payTo: '0xde30000000000000000000000000000000000402',
    protocols: ['mpp'],
  });
  const app = express();
  // Express passes a rejection on.
  app.all('/paid', paid, (req, res) => serve(req, res));
  app.all('/by-session', bySession, (req, res) => serve(req, res));
  app.use(((_error, _req, res, _next) => res.status(500).end()) as express.ErrorRequestHandler);
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/paid`;
  bySessionUrl = url.replace('/paid', '/by-session');
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await runtime.stop();
  await sandbox.close();
  await database.drop();
});

const credential = async (protocol: 'x402' | 'atxp' = 'x402'): Promise<PaymentCredential> =>
  answerOffers(await readOffers(await fetch(url)), { protocol, account });
interface Told {
  readonly status: number;
  readonly id: string | null;
  readonly retryAfter: string | null;
  readonly body: { readonly code?: string; readonly answer?: number; readonly error?: string };
}
async function send({ headers }: PaymentCredential, method = 'GET', to = url): Promise<Told> {
  const response = await fetch(to, { headers, method });
  const [id, retryAfter] = ['settlement-id', 'retry-after'].map((name) => response.headers.get(name));
  return {
    status: response.status,
    id: id ?? null,
    retryAfter: retryAfter ?? null,
    body: (await response.json()) as Told['body'],
  };
}

interface Row {
  readonly id: SettlementId;
  readonly status: string;
  readonly certainty: string;
  readonly reason: string | null;
  readonly answer: string | null;
  readonly delivery: string | null;
  readonly settled_amount: string | null;
}
async function row(): Promise<Row> {
  const rows = await runtime.database.query<Row & { [column: string]: unknown }>(
    `SELECT id, status, certainty, attention_reason AS reason, answer, delivery, settled_amount FROM settlements ORDER BY id`,
  );
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

/** One more attempt, as the workflow makes it. */
async function settle(answer?: Answer): Promise<void> {
  const authServer = answer
    ? { settle: () => Promise.resolve(answer) }
    : createAuthServer({ baseUrl: sandbox.url, clock: systemClock });
  await settleOnce(runtime.ledger, [(await row()).id], { authServer });
}
const decided = async (action: 'settled' | 'write_off') => decideInLedger(runtime.ledger, (await row()).id, action);
/** What the provider itself has put in question takes two. */
async function settledByTwo(): Promise<void> {
  const asked = await decided('settled');
  if (asked.kind !== 'pending_approval') throw new Error(`one person was enough: ${asked.kind}`);
  const { decisionId } = asked;
  const agreed = { decisionId, by: 'ben', note: 'looked it up too', verified: { kind: 'not_needed' } } as const;
  expect(await runtime.ledger.approve(agreed)).toMatchObject({ kind: 'applied' });
}

async function held(
  fault: Parameters<AuthServerSandbox['setFaults']>[0][number]['kinds'][number],
): Promise<[PaymentCredential, Told]> {
  sandbox.setFaults([{ kinds: [fault], times: 1 }]);
  const paying = await credential();
  const told = await send(paying);
  expect(told).toMatchObject({ status: 503, retryAfter: expect.any(String), body: { code: 'payment_unknown' } });
  expect(told.id).toBe((await row()).id);
  return [paying, told];
}

it('a payment that goes through is answered once, and a repeat is told of its charge', async () => {
  const paying = await credential();
  expect(await send(paying)).toMatchObject({ status: 200, body: { answer: 1 } });
  expect(await row()).toMatchObject({ status: 'settled', answer: 'given', settled_amount: '10000' });
  expect(await send(paying)).toMatchObject({
    status: 409,
    id: (await row()).id,
    body: { code: 'credential_already_used' },
  });
  expect([answered, sandbox.ledger().totals.debits]).toEqual([1, 1]);
});

describe('a refusal that proves that no money moved', () => {
  it('is a 402, leaves nothing owed, asks nobody and blocks nobody', async () => {
    const paying = await credential();
    during = () => sandbox.setBalance(wallet, 0n);
    expect(await send(paying)).toMatchObject({ status: 402, body: { code: 'payment_refused' } });
    expect(await row()).toMatchObject({ status: 'written_off', certainty: 'absent', reason: null });
    expect(await send(paying)).toMatchObject({ status: 402 });
    during = () => undefined;
    await sandbox.setBalance(wallet, 1_000_000n);
    expect((await send(await credential())).status).toBe(200);
    expect(sandbox.ledger().totals.debits).toBe(1);
  });

  it('is one also where it comes later, for a charge that had not been sent', async () => {
    await runtime.database.query(
      `INSERT INTO provider_breakers (provider, state, opened_at, probe_at, probe_every)
       VALUES ('auth-server:x402', 'open', clock_now(), clock_now() + interval '1 hour', interval '1 hour')`,
    );
    const paying = await credential();
    expect((await send(paying)).status).toBe(503);
    expect(await row()).toMatchObject({ status: 'pending', certainty: 'not_sent', answer: 'due' });
    await runtime.database.query(`DELETE FROM provider_breakers`);
    await sandbox.setBalance(wallet, 0n);
    await settle();
    expect(await row()).toMatchObject({ status: 'written_off', certainty: 'absent', reason: null });
    await sandbox.setBalance(wallet, 1_000_000n);
    expect(await send(paying)).toMatchObject({ status: 402 });
    expect(answered).toBe(1);
  });
});

describe('whatever is not decided is 503 with the id of its charge, and the same credential has the answer once', () => {
  it.each([
    'server_error',
    'server_error_after_commit',
    'reset_before_commit',
    'reset_after_commit',
    'hang_after_commit',
    'invalid_json',
    'http_401',
    'http_403',
    'html_200',
    'redirect',
    'rate_limited',
    'refused_unrecognised',
  ] as const)('%s', async (fault) => {
    const [paying, told] = await held(fault);
    expect(await send(paying)).toMatchObject({ status: 503, id: told.id, body: { code: 'payment_unknown' } });
    sandbox.setFaults([]);
    // A call that we stopped waiting for keeps its claim until it cannot be at work any more.
    await runtime.database.query('UPDATE settlements SET runner = NULL, runner_until = NULL');
    await settle();
    expect(await row()).toMatchObject({ status: 'settled', answer: 'due' });
    const repeats = await Promise.all(Array.from({ length: 8 }, () => send(paying)));
    const statuses = repeats.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.every((status) => [200, 409, 503].includes(status))).toBe(true);
    expect(await send(paying)).toMatchObject({ status: 409, id: told.id });
    expect(sandbox.ledger().totals).toMatchObject({ debits: 1, debited: '10000' });
    expect(answered).toBe(2);
  });

  it('while the auth server cannot even be asked to verify', async () => {
    const [paying, told] = await held('server_error');
    sandbox.setDown(true);
    expect(await send(paying)).toMatchObject({ status: 503, id: told.id, body: { code: 'payment_unknown' } });
  });

  it('when a refusal follows an attempt whose outcome is unknown', async () => {
    const [paying, told] = await held('server_error');
    await sandbox.setBalance(wallet, 0n);
    await settle();
    expect(await row()).toMatchObject({ status: 'needs_attention', certainty: 'unknown' });
    expect(await send(paying)).toMatchObject({ status: 503, id: told.id });
  });

  it('when somebody else settled it, until two persons have said that it was for us', async () => {
    const paying = await credential();
    during = async () => {
      const { content } = paying as { content: { accepted?: unknown } };
      const body = JSON.stringify({ payload: content, paymentRequirements: content.accepted });
      expect((await fetch(`${sandbox.url}/settle/x402`, { method: 'POST', body })).status).toBe(200);
    };
    const told = await send(paying);
    expect(told).toMatchObject({ status: 503, body: { code: 'payment_unknown' } });
    expect(await row()).toMatchObject({
      status: 'needs_attention',
      reason: 'settled_elsewhere_suspected',
      certainty: 'done',
    });
    expect(await send(paying)).toMatchObject({ status: 503, id: told.id });
    during = () => undefined;
    await settledByTwo();
    expect((await send(paying)).status).toBe(200);
    expect((await send(paying)).status).toBe(409);
  });
});

describe('an answer that is due', () => {
  async function due(): Promise<[PaymentCredential, Told]> {
    const made = await held('reset_after_commit');
    await settle();
    expect(await row()).toMatchObject({ status: 'settled', answer: 'due' });
    return made;
  }

  it('is had for the request that was paid for, and for no other', async () => {
    const [paying, told] = await due();
    expect(await send(paying, 'POST')).toMatchObject({ status: 409, id: told.id });
    expect(await send(paying, 'GET', `${url}?tier=premium`)).toMatchObject({ status: 409, id: told.id });
    const altered = {
      ...paying.content,
      payload: { ...(paying.content.payload as object), signature: `0x${'1b'.repeat(65)}` },
    };
    const header = { 'PAYMENT-SIGNATURE': Buffer.from(JSON.stringify(altered)).toString('base64') };
    expect(await send({ ...paying, headers: header })).toMatchObject({ status: 409, id: told.id });
    expect((await send(paying)).status).toBe(200);
  });

  it('is due again when the handler fails, and when it charges nothing', async () => {
    const [paying] = await due();
    during = () => Promise.reject(new Error('the handler fails'));
    expect(await fetch(url, { headers: paying.headers }).then(({ status }) => status)).toBe(500);
    during = (req) => req.paymentSession?.release();
    expect((await send(paying)).status).toBe(200);
    during = () => undefined;
    expect((await send(paying)).status).toBe(200);
    expect((await send(paying)).status).toBe(409);
    expect(await row()).toMatchObject({ answer: 'given' });
    expect(sandbox.ledger().totals.debits).toBe(1);
  });

  it('is due again when the server that was giving it died, after the time of its route', async () => {
    const [paying] = await due();
    const { id } = await row();
    expect(await runtime.ledger.takeAnswer(id, crypto.randomUUID(), 60_000, 60)).toMatchObject({ spent: '10000' });
    expect((await send(paying)).status).toBe(503);
    await runtime.database.query(`UPDATE settlements SET answer_until = clock_now() - interval '1 second'`);
    expect((await send(paying)).status).toBe(200);
  });

  it('that somebody else was given meanwhile is not given twice', async () => {
    await due();
    const { id } = await row();
    const [mine, theirs] = [crypto.randomUUID(), crypto.randomUUID()];
    await runtime.ledger.takeAnswer(id, mine, 0, 60);
    await runtime.database.query(`UPDATE settlements SET answer_until = clock_now() - interval '1 second'`);
    expect(await runtime.ledger.takeAnswer(id, theirs, 60_000, 60)).toMatchObject({ spent: '10000' });
    expect(await runtime.ledger.answerGiven(id, mine)).toBe(false);
    await runtime.ledger.answerNotGiven(id, mine);
    expect(await runtime.ledger.answerGiven(id, theirs)).toBe(true);
    expect(await runtime.ledger.answerGiven(id, theirs)).toBe(true);
    expect(await runtime.ledger.takeAnswer(id, mine, 60_000, 60)).toBeUndefined();
  });

  it('says when it was delivered', async () => {
    const [paying] = await due();
    await until('it is noted that nothing was delivered', async () => (await row()).delivery === 'aborted', {
      limitMs: 5_000,
    });
    expect((await send(paying)).status).toBe(200);
    await runtime.sessions.stop();
    expect((await row()).delivery).toBe('delivered');
  });
});

describe('a session that cost nothing and is closed for its deposit', () => {
  it.each([
    ['the handler fails', () => Promise.reject(new Error('the handler fails')), 500],
    ['the handler gives its charge up', (req: express.Request) => req.paymentSession?.release(), 200],
  ] as const)('has no answer due where %s: what was not paid for is not had later', async (_name, then, status) => {
    const offers = await readOffers(await fetch(bySessionUrl));
    const paying = await answerOffers(offers, { protocol: 'mpp', account });
    during = then;
    expect((await fetch(bySessionUrl, { headers: paying.headers })).status).toBe(status);
    const before = answered;
    during = () => undefined;
    await settle();
    expect(await row()).toMatchObject({ status: 'settled', answer: null });
    expect(await send(paying, 'GET', bySessionUrl)).toMatchObject({ status: 409, id: (await row()).id });
    expect(answered).toBe(before);
  });
});

describe('what the auth server says that it settled', () => {
  const done = (settledAmount?: string): Answer => ({
    kind: 'done',
    alreadySettled: false,
    txHash: '0x1',
    ...(settledAmount !== undefined && { settledAmount }),
  });

  it.each([
    ['nothing', undefined],
    ['the atomic amount', '10000'],
    ['the decimal amount', '0.01'],
    ['the decimal amount with zeros', '0.010'],
  ])('is what was asked for where it is %s', async (_name, said) => {
    await held('server_error');
    await settle(done(said));
    expect(await row()).toMatchObject({ status: 'settled', settled_amount: said ?? null });
  });

  it.each(['9999', '10001', '0', '0.0099', 'no amount that can be read'])(
    'is kept and asked about where it is %s, and then nobody is told that nothing was taken',
    async (said) => {
      const [paying, told] = await held('server_error');
      await settle(done(said));
      expect(await row()).toMatchObject({
        status: 'needs_attention',
        reason: 'conflict',
        certainty: 'done',
        settled_amount: said,
      });
      expect(await send(paying)).toMatchObject({ status: 503, id: told.id });
      await settledByTwo();
      expect((await send(paying)).status).toBe(200);
    },
  );
});

it('whose connection breaks while his payment is settled has the answer with the same credential, once: nothing of it left', async () => {
  sandbox.setFaults([{ kinds: ['slow'], times: 1, ms: 1_000 }]);
  const paying = await credential();
  const leaving = new AbortController();
  const first = fetch(url, { headers: paying.headers, signal: leaving.signal }).catch((error: unknown) =>
    String(error),
  );
  // Before his payment is on its way, nobody has to be paid when he leaves.
  const isSettling = () => sandbox.calls().totals.inProgress === 1;
  await until('his payment is being settled', isSettling, { limitMs: 5_000 });
  leaving.abort();
  expect(await first).toContain('Abort');
  const known = async () => {
    const { status, delivery } = await row();
    return status === 'settled' && delivery === 'aborted';
  };
  await until('the payment is settled, and that he left is told', known, { limitMs: 5_000 });
  expect(await row()).toMatchObject({ answer: 'due' });
  expect((await send(paying)).status).toBe(200);
  expect((await send(paying)).status).toBe(409);
});
