import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import { payerAccount } from '../../sandbox/payer/account.js';
import { atxpCredential } from '../../sandbox/payer/atxp.js';
import { askFor, type PayOptions, pay, withCredential } from '../../sandbox/payer/pay.js';
import { reservePort } from '../../sandbox/stack/ports.js';
import { startTempoSandbox, type TempoSandbox } from '../../sandbox/tempo/start.js';
import { createMemoryChannelStore, createSessionFetch } from '../../src/client.js';
import { readConfig } from '../../src/config/config.js';
import type { SettlementId } from '../../src/domain/ids.js';
import { createAuthServer } from '../../src/providers/auth-server/client.js';
import { type PaidSessionOptions } from '../../src/sessions/index.js';
import { type RefusalCode, refusal } from '../../src/sessions/refusals.js';
import { startNginx } from '../interop/support/nginx.js';
import { CHAIN_SETTINGS, channelIn, receiptOf } from '../support/channels/channel-shop.js';
import { chainClient, newAccount } from '../support/channels/tempo-chain.js';
import { createTestDatabase } from '../support/database.js';
import { readDocument, rowsIn } from '../support/documents.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { openTestLedger, type TestLedger, testKey } from '../support/ledger-fixtures.js';
import { type PageFolder, pageFolder, snippetsIn } from '../support/page-programs.js';
import { isPassedOverWithout } from '../support/programs.js';
import { settleOnce } from '../support/settlements/settling.js';
import { type DevServer, startDevServer } from '../support/temporal.js';
import { until } from '../support/until.js';
import { ask } from '../unit/sessions/support/ask.js';

/** Everything that docs/paid-routes.md has a reader type in is run here as it stands there. */

const PAGE = readDocument('docs/paid-routes.md');
const SNIPPETS = snippetsIn(PAGE);
const OUR_ACCOUNT = '0x209693Bc6afc0C5328bA36FaF03C514EF312287C';
const EURC = '0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42';
const POLYGON = 'eip155:137';
/** How a payment of x402 begins in its header, in base64. */
const PAID = btoa('{"x402Version"').slice(0, 16);
const SERVICE_TOKEN = 'token-of-a-service-of-the-page';

let folder: PageFolder;
let store: TestLedger;
let sandbox: AuthServerSandbox;
let chain: TempoSandbox;
let temporal: DevServer;
let at: ReadonlyMap<string, string>;

const shell = (code: string) => ['--norc', '-euo', 'pipefail', '-c', code];
const snippet = (name: string) => SNIPPETS.get(name) ?? '';
const settings = { PATH: process.env['PATH'], HOME: process.env['HOME'], LOG_LEVEL: 'warn' };

beforeAll(async () => {
  const programs = [...SNIPPETS].map(([name, code]) => [name === 'ts 1' ? 'report.ts' : name, code] as const);
  const filledIn = programs.map(([name, code]) => [name, code.replace("'0x…'", `'${OUR_ACCOUNT}'`)] as const);
  [folder, store, sandbox, chain, temporal] = await Promise.all([
    pageFolder(new Map(filledIn.filter(([name]) => name.endsWith('.ts')))),
    openTestLedger(),
    startAuthServerSandbox({ checkSignatures: true }),
    startTempoSandbox(),
    startDevServer(),
  ]);
  const served = filledIn.filter(([name, code]) => code.includes('listen(') && name !== 'report.ts');
  copyFileSync(join(folder.path, 'report.js'), join(folder.path, 'express-4/report.js'));
  at = await folder.serve([...served.map(([name]) => name), 'express-4/report.ts'], {
    ...settings,
    DATABASE_URL: store.url,
    CREDENTIAL_ENCRYPTION_KEY: `1:${testKey().key.toString('base64')}`,
    AUTH_SERVER_URL: sandbox.url,
    SETTLEMENT_HTTP_TIMEOUT: '2s',
    MPP_SECRET_KEY: 'a secret of the page, of 32 characters or more',
    TEMPO_RPC_URL: chain.url,
    TEMPO_CHAIN_ID: String(CHAIN_SETTINGS.chainId),
    TEMPO_CURRENCY: CHAIN_SETTINGS.currency,
    TEMPO_PAYEE_KEY: CHAIN_SETTINGS.payeeKey,
    // Nobody collects: a test does, when it wants to know what that moves.
    TEMPORAL_ADDRESS: '127.0.0.1:1',
  });
  await buyAsTold(`${url('billed.ts')}/gift`);
}, 120_000);
afterAll(async () => {
  await folder?.dispose();
  await bare?.dispose();
  await Promise.all([sandbox, chain].map((one) => one?.close()));
  await Promise.all([store, temporal].map((one) => one?.dispose()));
});

