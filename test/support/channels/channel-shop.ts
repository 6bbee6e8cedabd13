import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { onTestFinished } from 'vitest';
import { SANDBOX_CHAIN_ID, SANDBOX_CURRENCY } from '../../../sandbox/tempo/defaults.js';
import { startTempoSandbox } from '../../../sandbox/tempo/start.js';
import { type Channel, type ChannelId, parseChannelId } from '../../../src/domain/channels/channel.js';
import { createAtomicStore } from '../../../src/ledger/channels/atomic-store.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import { connectChannelVerifier } from '../../../src/providers/tempo/channel-server.js';
import { createPaidSessions, type PaidSessionOptions, type PaidSessions } from '../../../src/sessions/index.js';
import { openTestLedger, type TestLedger } from '../ledger-fixtures.js';

export const PRICE = 10_000n;
/** Test accounts 0 and 1 of every development chain. */
export const PAYEE_KEY = '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d';

export const CHAIN_SETTINGS = { chainId: SANDBOX_CHAIN_ID, currency: SANDBOX_CURRENCY, payeeKey: PAYEE_KEY };

export const SOLD: PaidSessionOptions<express.Request> = {
  price: PRICE,
  asset: SANDBOX_CURRENCY,
  decimals: 6,
  network: `eip155:${SANDBOX_CHAIN_ID}`,
  payTo: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  protocols: ['tempo'],
  suggestedDeposit: 1_000_000n,
  identify: (req) => req.get('x-client') ?? undefined,
};

export interface ChannelShop {
  readonly url: string;
  readonly sessions: PaidSessions;
  /** Channels that payers have closed, as the server heard of it. */
  readonly closing: Channel[];
  stop(): Promise<void>;
}

export interface ShopOptions {
  readonly chainUrl: string;
  readonly mount?: (app: express.Express, sessions: PaidSessions) => void;
  readonly leaseMs?: number;
  readonly authServerUrl?: string;
  readonly releasedLimit?: number;
  /** By default long enough that what the 402 offers does not depend on how busy the machine is. */
  readonly challengePatienceMs?: number;
}

/** A chain, a ledger and a shop that sells by channels of that chain, until the test ends. */
export async function openChannelShop(options: Omit<ShopOptions, 'chainUrl'> = {}) {
  const [chain, store] = await Promise.all([startTempoSandbox(), openTestLedger()]);
  const shop = await startChannelShop(store, { chainUrl: chain.url, ...options });
  onTestFinished(async () => {
    await shop.stop();
    await Promise.all([chain.close(), store.dispose()]);
  });
  return { chain, store, shop };
}

/** A shop that sells by payment channels: `/paid`, `/small` where no more than one price is deposited, and what else is mounted. */
export async function startChannelShop(store: TestLedger, options: ShopOptions): Promise<ChannelShop> {
  const closing: Channel[] = [];
  const settings = { ...CHAIN_SETTINGS, rpcUrl: options.chainUrl };
  const sessions = createPaidSessions({
    ledger: store.ledger,
    authServer:
      options.authServerUrl === undefined
        ? undefined
        : createAuthServer({ baseUrl: options.authServerUrl, clock: store.clock }),
    authServerUrl: options.authServerUrl,
    channels: {
      ledger: { ...store.ledger, atomicStore: createAtomicStore(store.database) },
      createVerifier: (issuer) => connectChannelVerifier(settings, issuer),
      onClosing: (channel) => closing.push(channel),
    },
    settings: {
      credentialValidityMs: 3_600_000,
      minRetryWindowMs: 120_000,
      checkpointAmount: 1_000n,
      checkpointIntervalMs: 1_000,
      challengePatienceMs: options.challengePatienceMs ?? 5_000,
      ...(options.leaseMs !== undefined && { leaseMs: options.leaseMs }),
      ...(options.releasedLimit !== undefined && { releasedLimit: options.releasedLimit }),
    },
    secrets: { mpp: 'a secret that all servers of a deployment share', requestIds: 'another one' },
    holder: 'test',
    clock: store.clock,
    log: { warn: () => undefined, error: () => undefined },
    settleNow: () => Promise.resolve('unknown'),
    dispatch: () => undefined,
  });
  await sessions.start();
  const app = express();
  app.all('/paid', sessions.paidSession(SOLD), (req, res) => {
    if (req.paymentSession?.charge(PRICE) !== true) return void res.status(402).end();
    res.json({ ok: true });
  });
  app.all('/small', sessions.paidSession({ ...SOLD, suggestedDeposit: PRICE }), (req, res) => {
    req.paymentSession?.charge(PRICE);
    res.json({ ok: true });
  });
  options.mount?.(app, sessions);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    closing,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await sessions.stop();
    },
  };
}

export interface SessionReceipt {
  readonly channelId: ChannelId;
  readonly acceptedCumulative: string;
  readonly spent: string;
  readonly units?: number;
  readonly txHash?: string;
}

/** @throws when the response has no receipt */
export function receiptOf(response: { readonly headers: Headers }): SessionReceipt {
  const header = response.headers.get('payment-receipt');
  if (header === null) throw new Error('the response has no Payment-Receipt');
  return JSON.parse(Buffer.from(header, 'base64url').toString()) as SessionReceipt;
}

export async function channelIn(store: TestLedger, id: string): Promise<Channel> {
  const channelId = parseChannelId(id);
  const channel = channelId && (await store.ledger.findChannel(channelId));
  if (!channel) throw new Error(`the ledger has no channel ${id}`);
  return channel;
}
