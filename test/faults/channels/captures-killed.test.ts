import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SANDBOX_CURRENCY } from '../../../sandbox/tempo/defaults.js';
import { startTempoSandbox, type TempoSandbox } from '../../../sandbox/tempo/start.js';
import { readConfig } from '../../../src/config/config.js';
import { systemClock } from '../../../src/domain/clock.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createDatabase, type Database } from '../../../src/ledger/database.js';
import { createLedger, type Ledger } from '../../../src/ledger/ledger.js';
import { createSealer } from '../../../src/ledger/sealer.js';
import { createSettlementOrchestration } from '../../../src/orchestration/settlements.js';
import { createTemporalClient, type TemporalClient } from '../../../src/orchestration/temporal-client.js';
import { captureOf, storeChannel } from '../../support/channels/channel-rows.js';
import {
  type ChainClient,
  chainClient,
  newAccount,
  openChannel,
  signVoucher,
} from '../../support/channels/tempo-chain.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import {
  type CrashOrder,
  environmentFor,
  startProcess,
  type TestProcess,
} from '../../support/processes/start-process.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';
import { sampleOf } from '../../support/whole-or-sample.js';

const PAYEE_KEY = generatePrivateKey();
const TIMINGS = { backoffBaseMs: 100, backoffMaxMs: 1_000, httpTimeoutMs: 2_000 };

let temporal: DevServer;
let database: TestDatabase;
let connection: Database;
let ledger: Ledger;
let client: TemporalClient;
let chain: TempoSandbox;
let payer: ChainClient;
let env: NodeJS.ProcessEnv;
let worker: TestProcess;

beforeAll(async () => {
  temporal = await startDevServer();
  database = await createTestDatabase();
  chain = await startTempoSandbox();
  payer = chainClient(chain.url, newAccount());
  env = environmentFor(
    { databaseUrl: database.url, temporalAddress: temporal.address, authServerUrl: 'http://127.0.0.1:1' },
    {
      TEMPO_RPC_URL: chain.url,
      TEMPO_CHAIN_ID: String(chain.chainId),
      TEMPO_CURRENCY: SANDBOX_CURRENCY,
      TEMPO_PAYEE_KEY: PAYEE_KEY,
    },
  );
  const config = readConfig(env);
  connection = createDatabase({ url: database.url });
  ledger = createLedger({
    database: connection,
    sealer: createSealer(config.credentialKeys),
    clock: systemClock,
    approvalThreshold: 10_000n,
  });
  client = createTemporalClient(config.temporal);
  worker = await startProcess('worker', env);
}, 60_000);
afterAll(async () => {
  worker.kill('SIGKILL');
  await worker.exited;
  await client.connection.close();
  await connection.close();
  await chain.close();
  await database.drop();
  await temporal.dispose();
});

type Order = Omit<CrashOrder, 'newerThan'>;

interface Opened {
  readonly id: SettlementId;
  readonly channelId: string;
  start(): Promise<void>;
}

/** 80 of a deposit of 1000 to settle, or to close with. A death that is ordered counts for what is made after the order. */
async function opened(kind: 'settle' | 'close', order?: Order): Promise<Opened> {
  const channel = await openChannel(payer, { payee: privateKeyToAccount(PAYEE_KEY).address, deposit: 1000n });
  await storeChannel(connection, channel, { deposit: 1000n, accepted: 100n, earned: 90n });
  const cumulative = kind === 'close' ? 100n : 80n;
  const signature = await signVoucher(payer, channel.channelId, cumulative);
  const capture = captureOf(channel, { kind, cumulative, capture: 80n, newly: 80n, signature });
  if (order) await worker.arm(order);
  const outcome = await ledger.openCapture(capture);
  if (outcome.kind !== 'opened') throw new Error(`the capture is ${outcome.kind}`);
  const orchestration = createSettlementOrchestration(client, 'makegood', TIMINGS);
  const settlement = await ledger.findSettlement(outcome.id);
  return {
    id: outcome.id,
    channelId: channel.channelId,
    start: () =>
      settlement ? orchestration.startSettlement(settlement) : Promise.reject(new Error('it is not in the ledger')),
  };
}