const url = (program: string) => at.get(program) ?? '';
const buyer = () => payerAccount(`reads the page ${crypto.randomUUID()}`);
const buy = (to: string, options: Partial<PayOptions> = {}) =>
  pay(to, { protocol: 'x402', account: buyer(), ...options });

/** A server offers before its ledger has answered it for the first time: who paid comes back with that payment, as the 503 says. */
async function buyAsTold(to: string, options: Partial<PayOptions> = {}): Promise<Response> {
  const asked = await until(`${to} sells`, () => offered(to, options), { limitMs: 20_000 });
  const answerTo = async () => {
    const answer = await fetch(to, withCredential(asked.credential));
    return answer.status !== 503 && answer;
  };
  return until(`${to} serves who paid`, answerTo, { limitMs: 20_000 });
}
async function offered(to: string, options: Partial<PayOptions>) {
  const asked = await askFor(to, { protocol: 'x402', account: buyer(), ...options });
  return 'credential' in asked && asked;
}

/** What an answer costs its buyer, once it is collected; undefined: nothing, its session was released. */
async function costOf(id: string | null): Promise<string | undefined> {
  const row = await until('the charge is closed', async () => (await rowOf(id))?.status !== 'open' && rowOf(id), {
    limitMs: 5_000,
  });
  if (row.status === 'released') return undefined;
  const before = sandbox.ledger().debits.length;
  const authServer = createAuthServer({ baseUrl: sandbox.url, clock: store.clock });
  await settleOnce(store.ledger, [row.id], { authServer });
  const [debit, ...more] = sandbox.ledger().debits.slice(before);
  expect(more).toEqual([]);
  return debit?.amount;
}
async function rowOf(id: string | null) {
  const rows = await store.database.query<{ id: SettlementId; status: string }>(
    'SELECT id, status FROM settlements WHERE id = $1',
    [id],
  );
  return rows[0];
}
const idIn = (answer: Response) => answer.headers.get('settlement-id');
async function costs(answer: Response): Promise<readonly [status: number, cost: string | undefined]> {
  await answer.text();
  return [answer.status, await costOf(idIn(answer))];
}
const codeIn = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code];

/** A payment for this, and nothing sent with it yet. */
async function paymentFor(to: string, init: RequestInit = {}): Promise<RequestInit> {
  const asked = await askFor(to, { protocol: 'x402', account: buyer(), init });
  if (!('credential' in asked)) throw new Error(`${to} was given away`);
  return withCredential(asked.credential, init);
}

/** By fetch, for a server that speaks HTTP/2 alone. */
const fetchByHttp2: typeof fetch = async (input, init) => {
  const headers = Object.fromEntries(new Headers(init?.headers));
  const { url: to } = new Request(input);
  const answer = await ask(to, { http2: true, headers });
  const fields = Object.entries(answer.headers).filter(([name]) => !name.startsWith(':'));
  return new Response(new Uint8Array(answer.body), {
    status: answer.status,
    headers: fields.map(([name, value]): [string, string] => [name, String(value)]),
  });
};

