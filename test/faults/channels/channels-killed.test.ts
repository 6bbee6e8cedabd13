import { generatePrivateKey } from 'viem/accounts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SANDBOX_CURRENCY } from '../../../sandbox/tempo/defaults.js';
import { startTempoSandbox, type TempoSandbox } from '../../../sandbox/tempo/start.js';
import { parseChannelId } from '../../../src/domain/channels/channel.js';
import { systemClock } from '../../../src/domain/clock.js';
import { createDatabase, type Database } from '../../../src/ledger/database.js';
import { createLedger, type Ledger } from '../../../src/ledger/ledger.js';
import { createSealer } from '../../../src/ledger/sealer.js';
import { type OpenedPayer, openPayer, paying } from '../../support/channels/channel-payer.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { testKey } from '../../support/ledger-fixtures.js';
import {
  type CrashOrder,
  environmentFor,
  fixedPort,
  startProcess,
  type TestProcess,
} from '../../support/processes/start-process.js';
import { until } from '../../support/until.js';

const PRICE = 10_000n;
let chain: TempoSandbox;
let database: TestDatabase;
let connection: Database;
let ledger: Ledger;
let env: NodeJS.ProcessEnv;
let server: TestProcess;
let url: string;

beforeAll(async () => {
  [chain, database] = await Promise.all([startTempoSandbox(), createTestDatabase()]);
  env = environmentFor(
    // Neither Temporal nor an auth server: a channel is paid from without either.
    { databaseUrl: database.url, temporalAddress: '127.0.0.1:1', authServerUrl: 'http://127.0.0.1:1' },
    {
      PORT: await fixedPort(),
      TEMPO_RPC_URL: chain.url,
      TEMPO_CHAIN_ID: String(chain.chainId),
      TEMPO_CURRENCY: SANDBOX_CURRENCY,
      TEMPO_PAYEE_KEY: generatePrivateKey(),
    },
  );
  connection = createDatabase({ url: database.url });
  ledger = createLedger({
    database: connection,
    sealer: createSealer([testKey()]),
    clock: systemClock,
    approvalThreshold: 0n,
  });
  server = await startProcess('server', env);
  url = `${server.url}/demo/channel`;
}, 60_000);
afterAll(async () => {
  server.kill('SIGKILL');
  await server.exited;
  await connection.close();
  await chain.close();
  await database.drop();
});

interface Death extends Pick<CrashOrder, 'call' | 'moment'> {
  /** Whether the charge is durable, and whether the same voucher may be presented again. */
  readonly charged: boolean;
  readonly again: 200 | 402;
}

/** What the sweep does with what the dead server has left; its lease ends after three seconds. */
async function swept(): Promise<void> {
  await until(
    'no reservation is left',
    async () => {
      await ledger.abandonedSessions(10);
      for (const request of await ledger.abandonedRequests(10)) await ledger.closeAbandonedRequest(request);
      const left = await connection.query(`SELECT 1 FROM channel_requests WHERE status = 'reserved'`);
      return left.length === 0;
    },
    { limitMs: 20_000, everyMs: 200 },
  );
}

const channelOf = async (payer: OpenedPayer) => {
  const id = parseChannelId(payer.channelId);
  return id && (await ledger.findChannel(id));
};

async function undelivered(payer: OpenedPayer): Promise<number> {
  const rows = await connection.query(`SELECT 1 FROM channel_requests WHERE channel_id = $1 AND delivery = 'unknown'`, [
    payer.channelId,
  ]);
  return rows.length;
}

it.each<Death>([
  { call: 'ledger.payFromChannel', moment: 'before', charged: false, again: 200 },
  { call: 'ledger.payFromChannel', moment: 'after', charged: false, again: 402 },
  { call: 'ledger.commitChannelRequests', moment: 'before', charged: false, again: 402 },
  { call: 'ledger.commitChannelRequests', moment: 'after', charged: true, again: 402 },
])(
  'a server that dies $moment $call leaves no reservation, serves nothing unpaid, and charges nothing twice',
  async ({ call, moment, charged, again }) => {
    const payer = await openPayer(chain.url, url);
    const credential = await payer.voucher(await payer.challenge(url), 2n * PRICE);
    // What became of the opening response is noted a moment after it; only the killed one is in doubt here.
    await until('its delivery is noted', async () => (await undelivered(payer)) === 0, { limitMs: 5_000 });
    await server.arm({ call, moment });
    await expect(paying(url, credential).then((response) => response.text())).rejects.toThrow();
    expect(await server.exited).toBe('SIGKILL');
    server = await startProcess('server', env);
    await swept();
    const earned = charged ? 2n * PRICE : PRICE;
    expect(await channelOf(payer)).toMatchObject({ earned, spent: earned });
    // Billed and perhaps not served: such a request says so.
    expect(await undelivered(payer)).toBe(charged ? 1 : 0);
    expect((await paying(url, credential)).status).toBe(again);
    expect((await payer.pay(url, 3n * PRICE)).status).toBe(200);
    const more = again === 200 ? 2n : 1n;
    expect(await channelOf(payer)).toMatchObject({ earned: earned + more * PRICE, spent: earned + more * PRICE });
  },
);