async function expectCapturedOnce({ id, channelId }: Opened, kind: 'settle' | 'close'): Promise<void> {
  await until('it is settled', async () => (await ledger.findSettlement(id))?.status === 'settled', {
    limitMs: 60_000,
  });
  const channel = chain.ledger().channels.find((each) => each.channelId === channelId);
  expect(channel?.captures.map((each) => [each.kind, each.captured])).toEqual([[kind, '80']]);
  expect(await ledger.findSettlement(id)).toMatchObject({ txHash: channel?.captures[0]?.txHash, attention: null });
  const [row] = await connection.query('SELECT settled, finalized FROM channels WHERE channel_id = $1', [channelId]);
  expect(row).toEqual({ settled: '80', finalized: kind === 'close' });
}

async function revive(): Promise<void> {
  expect(await until('the worker dies', () => Promise.race([worker.exited, soon()]), { limitMs: 20_000 })).toBe(
    'SIGKILL',
  );
  worker = await startProcess('worker', env);
}
const soon = () => new Promise<undefined>((resolve) => setTimeout(resolve, 25, undefined));

const at = (call: string): readonly Order[] => (['before', 'after'] as const).map((moment) => ({ call, moment }));

interface Death {
  readonly name: string;
  readonly kind: 'settle' | 'close';
  /** Undefined: while its transaction is in a block and the answer on its way. */
  readonly order?: Order;
}
const death = (kind: 'settle' | 'close', order: Order): Death => ({
  name: `a ${kind}, ${order.moment} ${order.call}`,
  kind,
  order,
});
const DEATHS: readonly Death[] = [
  // The first, so that nobody takes up an older capture and is given the answer that hangs.
  { name: 'a settle, while its transaction is in a block and the answer on its way', kind: 'settle' },
  ...sampleOf(
    'deaths of a worker that captures',
    [
      ...[...at('ledger.claimSettlements'), ...at('tempo.settle'), ...at('ledger.recordAttempts')].map((order) =>
        death('settle', order),
      ),
      ...at('tempo.settle').map((order) => death('close', order)),
    ],
    { nameOf: ({ name }) => name, kindOf: ({ kind }) => kind, oneIn: 4 },
  ),
];

describe('a capture whose worker dies', () => {
  const captures = new Map<string, Opened | Error>();

  /** One death after the other, and their ends together: Temporal misses a dead worker only after ten seconds. */
  beforeAll(async () => {
    // A death that never came is the failure of its own test, and not of all that follow.
    for (const { name, kind, order } of DEATHS)
      captures.set(name, await killed(kind, order).catch((error: Error) => error));
  }, 180_000);

  async function killed(kind: 'settle' | 'close', order?: Order): Promise<Opened> {
    const capture = await opened(kind, order);
    if (order) await capture.start();
    else await killedWhileAnswered(capture);
    await revive();
    return capture;
  }

  async function killedWhileAnswered(capture: Opened): Promise<void> {
    chain.setFaults([{ kinds: ['hang_after_commit'], times: 1 }]);
    await capture.start();
    await until(
      'the chain has it',
      () => chain.ledger().channels.some((each) => each.channelId === capture.channelId && each.settled === '80'),
      { limitMs: 20_000 },
    );
    worker.kill('SIGKILL');
  }

  it.each(DEATHS.map(({ name, kind }) => [name, kind] as const))(
    'is on chain once: %s',
    async (name, kind) => {
      const capture = captures.get(name)!;
      if (capture instanceof Error) throw capture;
      await expectCapturedOnce(capture, kind);
    },
    90_000,
  );
});

it('captures each once through an outage of the chain, and through faults while it comes back', async () => {
  const captures = [];
  for (let count = 0; count < 10; count += 1) captures.push(await opened(count % 2 === 0 ? 'settle' : 'close'));
  chain.setDown(true);
  for (const capture of captures) await capture.start();
  await until(
    'the breaker is open',
    async () =>
      (await connection.query(`SELECT 1 FROM provider_breakers WHERE provider = 'tempo' AND state <> 'closed'`))
        .length > 0,
    { limitMs: 30_000 },
  );
  chain.setFaults(
    [
      {
        kinds: [
          'unavailable',
          'reset_before_commit',
          'reset_after_commit',
          'rpc_error_after_commit',
          'reverted',
          'invalid_json',
        ],
        on: ['eth_chainId', 'eth_call', 'eth_sendRawTransaction', 'eth_getTransactionReceipt'],
        probability: 0.3,
        // While the breaker probes, each of them costs up to half a minute.
        times: 2,
      },
    ],
    7,
  );
  chain.setDown(false);
  for (const [index, capture] of captures.entries())
    await expectCapturedOnce(capture, index % 2 === 0 ? 'settle' : 'close');
  chain.setFaults([]);
}, 150_000);