/** A machine on which only the page has been followed. */
let bare: { readonly env: NodeJS.ProcessEnv; readonly sandbox: AuthServerSandbox; dispose(): Promise<void> };
async function settingsOfThePage(): Promise<void> {
  const [database, own] = await Promise.all([createTestDatabase('empty'), startAuthServerSandbox()]);
  const names = [...snippet('ini 1').matchAll(/^([A-Z_]+)=/gm)].map(([, name = '']) => name);
  const values: Readonly<Record<string, string>> = {
    DATABASE_URL: database.url,
    CREDENTIAL_ENCRYPTION_KEY: `k1:${Buffer.alloc(32, 5).toString('base64')}`,
    AUTH_SERVER_URL: own.url,
    TEMPORAL_ADDRESS: temporal.address,
    API_TOKENS: `billing:service:${SERVICE_TOKEN}`,
  };
  const env = { ...settings, ...Object.fromEntries(names.map((name) => [name, values[name]])) };
  bare = { env, sandbox: own, dispose: async () => void (await Promise.all([own.close(), database.drop()])) };
  readConfig(bare.env);
}
const debitsOfBare = () => bare.sandbox.ledger().debits.map(({ amount }) => amount);

/** By snippet, in the order of the page; the title says what a reader can rely on. */
const TRIED: Readonly<Record<string, () => Promise<void>>> = {
  'ini 1': settingsOfThePage,
  async 'sh 1'() {
    await folder.start('bash', shell(snippet('sh 1')), { ...bare.env, LOG_LEVEL: 'info' }, 'worker is ready');
  },
  async 'ts 1'() {
    const shop = await folder.serve(['report.ts'], bare.env);
    const report = `${shop.get('report.ts')}/report`;
    expect((await fetch(report)).status).not.toBe(200);
    for (const protocol of ['atxp', 'x402'] as const) {
      const answer = await buyAsTold(report, { protocol });
      expect([answer.status, await answer.json()]).toEqual([200, { report: '…' }]);
    }
    await expect.poll(debitsOfBare, { timeout: 20_000 }).toEqual(['10000', '10000']);
    // Word for word what the README has.
    expect(readDocument('README.md')).toContain(`\`\`\`ts\n${snippet('ts 1')}\`\`\``);
    const again = await buy(`${url('express-4/report.ts')}/report`, { protocol: 'atxp' });
    expect(await costs(again)).toEqual([200, '10000']);
  },
  async 'sh 2'() {
    await expect
      .poll(() => folder.run('bash', shell(snippet('sh 2')), bare.env), { timeout: 10_000 })
      .toMatch(/settled.*\n.*settled/);
  },
  async 'usdc.ts'() {
    const unfilled = readFileSync(join(folder.path, 'report.js'), 'utf8').replaceAll(OUR_ACCOUNT, '0x…');
    const started = folder.run(process.execPath, ['--input-type=module', '--eval', unfilled], bare.env);
    await expect(started).rejects.toThrow('payTo');
  },
  async 'billed.ts'() {
    const shop = url('billed.ts');
    const paper = await buy(`${shop}/papers/monday`);
    const etag = paper.headers.get('etag') ?? '';
    expect(await costs(paper)).toEqual([200, '10000']);
    expect(await costs(await buy(`${shop}/papers/tuesday`))).toEqual([404, undefined]);
    const fresh = { headers: { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' } };
    expect(await costs(await buy(`${shop}/papers/monday`, { init: fresh }))).toEqual([304, undefined]);
    expect(await costs(await buy(`${shop}/search`))).toEqual([404, '10000']);
    expect(await costs(await buy(`${shop}/gift`))).toEqual([200, undefined]);
    const paying = await paymentFor(`${shop}/papers/monday`);
    const head = await fetch(`${shop}/papers/monday`, { ...paying, method: 'HEAD' });
    expect([head.status, idIn(head)]).toEqual([402, null]);
    const leaving = new AbortController();
    const left = buy(`${shop}/slow`, { init: { signal: leaving.signal } });
    left.catch(() => undefined);
    const [row] = await until('the handler is at work', () => openOn('/slow'), { limitMs: 4_000 });
    leaving.abort();
    await expect(left).rejects.toThrow();
    expect(await costOf(row!.id)).toBeUndefined();
  },
  async 'metered.ts'() {
    const shop = url('metered.ts');
    const words = (count: number) => encodeURIComponent(Array(count).fill('word').join(' '));
    for (const protocol of ['atxp', 'x402'] as const) {
      const three = await buy(`${shop}/shout?text=${words(3)}`, { protocol });
      expect(await three.clone().json()).toEqual({ shouted: ['WORD', 'WORD', 'WORD'], spent: '3000' });
      expect(await costs(three)).toEqual([200, '3000']);
      const sixty = await buy(`${shop}/shout?text=${words(60)}`, { protocol });
      expect(((await sixty.clone().json()) as { shouted: string[] }).shouted).toHaveLength(50);
      expect(await costs(sixty)).toEqual([200, '50000']);
    }
  },
  async 'ticks.ts'() {
    const shop = url('ticks.ts');
    const whole = await buy(`${shop}/ticks?count=5`);
    expect(await whole.clone().text()).toBe([1, 2, 3, 4, 5].map((tick) => `data: ${tick}\n\n`).join(''));
    expect(await costs(whole)).toEqual([200, '5000']);
    const leaving = new AbortController();
    const stream = await buy(`${shop}/ticks`, { init: { signal: leaving.signal } });
    let had = '';
    for await (const piece of stream.body ?? []) {
      had += new TextDecoder().decode(piece as Uint8Array);
      if (had.includes('data: 3\n')) break;
    }
    leaving.abort();
    const cost = Number(await costOf(idIn(stream)));
    expect(cost).toBeGreaterThanOrEqual(1_000 * (had.split('data: ').length - 1));
    expect(cost).toBeLessThan(1_000_000);
  },
  async 'several.ts'() {
    const report = `${url('several.ts')}/report`;
    const ways: readonly [Partial<PayOptions>, string, string, string][] = [
      [{ protocol: 'atxp' }, 'USDC', 'eip155:8453', '10000'],
      [{}, 'USDC', 'eip155:8453', '10000'],
      [{ network: POLYGON }, 'USDC', POLYGON, '10000'],
      [{ asset: EURC }, 'EURC', 'eip155:8453', '9200'],
      [{ protocol: 'mpp' }, 'USDC', 'eip155:42431', '10000'],
    ];
    for (const [way, paidIn, on, amount] of ways) {
      const answer = await buy(report, way);
      expect(await answer.clone().json()).toEqual({ report: '…', paidIn, on });
      expect(await costs(answer)).toEqual([200, amount]);
    }
  },
  async 'channel.ts'() {
    const report = `${url('channel.ts')}/report`;
    const account = newAccount();
    const getClient = () => chainClient(chain.url, account);
    const pays = createSessionFetch({ account, getClient, maxDeposit: '5', channelStore: createMemoryChannelStore() });
    const answers = [await pays(report), await pays(report), await pays(report)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const { channelId } = receiptOf(answers[2]!);
    await expect.poll(async () => (await channelIn(store, channelId)).spent).toBe(30_000n);
    expect(await channelIn(store, channelId)).toMatchObject({ deposit: 1_000_000n });
    await pays.close(report);
    expect(await costs(await buy(report))).toEqual([200, '10000']);
  },
  async 'settle-first.ts'() {
    const shop = url('settle-first.ts');
    const before = sandbox.ledger().debits.length;
    const moved = () =>
      sandbox
        .ledger()
        .debits.slice(before)
        .map(({ amount }) => amount);
    const settled = await buy(`${shop}/report`);
    expect([settled.status, moved()]).toEqual([200, ['10000']]);
    expect(JSON.parse(atob(settled.headers.get('payment-response') ?? ''))).toMatchObject({ success: true });

    const refused = await paymentFor(`${shop}/report`);
    sandbox.setFaults([{ kinds: ['refused'] }]);
    expect(await codeIn(await fetch(`${shop}/report`, refused))).toEqual([402, 'payment_refused']);
    const paying = await paymentFor(`${shop}/report`);
    const unknown = () => fetch(`${shop}/report`, paying);
    sandbox.setFaults([{ kinds: ['reset_after_commit'] }]);
    const [first, second] = [await unknown(), await unknown()];
    expect([first.headers.has('retry-after'), await codeIn(first)]).toEqual([true, [503, 'payment_unknown']]);
    expect(await codeIn(second)).toEqual([503, 'payment_unknown']);
    sandbox.setFaults([]);
    expect(moved()).toEqual(['10000', '10000']);
    store.clock.advance(60_000);
    await costOf(idIn(first));
    expect((await unknown()).status).toBe(200);
    expect(await codeIn(await unknown())).toEqual([409, 'credential_already_used']);
    expect(moved()).toEqual(['10000', '10000']);
    expect(await codeIn(await buy(`${shop}/large`))).toEqual([500, 'response_too_large']);
    expect(moved()).toEqual(['10000', '10000']);
  },
  async 'credit.ts'() {
    const report = `${url('credit.ts')}/report`;
    const account = buyer();
    const owed = [await buy(report, { account }), await buy(report, { account }), await buy(report, { account })];
    expect(owed.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await codeIn(await buy(report, { account }))).toEqual([429, 'exposure_exceeded']);
    expect((await buy(report)).status).toBe(200);
    expect(await costs(owed[0]!)).toEqual([200, '10000']);
    expect((await buy(report, { account })).status).toBe(200);
    const wallet = account.wallet.address.toLowerCase();
    await sandbox.setBalance(wallet, 0n);
    expect(await costOf(idIn(owed[1]!))).toBeUndefined();
    await sandbox.setBalance(wallet, 1_000_000n);
    const refused = await buy(`${url('billed.ts')}/papers/monday`, { account });
    expect([refused.status, await refused.text()]).toEqual([402, expect.stringContaining('payer_uncollectable')]);
  },
  async 'lost.ts'() {
    const report = `${url('lost.ts')}/report`;
    const answer = await buy(report);
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(await costs(answer)).toEqual([200, '10000']);
  },
  async 'buyer.ts'() {
    const wire = await startFaultProxy(url('lost.ts'));
    try {
      wire.cutAnswerTo(PAID, { bytes: 300 });
      const key = `0x${'5d'.repeat(32)}` as const;
      const had = await folder.run(
        process.execPath,
        ['buyer.js', `http://127.0.0.1:${wire.port}/report`, key],
        settings,
      );
      expect(had).toMatch(/^200 \{"report":"what was sold/);
      wire.heal();
      const rows = await store.database.query<{ id: string }>('SELECT id FROM settlements WHERE payer = $1', [
        privateKeyToAccount(key).address.toLowerCase(),
      ]);
      expect(rows).toHaveLength(1);
      expect(await costOf(rows[0]!.id)).toBe('10000');
    } finally {
      await wire.close();
    }
  },
  async 'browsers.ts'() {
    const report = `${url('browsers.ts')}/report`;
    const page = { Origin: 'https://shop.example' };
    const preflight = await fetch(report, {
      method: 'OPTIONS',
      headers: {
        ...page,
        'Access-Control-Request-Method': 'GET',
        'Access-Control-Request-Headers': 'payment-signature',
      },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('PAYMENT-SIGNATURE');
    const answer = await buy(report, { init: { headers: page } });
    expect(answer.headers.get('access-control-expose-headers')).toContain('Settlement-Id');
    expect(await costs(answer)).toEqual([200, '10000']);
    const without = await fetch(`${url('channel.ts')}/report`, {
      method: 'OPTIONS',
      headers: { ...page, 'Access-Control-Request-Method': 'GET' },
    });
    expect([without.status, without.headers.has('access-control-allow-origin')]).toEqual([204, false]);
  },
  async 'node.ts'() {
    expect(await costs(await buy(`${url('node.ts')}/report`))).toEqual([200, '10000']);
    expect((await fetch(`${url('node.ts')}/other`)).status).toBe(404);
  },
  async 'http2.ts'() {
    expect(await costs(await buy(`${url('http2.ts')}/report`, { fetch: fetchByHttp2 }))).toEqual([200, '10000']);
  },
  async 'fastify.ts'() {
    expect(await costs(await buy(`${url('fastify.ts')}/report`))).toEqual([200, '10000']);
  },
  async 'sh 3'() {
    const reserved = await reservePort();
    await reserved.release();
    const PORT = String(reserved.port);
    await folder.start('npx', ['makegood', 'server'], { ...bare.env, PORT, LOG_LEVEL: 'info' }, `:${PORT}`);
    const { content } = atxpCredential({ account: buyer() });
    const env = {
      ...settings,
      MAKEGOOD: `http://127.0.0.1:${PORT}`,
      TOKEN: SERVICE_TOKEN,
      CREDENTIAL: JSON.stringify(JSON.stringify(content)),
      REQUEST: 'a payment request of the page',
      PAYEE: OUR_ACCOUNT,
    };
    const post = async () => JSON.parse(await folder.run('bash', shell(snippet('sh 3')), env));
    const first = await post();
    expect(first).toMatchObject({ protocol: 'atxp', spent: { amount: '3000' } });
    expect(await post()).toMatchObject({ id: first.id });
    await expect.poll(debitsOfBare, { timeout: 20_000 }).toEqual(['10000', '10000', '3000']);
  },
  async 'behind-nginx.ts'() {
    const shop = url('behind-nginx.ts');
    const seen = { headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'api.example.com' } };
    const sent = await paymentFor(`${shop}/report?tier=basic&day=1`, seen);
    const payment = atob(new Headers(sent.headers).get('payment-signature') ?? '');
    expect(payment).toContain('https://api.example.com/report?day=1&tier=basic');
    expect((await fetch(`${shop}/report?tier=premium&day=1`, sent)).status).toBe(402);
    const answer = await fetch(`${shop}/report?day=1&tier=basic`, sent);
    expect(answer.headers.get('cache-control')).toMatch(/^private/);
    expect(await costs(answer)).toEqual([200, '10000']);
  },
  async 'nginx 1'() {
    const { host } = new URL(url('behind-nginx.ts'));
    const nginx = await startNginx({ locations: snippet('nginx 1').replace('127.0.0.1:3000', host) });
    try {
      const answer = await ask(`${nginx.url}/report?tier=${'x'.repeat(3_000)}`);
      const required = JSON.parse(atob(String(answer.headers['payment-required'])));
      expect([answer.status, required.resource.url.startsWith(`${nginx.url}/report?tier=x`)]).toEqual([402, true]);
    } finally {
      await nginx.stop();
    }
  },
  async 'discovery.ts'() {
    const shop = url('discovery.ts');
    const read = async (path: string) => (await fetch(`${shop}${path}`)).text();
    expect(JSON.parse(await read('/openapi.json'))).toMatchObject({
      info: { title: 'Reports', version: '1.0.0' },
      paths: {
        '/report': {
          get: {
            summary: 'The report of today.',
            'x-payment-info': { offers: [{ protocol: 'x402', amount: '10000' }] },
          },
        },
      },
    });
    expect(await read('/llms.txt')).toContain('GET /report: The report of today.; x402 charge, 10000 atomic units');
    expect(JSON.parse(await read('/.well-known/x402'))).toEqual({ version: 1, resources: [`${shop}/report`] });
    expect(await catalogued(await fetch(`${shop}/report`))).toMatchObject({ input: { type: 'http', method: 'GET' } });
    expect(await costs(await buy(`${shop}/report`))).toEqual([200, '10000']);
  },
  async 'examples.ts'() {
    const hours = `${url('examples.ts')}/hours`;
    const place = { place: 'Vienna' };
    expect(await catalogued(await fetch(hours))).toEqual({
      input: { type: 'http', method: 'GET', queryParams: place },
      output: { type: 'json', example: { hours: [12.5] } },
    });
    const asked = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(place) };
    expect(await catalogued(await fetch(hours, asked))).toEqual({
      input: { type: 'http', method: 'POST', bodyType: 'json', body: place },
    });
    expect(await costs(await buy(`${hours}?place=Vienna`))).toEqual([200, '10000']);
    expect(await costs(await buy(hours, { init: asked }))).toEqual([200, '10000']);
  },
};

/** What a 402 says to catalogues. */
async function catalogued(answer: Response): Promise<unknown> {
  await answer.text();
  expect(answer.status).toBe(402);
  return JSON.parse(atob(answer.headers.get('payment-required') ?? '')).extensions.bazaar.info;
}

const openOn = async (route: string) => {
  const rows = await store.database.query<{ id: string }>(
    `SELECT id FROM settlements WHERE route = $1 AND status = 'open'`,
    [route],
  );
  return rows.length > 0 && rows;
};

for (const [name, expectWhatIsSaid] of Object.entries(TRIED)) {
  const isPassedOver = name === 'nginx 1' && isPassedOverWithout('nginx');
  it.skipIf(isPassedOver)(`${name} does what the page says`, () => expectWhatIsSaid());
}

it('nothing on the page is run by nobody', () => {
  expect(Object.keys(TRIED).sort()).toEqual([...SNIPPETS.keys()].sort());
});

it('every refusal is in the table, with its status and what it says of the money', () => {
  const codes = {
    payment_required: true,
    payment_refused: true,
    payment_unknown: true,
    payment_unavailable: true,
    credential_already_used: true,
    answer_under_way: true,
    payment_identifier_used: true,
    exposure_exceeded: true,
    too_many_released: true,
    voucher_refused: true,
    channel_gone: true,
    response_too_large: true,
    not_configured: true,
    internal_error: true,
  } as const satisfies Readonly<Record<RefusalCode, true>>;
  const expected = Object.keys(codes).map((code) => refusal(code as RefusalCode));
  const rows = rowsIn(PAGE).filter(
    ([, code]) => /^`\w+`$/.test(code ?? '') && Object.hasOwn(codes, code!.slice(1, -1)),
  );
  expect(rows.map(([status, code]) => `${status} ${code}`).sort()).toEqual(
    expected.map(({ status, code }) => `${status} \`${code}\``).sort(),
  );
  const later = expected.filter(({ status }) => status === 503 || status === 429);
  expect(later.filter(({ retryAfterSeconds }) => retryAfterSeconds === undefined)).toEqual([]);
});

it('every option is in the table', () => {
  const options = {
    price: true,
    cap: true,
    asset: true,
    decimals: true,
    payTo: true,
    network: true,
    protocols: true,
    identify: true,
    suggestedDeposit: true,
    currency: true,
    domain: true,
    settle: true,
    settleFirstBuffer: true,
    exposure: true,
    longest: true,
    streamed: true,
    replay: true,
    discoverable: true,
    name: true,
    description: true,
    mimeType: true,
  } as const satisfies Readonly<Record<keyof PaidSessionOptions, true>>;
  const [, table = ''] = /\n## Options\n(.*?)\n## /s.exec(PAGE) ?? [];
  const named = rowsIn(table).flatMap(([names = '']) => [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
  expect(named.sort()).toEqual(Object.keys(options).sort());
});
