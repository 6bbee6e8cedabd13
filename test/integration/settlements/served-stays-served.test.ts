import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { payerAccount } from '../../../sandbox/payer/account.js';
import type { PayOptions } from '../../../sandbox/payer/pay.js';
import { startRecordingProxy } from '../../support/recording-proxy.js';
import { credentialFor, pay, served, ticksIn } from '../../support/sessions/paying.js';
import { type CrashWorld, startCrashWorld } from '../../support/settlements/crash-world.js';
import { expectLedgersEqual, ourRows, sql } from '../../support/settlements/ledger-comparison.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';

/** The real server, worker, Postgres and Temporal; only the auth server is a stand-in, and it fails when it settles. */

let temporal: DevServer;
let world: CrashWorld;
let proxy: Awaited<ReturnType<typeof startRecordingProxy>>;

beforeAll(async () => {
  temporal = await startDevServer();
  world = await startCrashWorld({
    temporalAddress: temporal.address,
    authServerUrl: async (sandboxUrl) => {
      proxy = await startRecordingProxy(sandboxUrl);
      return proxy.url;
    },
  });
});
afterAll(async () => {
  await world.stop();
  proxy.close();
  await temporal.dispose();
});
/** Both processes go on; what they and the auth server did for an earlier test is gone. */
beforeEach(async () => {
  await sql(world.databaseUrl, 'TRUNCATE settlements CASCADE');
  await world.sandbox.reset();
  proxy.forget();
});

type Way = Omit<PayOptions, 'account'>;
const buy = async (path: string, way: Way, init?: RequestInit, onBytes?: (text: string) => void) => {
  const url = `${world.server.url}${path}`;
  return pay(url, await credentialFor(url, payerAccount(`buyer-${Math.random()}`), way), init, onBytes);
};
const rows = () => ourRows(world.databaseUrl);

const WAYS: readonly [what: string, path: string, way: Way, spent: string][] = [
  ['x402 exact, buffered', '/demo/fixed', { protocol: 'x402' }, '10000'],
  ['MPP charge, buffered', '/demo/fixed', { protocol: 'mpp' }, '10000'],
  ['ATXP, metered', '/demo/metered?n=3', { protocol: 'atxp' }, '3000'],
  ['x402 upto, metered', '/demo/metered?n=3', { protocol: 'x402' }, '3000'],
  ['ATXP, server-sent events', '/demo/stream?n=4', { protocol: 'atxp' }, '4000'],
];

describe('a served 200 stays 200 when the auth server fails at the close', () => {
  it.each(WAYS)('%s; and it is collected once when the auth server is well again', async (_what, path, way, spent) => {
    world.sandbox.setFaults([{ kinds: ['server_error', 'reset_after_commit'], times: 3 }]);
    expect(served(await buy(path, way))).toBe(true);
    await world.finished(20_000);
    expect(await rows()).toEqual([expect.objectContaining({ status: 'settled', spent, delivery: 'delivered' })]);
    const [row] = await rows();
    expect(row?.attempts).toBeGreaterThan(1);
    expectLedgersEqual(await rows(), world.sandbox);
  });

  it('a stream that its reader leaves is billed for what was charged by then', async () => {
    world.sandbox.setFaults([{ kinds: ['server_error'], times: 2 }]);
    const leaving = new AbortController();
    let text = '';
    const received = await buy('/demo/stream?n=9', { protocol: 'atxp' }, { signal: leaving.signal }, (piece) => {
      text += piece;
      if (text.split('event: tick').length > 2) leaving.abort();
    });
    expect(received.complete).toBe(false);
    await world.finished(20_000);
    const [row] = await rows();
    expect(row).toMatchObject({ status: 'settled', delivery: 'aborted' });
    expect(Number(row?.spent)).toBeGreaterThanOrEqual(ticksIn(received) * 1_000);
    expect(Number(row?.spent)).toBeLessThan(9_000);
    expectLedgersEqual(await rows(), world.sandbox);
  });

  it('a HEAD is never served: it gets the head of the 402, with a credential too, and nothing is billed', async () => {
    const received = await buy('/demo/fixed', { protocol: 'x402' }, { method: 'HEAD' });
    expect(received).toMatchObject({ status: 402, body: '', complete: true });
    expect(await rows()).toEqual([]);
    expect(world.sandbox.ledger().totals).toMatchObject({ debits: 0 });
  });
});

describe('what the auth server is asked', () => {
  it('is one settle, after the response, for exactly what was charged, in each protocol’s own words', async () => {
    await buy('/demo/metered?n=3', { protocol: 'atxp' });
    await buy('/demo/metered?n=3', { protocol: 'x402' });
    const servedAtMs = performance.now();
    await buy('/demo/fixed', { protocol: 'x402' });
    await world.finished(20_000);
    const [atxp, ...others] = proxy.settles().sort((a, b) => a.path.localeCompare(b.path));
    expect(proxy.settles()).toHaveLength(3);
    expect(atxp?.body.options).toEqual([expect.objectContaining({ amount: '0.003' })]);
    const upto = others.find((call) => 'settlementOverrides' in call.body);
    expect(upto?.body.settlementOverrides).toEqual({ amount: '3000' });
    const exact = others.find((call) => call !== upto);
    expect(exact?.body.paymentRequirements).toMatchObject({ scheme: 'exact', amount: '10000' });
    expect(exact?.body).not.toHaveProperty('settlementOverrides');
    expect(exact?.atMs).toBeGreaterThan(servedAtMs);
    expect(new Set(proxy.settles().map((call) => call.key)).size).toBe(3);
  });

  it('is nothing when nothing was charged', async () => {
    expect(served(await buy('/demo/metered?n=0', { protocol: 'atxp' }))).toBe(true);
    expect(served(await buy('/demo/stream?n=0', { protocol: 'x402' }))).toBe(true);
    await world.finished(20_000);
    expect((await rows()).map((row) => row.status)).toEqual(['released', 'released']);
    expect(proxy.settles()).toEqual([]);
  });

  it('is the close of an MPP session also at zero', async () => {
    expect(served(await buy('/demo/metered?n=0', { protocol: 'mpp' }))).toBe(true);
    await world.finished(20_000);
    expect(proxy.settles().map((call) => call.body.settlementOverrides)).toEqual([{ amount: '0' }]);
    expect(await rows()).toEqual([expect.objectContaining({ status: 'settled', spent: '0' })]);
  });
});
