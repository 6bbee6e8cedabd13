import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Express, Request, Response } from 'express';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { answerOffers } from '../../../sandbox/payer/pay.js';
import { createDatabase, type Database } from '../../../src/ledger/database.js';
import { createLedger } from '../../../src/ledger/ledger.js';
import { createSealer } from '../../../src/ledger/sealer.js';
import type { PaidSessions } from '../../../src/sessions/index.js';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.js';
import { openTestLedger, type TestLedger, testKey } from '../../support/ledger-fixtures.js';
import { IN_USDC } from '../../support/sessions/offers.js';
import { type PaidServer, startPaidServer } from '../../support/sessions/paid-server.js';
import { until } from '../../support/until.js';

/** The matrix of test/unit/sessions, a smaller cut of it, on a Postgres that is really gone. */

const BODY = 'x'.repeat(3_000);
const FILE = join(mkdtempSync(join(tmpdir(), 'makegood-gate-')), 'sold.txt');
writeFileSync(FILE, BODY);

const FORMS: Readonly<Record<string, (res: Response) => unknown>> = {
  send: (res) => res.type('text').send(BODY),
  'write and end': (res) => {
    res.write(BODY);
    res.end();
  },
  pipe: (res) => Readable.from([BODY]).pipe(res),
  pipeline: (res) => pipeline(Readable.from([BODY]), res),
  sendFile: (res) => res.sendFile(FILE),
};
/** What one test serves by itself. */
const FORMS_OF_ONE: Record<string, (res: Response) => unknown> = {};
const ROUTES = { price: { price: '10000' }, cap: { cap: '100000' } } as const;
const OFFER = {
  ...IN_USDC,
  protocols: ['x402'],
} as const;
const PLACES = Object.keys(ROUTES).flatMap((route) => Object.keys(FORMS).map((form) => ({ route, form })));

let store: TestLedger;
let sandbox: AuthServerSandbox;
let proxy: FaultProxy;
let away: Database;
let server: PaidServer;
/** What happens in the handlers: before they charge, between charge and first byte. */
let meanwhile: { beforeCharge: () => unknown; beforeBytes: () => unknown };

beforeEach(async () => {
  [store, sandbox] = await Promise.all([openTestLedger(), startAuthServerSandbox()]);
  const direct = new URL(store.url);
  proxy = await startFaultProxy(`${direct.hostname}:${direct.port}`);
  const url = new URL(store.url);
  url.host = `127.0.0.1:${proxy.port}`;
  away = createDatabase({ url: url.href });
  const ledger = createLedger({
    database: away,
    sealer: createSealer([testKey()]),
    clock: store.clock,
    approvalThreshold: 10_000n,
  });
  meanwhile = { beforeCharge: () => undefined, beforeBytes: () => undefined };
  server = await startPaidServer({ ...store, ledger }, sandbox.url, mount);
});
afterEach(async () => {
  proxy.heal();
  await server.stop();
  await away.close();
  await Promise.all([proxy.close(), sandbox.close()]);
  await store.dispose();
});

function mount(app: Express, sessions: PaidSessions): void {
  for (const [name, sold] of Object.entries(ROUTES)) {
    app.get(`/${name}/:form`, sessions.paidSession({ ...OFFER, ...sold }), (req, res) => serve(req, res));
  }
}

async function serve(req: Request, res: Response): Promise<void> {
  await meanwhile.beforeCharge();
  req.paymentSession?.charge(10_000n);
  await meanwhile.beforeBytes();
  await (FORMS[String(req.params.form)] ?? FORMS_OF_ONE[String(req.params.form)])?.(res);
}

const credentials = () =>
  Promise.all(PLACES.map(({ route, form }, index) => credentialFor(route, form, `payer ${index}`)));

async function credentialFor(route: string, form: string, payer: string) {
  const url = `${server.url}/${route}/${encodeURIComponent(form)}`;
  const offers = await readOffers(await fetch(url));
  const account = payerAccount(payer);
  const { headers } = await answerOffers(offers, { protocol: 'x402', account, nowMs: store.clock.nowMs() });
  return { url, headers };
}

type Credential = Awaited<ReturnType<typeof credentialFor>>;

/** @returns its status and bytes; status 0 where nothing came at all */
async function buy({ url, headers }: Credential): Promise<string> {
  let bytes = 0;
  const answer = await fetch(url, { headers }).catch(() => undefined);
  try {
    for await (const piece of answer?.body ?? []) bytes += piece.length;
  } catch {
    // Cut off: what came counts.
  }
  return `${answer?.status ?? 0}, ${answer?.status === 200 ? bytes : 0} bytes`;
}

/** All of them at once. */
const buyAll = async () => told(await Promise.all((await credentials()).map(buy)));
const told = (answers: readonly string[]) =>
  PLACES.map(({ route, form }, index) => `${route}, ${form}: ${answers[index]}`);

const each = (what: string) => told(PLACES.map(() => what));
const rows = () =>
  store.database.query<{ status: string; spent: string }>('SELECT status, spent::text FROM settlements ORDER BY id');

/** All handlers have come this far, and then Postgres is gone. */
function lostOnceAllAreHere(): () => Promise<void> {
  let here = 0;
  let go: () => void = () => undefined;
  const all = new Promise<void>((resolve) => {
    go = resolve;
  });
  return () => {
    here += 1;
    if (here === PLACES.length) {
      proxy.refuse();
      go();
    }
    return all;
  };
}

test('with Postgres there, every form is served whole and billed', async () => {
  expect(await buyAll()).toEqual(each('200, 3000 bytes'));
  expect(await rows()).toEqual(PLACES.map(() => ({ status: 'pending', spent: '10000' })));
});

test('Postgres lost at the opening: nothing is served', async () => {
  const paid = await credentials();
  proxy.refuse();
  for (const { url, headers } of paid) expect((await fetch(url, { headers })).status).toBe(503);
  expect(await rows()).toEqual([]);
});

test('Postgres lost before the charge: not one byte leaves, however it is written, and nothing is billed', async () => {
  meanwhile.beforeCharge = lostOnceAllAreHere();
  expect(await buyAll()).toEqual(each('0, 0 bytes'));
  expect(await rows()).toEqual(PLACES.map(() => ({ status: 'open', spent: '0' })));
});

test('the answer of Postgres to the charge is lost: it is looked up, and the response is served and billed once', async () => {
  meanwhile.beforeBytes = () => proxy.cutAnswerTo('commit_one_session');
  const answers: string[] = [];
  // One after the other: charges that become durable in one commit share its answer.
  for (const credential of await credentials()) {
    answers.push(await buy(credential));
    proxy.heal();
  }
  expect(told(answers)).toEqual(each('200, 3000 bytes'));
  // Where a length is stated, its client has all of it once the charge is durable; the close follows.
  await until('every response is closed', async () => (await rows()).every(({ status }) => status !== 'open'), {
    limitMs: 5_000,
  });
  expect(await rows()).toEqual(PLACES.map(() => ({ status: 'pending', spent: '10000' })));
});

test('Postgres lost before the close of a stream: what left is durable, and its client sees that it is not whole', async () => {
  let more: () => unknown = () => undefined;
  FORMS_OF_ONE.stream = (res) => {
    res.write('paid for');
    more = () => res.end('never seen');
  };
  const { url, headers } = await credentialFor('cap', 'stream', 'alice');
  const answer = await fetch(url, { headers });
  const reader = answer.body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('paid for');
  proxy.refuse();
  more();
  await expect(reader?.read()).rejects.toThrow('terminated');
  expect(await rows()).toEqual([{ status: 'open', spent: '10000' }]);
});
