import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { tempo as client, createChannelStore, Fetch } from 'mppx/client';
import { Mppx, tempo as server } from 'mppx/express';
import { Store } from 'mppx/server';
import { createClient, http, type PrivateKeyAccount } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { tempoModerato } from 'viem/chains';
import { SANDBOX_CHAIN_ID, SANDBOX_CURRENCY } from '../sandbox/tempo/defaults.js';
import { startTempoSandbox } from '../sandbox/tempo/start.js';
import { systemClock } from '../src/domain/clock.js';
import { createAtomicStore } from '../src/ledger/channels/atomic-store.js';
import { createDatabase } from '../src/ledger/database.js';
import { createLedger } from '../src/ledger/ledger.js';
import { migrate } from '../src/ledger/migrate.js';
import { createSealer } from '../src/ledger/sealer.js';
import { connectChannelVerifier } from '../src/providers/tempo/channel-server.js';
import { createPaidSessions } from '../src/sessions/index.js';
import { nowMs, percentile, type Round } from './measure.js';
import type { Place } from './place.js';

const PRICE = 10_000n;
const SECRET = 'a secret of the measurements, at least 32';
const quiet = () => undefined;

interface Shop {
  readonly app: Express;
  close(): Promise<void>;
}

/** A request that carries a voucher, through our ledger ÷ the same at npm mppx' own server with its memory store. */
export async function channelVouchers(place: Place, scale: number): Promise<Round> {
  const chain = await startTempoSandbox();
  const payeeKey = generatePrivateKey();
  const shops = [await ours(await place.newDatabase(), chain.url, payeeKey), stock(chain.url, payeeKey)];
  const listening = await Promise.all(shops.map(({ app }) => listen(app)));
  const payers = listening.map(({ url }) => payer(chain.url, url));
  for (let n = 0; n < 10 + 200 * scale; n += 1) for (const { pay } of payers) await pay();
  for (const [index, listener] of listening.entries()) {
    listener.stop();
    await shops[index]?.close();
  }
  await chain.close();
  const [our = [], theirs = []] = payers.map(({ tookMs }) => tookMs.slice(10));
  return {
    ratios: {
      p50: percentile(our, 0.5) / percentile(theirs, 0.5),
      p99: percentile(our, 0.99) / percentile(theirs, 0.99),
    },
    context: { 'ours p50 ms': percentile(our, 0.5), 'memory p50 ms': percentile(theirs, 0.5) },
  };
}

async function ours(databaseUrl: string, rpcUrl: string, payeeKey: string): Promise<Shop> {
  await migrate(databaseUrl);
  const database = createDatabase({ url: databaseUrl });
  const sealer = createSealer([{ id: '1', key: Buffer.alloc(32, 1) }]);
  const ledger = createLedger({ database, sealer, clock: systemClock, approvalThreshold: 0n });
  const settings = { rpcUrl, chainId: SANDBOX_CHAIN_ID, currency: SANDBOX_CURRENCY, payeeKey };
  const sessions = createPaidSessions({
    ledger,
    authServer: undefined,
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
    secrets: { mpp: SECRET, requestIds: 'another' },
    holder: 'bench',
    clock: systemClock,
    log: { warn: quiet, error: quiet },
    settleNow: () => Promise.resolve('unknown'),
    dispatch: quiet,
  });
  await sessions.start();
  const app = express();
  const paid = sessions.paidSession({
    price: PRICE,
    asset: SANDBOX_CURRENCY,
    decimals: 6,
    network: `eip155:${SANDBOX_CHAIN_ID}`,
    payTo: SANDBOX_CURRENCY,
    protocols: ['tempo'],
    suggestedDeposit: 1_000n * PRICE,
  });
  app.all('/paid', paid, (req, res) => {
    req.paymentSession?.charge(PRICE);
    res.json({ ok: true });
  });
  return {
    app,
    close: async () => {
      await sessions.stop();
      await database.close();
    },
  };
}

function stock(rpcUrl: string, payeeKey: string): Shop {
  const account = privateKeyToAccount(payeeKey as `0x${string}`);
  const mppx = Mppx.create({
    methods: [
      server.session({
        account,
        currency: SANDBOX_CURRENCY,
        decimals: 6,
        chainId: SANDBOX_CHAIN_ID,
        store: Store.memory(),
        getClient: () => chainClient(rpcUrl, account),
        suggestedDeposit: '10',
      }),
    ],
    realm: 'bench',
    secretKey: SECRET,
  });
  const app = express();
  app.all('/paid', mppx.session({ amount: '0.01', unitType: 'request' }), (_req, res) => void res.json({ ok: true }));
  return { app, close: () => Promise.resolve() };
}

/** The unmodified client; only its requests with a credential are timed, and the first of them opens the channel. */
function payer(rpcUrl: string, url: string) {
  const account = privateKeyToAccount(generatePrivateKey());
  const tookMs: number[] = [];
  const paid = Fetch.from({
    fetch: async (input, init) => {
      if (!new Headers(init?.headers).has('authorization')) return fetch(input, init);
      const startedMs = nowMs();
      const response = await fetch(input, init);
      tookMs.push(nowMs() - startedMs);
      return response;
    },
    methods: [
      client.session({
        account,
        getClient: () => chainClient(rpcUrl, account),
        maxDeposit: '100',
        channelStore: createChannelStore(),
      }),
    ],
  });
  return {
    tookMs,
    pay: async () => {
      const response = await paid(url);
      if (!response.ok) throw new Error(`a paid request was answered ${response.status}`);
      await response.text();
    },
  };
}

const chainClient = (rpcUrl: string, account: PrivateKeyAccount) =>
  createClient({ account, chain: tempoModerato, transport: http(rpcUrl), pollingInterval: 20 });

async function listen(app: Express): Promise<{ url: string; stop(): Server }> {
  const listening = createServer(app).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}/paid`,
    stop: () => {
      listening.closeAllConnections();
      return listening.close();
    },
  };
}
