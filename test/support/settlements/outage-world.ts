import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { expect } from 'vitest';
import { payerAccount, payerOnLedger } from '../../../sandbox/payer/account.js';
import type { PayOptions } from '../../../sandbox/payer/pay.js';
import { reservePort } from '../../../sandbox/stack/ports.js';
import { type RunningPostgres, startPostgres } from '../../../sandbox/stack/postgres.js';
import { migrate } from '../../../src/ledger/migrate.js';
import { temporaryPath, testGuard, testLog } from '../child-processes.js';
import { type FaultProxy, startFaultProxy } from '../fault-proxy.js';
import { credentialFor, pay, type Received, request, served } from '../sessions/paying.js';
import { type DevServer, startDevServer } from '../temporal.js';
import { until } from '../until.js';
import { type CrashWorld, startCrashWorld } from './crash-world.js';
import { expectLedgersEqual, type OurRow, ourRows } from './ledger-comparison.js';

/** Long enough that a busy machine does not let it lapse by itself. */
export const OUTAGE_LEASE_MS = 10_000;

/** One server, one worker, and between them and everything else a wire or a process that tests break. */
export interface OutageWorld extends CrashWorld {
  readonly temporal: DevServer;
  readonly toPostgres: FaultProxy;
  readonly toAuthServer: FaultProxy;
  killPostgres(): void;
  restartPostgres(): Promise<void>;
  /** Somebody new with a credential in hand; the same one is sent as often as he pays. */
  buyer(sold: Sold): Promise<Buyer>;
  buyers(count: number, sold: Sold): Promise<Buyer[]>;
  api(path: string, token: string): Promise<Received>;
  /** Whatever was broken is whole again; then nothing is lost and nothing is doubled. */
  healAndCompare(): Promise<void>;
  /** Of the test file; also ends Postgres and Temporal. */
  end(): Promise<void>;
}

export interface Sold {
  readonly path: string;
  readonly options: Omit<PayOptions, 'account'>;
}
export const FIXED: Sold = { path: '/demo/fixed', options: { protocol: 'x402' } };
export const METERED: Sold = { path: '/demo/metered?n=3', options: { protocol: 'atxp' } };
export const STREAM: Sold = { path: '/demo/stream?n=10', options: { protocol: 'mpp', intent: 'session' } };

export interface Buyer {
  readonly payer: string;
  pay(onBytes?: (text: string) => void): Promise<Received>;
  rows(): Promise<OurRow[]>;
  settled(): Promise<OurRow[]>;
}

export async function startOutageWorld(changes: Readonly<Record<string, string>> = {}): Promise<OutageWorld> {
  const [postgres, temporal] = await Promise.all([startOwnPostgres(), startDevServer()]);
  await migrate(postgres.url);
  const toPostgres = await startFaultProxy(postgres.url);
  const proxied = new URL(postgres.url);
  proxied.port = String(toPostgres.port);
  const proxies: FaultProxy[] = [toPostgres];
  const world = await startCrashWorld({
    temporalAddress: temporal.address,
    databaseUrl: postgres.url,
    authServerUrl: async (url) => {
      const proxy = await startFaultProxy(url);
      proxies.push(proxy);
      return `http://127.0.0.1:${proxy.port}`;
    },
    changes: { DATABASE_URL: proxied.href, TEST_LEASE_MS: String(OUTAGE_LEASE_MS), ...changes },
  });
  let payers = 0;
  const buyer = async ({ path, options }: Sold): Promise<Buyer> => {
    payers += 1;
    const account = payerAccount(`outage-${payers}`);
    const payer = payerOnLedger(account, options.protocol);
    const url = `${world.server.url}${path}`;
    const credential = await credentialFor(url, account, options);
    const rows = async () => (await ourRows(postgres.url)).filter((row) => row.payer === payer);
    return {
      payer,
      pay: (onBytes) => pay(url, credential, {}, onBytes),
      rows,
      settled: async () => (await rows()).filter(({ status }) => status === 'settled'),
    };
  };
  return Object.assign(world, {
    temporal,
    toPostgres,
    toAuthServer: proxies[1]!,
    killPostgres: () => postgres.kill(),
    restartPostgres: () => postgres.start(),
    buyer,
    buyers: (count: number, sold: Sold) => Promise.all(Array.from({ length: count }, () => buyer(sold))),
    api: (path: string, token: string) =>
      request(`${world.server.url}${path}`, { headers: { Authorization: `Bearer ${token}` } }),
    async healAndCompare() {
      world.sandbox.setFaults([]);
      if (postgres.isDown()) await postgres.start();
      for (const proxy of proxies) proxy.heal();
      await world.finished(60_000);
      expectLedgersEqual(await ourRows(postgres.url), world.sandbox);
    },
    async end() {
      await world.stop();
      for (const proxy of proxies) await proxy.close();
      await Promise.all([temporal.dispose(), postgres.dispose()]);
    },
  });
}

/** A Postgres that a test may kill and start again where it was, with everything that it had committed. */
async function startOwnPostgres() {
  const directory = temporaryPath('outages');
  const password = randomBytes(12).toString('hex');
  let port: number | undefined;
  let down = false;
  let running: RunningPostgres;
  async function start(): Promise<void> {
    const reserved = await reservePort(port);
    if (port !== undefined && reserved.port !== port) throw new Error(`port ${port} was taken while Postgres was down`);
    port = reserved.port;
    running = await startPostgres({
      directory,
      port: reserved,
      password,
      durable: true,
      environment: process.env,
      guard: await testGuard(),
      log: testLog,
    });
    down = false;
  }
  await start();
  return {
    url: running!.url,
    start,
    isDown: () => down,
    kill() {
      down = true;
      running.kill('SIGKILL');
    },
    async dispose() {
      await running.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A clear refusal: a problem document that says when to come back, and never a demand to pay anew. */
export function expectComeBack({ status, headers, body }: Received): void {
  expect({ status, type: headers.get('content-type')?.split(';')[0] }).toEqual({
    status: 503,
    type: 'application/problem+json',
  });
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(JSON.parse(body)).toMatchObject({ status: 503, code: expect.any(String), detail: expect.any(String) });
}

/** Tries again while it is told to come back, as the 503 asks; nothing else is an answer to an undecided payment. */
export async function payUntilServed(who: Buyer): Promise<void> {
  await until(
    'the payment is served',
    async () => {
      const received = await who.pay();
      if (received.status === 503) expectComeBack(received);
      return served(received);
    },
    { limitMs: 30_000, everyMs: 250 },
  );
}
