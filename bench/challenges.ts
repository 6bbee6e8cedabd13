import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { generatePrivateKey } from 'viem/accounts';
import { mountDemoRoutes } from '../sandbox/demo-routes.js';
import { SANDBOX_CHAIN_ID, SANDBOX_CURRENCY } from '../sandbox/tempo/defaults.js';
import { startTempoSandbox, type TempoSandbox } from '../sandbox/tempo/start.js';
import { systemClock } from '../src/domain/clock.js';
import { createAtomicStore } from '../src/ledger/channels/atomic-store.js';
import { createDatabase } from '../src/ledger/database.js';
import { createLedger } from '../src/ledger/ledger.js';
import { migrate } from '../src/ledger/migrate.js';
import { createSealer } from '../src/ledger/sealer.js';
import { createAuthServer } from '../src/providers/auth-server/client.js';
import { connectChannelVerifier } from '../src/providers/tempo/channel-server.js';
import { createPaidSessions } from '../src/sessions/index.js';
import { percentile, type Round, timed } from './measure.js';
import type { Place } from './place.js';

const ANSWERS_AFTER_MS = 3_000;
const DEMO = ['/demo/fixed', '/demo/metered', '/demo/stream', '/demo/channel'];
const ALL = ['/all', '/all/metered'];
/** Of a server that never heard how the auth server settles what is metered, the routes that have something else to offer. */
const WITHOUT_IT = ['/demo/fixed', '/demo/channel', ...ALL];
const quiet = () => undefined;

/** A 402 while the auth server takes three seconds for every answer ÷ while it is well. */
export async function challenges(place: Place, scale: number): Promise<Round> {
  const chain = await startTempoSandbox();
  const times = Math.ceil(600 * scale);
  const databaseUrl = await place.newDatabase();
  await migrate(databaseUrl);
  const shop = await openShop(databaseUrl, place.authServerUrl, chain);
  try {
    await challenged(shop.url, [...DEMO, ...ALL], 60);
    const well = await challenged(shop.url, [...DEMO, ...ALL], times);
    await place.setSlow(ANSWERS_AFTER_MS);
    const slow = await challenged(shop.url, [...DEMO, ...ALL], times);
    const fresh = await openShop(databaseUrl, place.authServerUrl, chain);
    const cold = await challenged(fresh.url, WITHOUT_IT, times);
    await fresh.close();
    return {
      ratios: { p50: percentile(slow.tookMs, 0.5) / percentile(well.tookMs, 0.5), p99: p99(slow) / p99(well) },
      context: {
        'well p99 ms': p99(well),
        'slow p99 ms': p99(slow),
        'slow worst ms': Math.max(...slow.tookMs),
        // Nothing there has to do with the auth server: so slow is the machine.
        'slow, channels alone, p99 ms': percentile(slow.channelsAloneMs, 0.99),
        'slow since start p99 ms': p99(cold),
        'slow since start worst ms': Math.max(...cold.tookMs),
        'well with ATXP': well.withAtxp,
        'slow with ATXP': slow.withAtxp,
      },
    };
  } finally {
    await place.setSlow(0);
    await shop.close();
    await chain.close();
  }
}

interface Challenged {
  readonly tookMs: readonly number[];
  readonly channelsAloneMs: readonly number[];
  /** Share of those on whose route ATXP is sold. */
  readonly withAtxp: number;
}

const p99 = ({ tookMs }: Challenged): number => percentile(tookMs, 0.99);

async function challenged(url: string, paths: readonly string[], times: number): Promise<Challenged> {
  const tookMs: number[] = [];
  const channelsAloneMs: number[] = [];
  let sold = 0;
  let offered = 0;
  for (let n = 0; n < times; n += 1) {
    const path = paths[n % paths.length] ?? '';
    const ms = await timed(async () => {
      const answer = await fetch(url + path);
      await answer.arrayBuffer();
      if (answer.status !== 402) throw new Error(`${path} answered ${answer.status}`);
      if (path === '/demo/channel') return;
      sold += 1;
      if (answer.headers.has('x-atxp-payment-request')) offered += 1;
    });
    tookMs.push(ms);
    if (path === '/demo/channel') channelsAloneMs.push(ms);
  }
  return { tookMs, channelsAloneMs, withAtxp: offered / sold };
}

async function openShop(databaseUrl: string, authServerUrl: string, chain: TempoSandbox) {
  const database = createDatabase({ url: databaseUrl });
  const sealer = createSealer([{ id: '1', key: Buffer.alloc(32, 1) }]);
  const ledger = createLedger({ database, sealer, clock: systemClock, approvalThreshold: 0n });
  const settings = {
    rpcUrl: chain.url,
    chainId: SANDBOX_CHAIN_ID,
    currency: SANDBOX_CURRENCY,
    payeeKey: generatePrivateKey(),
  };
  const sessions = createPaidSessions({
    ledger,
    authServer: createAuthServer({ baseUrl: authServerUrl, clock: systemClock }),
    authServerUrl,
    channels: {
      ledger: { ...ledger, atomicStore: createAtomicStore(database) },
      createVerifier: (issuer) => connectChannelVerifier(settings, issuer),
      onClosing: quiet,
    },
    settings: {
      credentialValidityMs: 3_600_000,
      minRetryWindowMs: 120_000,
      checkpointAmount: 10_000n,
      checkpointIntervalMs: 1_000,
    },
    secrets: { mpp: 'a secret of the measurements, at least 32', requestIds: 'another' },
    holder: 'bench',
    clock: systemClock,
    log: { warn: quiet, error: quiet },
    settleNow: () => Promise.resolve('unknown'),
    dispatch: quiet,
  });
  await sessions.start();
  const app = express();
  mountDemoRoutes(app, sessions.paidSession);
  const tempo = { network: `eip155:${SANDBOX_CHAIN_ID}`, asset: '0x20c0000000000000000000000000000000000001' };
  const usdc = {
    asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
    decimals: 6,
    network: 'eip155:84532',
    payTo: '0xde30000000000000000000000000000000000402',
    protocols: ['atxp', 'x402', { protocol: 'mpp', ...tempo }, 'tempo'],
  } as const;
  for (const [path, terms] of [
    ['/all', { price: 10_000n }],
    ['/all/metered', { cap: 10_000n }],
  ] as const) {
    app.all(path, sessions.paidSession({ ...usdc, ...terms }), (_req, res) => void res.end());
  }
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await sessions.stop();
      await database.close();
    },
  };
}
