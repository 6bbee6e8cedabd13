import { type HyperswitchSandbox, startHyperswitchSandbox } from '../../../../sandbox/hyperswitch/start.js';
import type { StripeSandbox } from '../../../../sandbox/stripe/start.js';
import { readConfig } from '../../../../src/config/config.js';
import type { OrderId, PaymentId, RefundId, TransferId } from '../../../../src/domain/ids.js';
import type { MarketplaceItem, NewWebhookEvent } from '../../../../src/ledger/marketplace/marketplace-types.js';
import { createTemporalClient } from '../../../../src/orchestration/temporal-client.js';
import { createMarketplaceProviders, createMarketplaceRuntime } from '../../../../src/programs/marketplace-runtime.js';
import { openTestLedger, type TestLedger } from '../../ledger-fixtures.js';
import {
  type CrashOrder,
  environmentFor,
  fixedPort,
  startProcess,
  type TestProcess,
} from '../../processes/start-process.js';
import { memoryLogger } from '../../settlements/settlement-world.js';
import { until } from '../../until.js';
import { startFundedStripe } from '../funded-stripe.js';
import { unfinishedRows } from '../ledger-comparison.js';
import { commerce, marketplaceEnvironment } from '../world.js';

type Kind = 'server' | 'worker';

/**
 * A marketplace whose worker (and server, where asked for) are processes that die at a named call. The shop of this
 * process does what the server would, so that the worker alone is what breaks.
 */
export interface MarketplaceCrashWorld {
  readonly test: TestLedger;
  readonly stripe: StripeSandbox;
  readonly hyperswitch: HyperswitchSandbox;
  readonly shop: ReturnType<typeof commerce>;
  readonly namespace: string;
  worker: TestProcess;
  server: TestProcess | undefined;
  /** Starts or nudges the workflows of items, as the server would. */
  wake(items: readonly MarketplaceItem[]): void;
  /** A provider tells of something: the server has it in its inbox and acts on it, or leaves it to the worker's sweep. */
  tell(
    event: Pick<NewWebhookEvent, 'provider' | 'type' | 'objectId' | 'parentId'>,
    to: 'server' | 'sweep',
  ): Promise<void>;
  arm(
    kind: Kind,
    order: Pick<CrashOrder, 'call' | 'moment' | 'nth' | 'signal'>,
    sellers: readonly string[],
    /** Of what else counts: ids of a provider that nobody has told the ledger yet. */
    names?: readonly string[],
  ): Promise<void>;
  /** Ends the process and starts another, which dies at the given call, whomever it is for. */
  replace(kind: Kind, order?: Pick<CrashOrder, 'call' | 'moment' | 'nth'>): Promise<void>;
  /** Waits for the death that was ordered, and starts the same process again where it was. */
  restart(kind: Kind): Promise<void>;
  /** What Hyperswitch does not know is looked for three times, ten minutes apart: these pass, and it is looked for at once. */
  passAbsences(): Promise<void>;
  /**
   * What is parked, or met the park before its first call, is looked at now, and Stripe is asked whether it is over: these
   * minutes are not waited for.
   */
  passProbes(): Promise<void>;
  /** Balances and sellers that are waited for are read once an hour, and again a minute after a read that failed: it is over. */
  passWaits(): Promise<void>;
  /** What a dead worker had taken out of the inbox, or the payment it was searching for disputes, comes round now. */
  passRounds(order: OrderId): Promise<void>;
  /**
   * Resolves when every item and every webhook is final; the minutes between two proofs of absence are not waited for.
   * @param others what else has not ended: a dispute whose funds are not known to be out waits for nothing that we know of
   */
  finished(limitMs: number, others?: () => Promise<readonly object[]>): Promise<void>;
  stop(): Promise<void>;
}

export interface MarketplaceCrashOptions {
  readonly temporalAddress: string;
  readonly namespace: string;
  readonly withServer?: boolean;
  /** Buyers pay at the Stripe account that pays the sellers, whose money is there at once. */
  readonly linked?: boolean;
  /** Payments are made at that Stripe account from here, and paid at once, or only begun. */
  readonly madeAtStripe?: 'paid' | 'begun' | undefined;
  readonly changes?: Readonly<Record<string, string>>;
  /** Where the processes find Postgres; default where it is. */
  readonly databaseUrl?: (url: string) => Promise<string>;
}

/** A claim of a dead process holds this long; production's ninety seconds would be waited out at every death. */
const HOLD_MS = 2_000;
/** A task that Temporal gave to the process before, as it died, comes back after ten to thirty seconds. */
const DIES_WITHIN_MS = 90_000;

export async function startMarketplaceCrashWorld(options: MarketplaceCrashOptions): Promise<MarketplaceCrashWorld> {
  const { temporalAddress, namespace, withServer = false, linked = false, madeAtStripe } = options;
  const test = await openTestLedger();
  const stripe = await startFundedStripe();
  if (linked || madeAtStripe) stripe.setSettlementDays(0);
  if (madeAtStripe === 'paid') stripe.setBuyers({ pay: 'succeeded' });
  const hyperswitch = await startHyperswitchSandbox({
    ...(linked ? { stripe: { url: stripe.url } } : {}),
    auto: { pay: { to: 'succeeded', afterMs: 0 }, refund: { to: 'succeeded', afterMs: 0 } },
  });
  const databaseUrl = (await options.databaseUrl?.(test.url)) ?? test.url;
  const env = environmentFor(
    { databaseUrl, temporalAddress, namespace, authServerUrl: 'http://127.0.0.1:9' },
    {
      ...marketplaceEnvironment(stripe, hyperswitch),
      PORT: await fixedPort(),
      REVERSAL_BACKOFF_BASE: '200ms',
      REVERSAL_BACKOFF_MAX: '1s',
      REVERSAL_CHECK_INTERVAL: '6s',
      TRANSFER_RETRY_BACKOFF_BASE: '200ms',
      TRANSFER_RETRY_BACKOFF_MAX: '1s',
      TRANSFER_RETRY_INTERVAL: '6s',
      // No settlement is ever made here.
      SETTLEMENT_SWEEP_INTERVAL: '1h',
      TEST_HOLD_MS: String(HOLD_MS),
      PAYMENT_PROVIDER: madeAtStripe ? 'stripe' : 'hyperswitch',
      ...options.changes,
    },
  );
  const processes: Record<Kind, TestProcess | undefined> = {
    worker: await startProcess('worker', env),
    server: withServer ? await startProcess('server', env) : undefined,
  };
  const { runtime, close } = shopRuntime(env, test);
  const alive = (kind: Kind): TestProcess => {
    const process = processes[kind];
    if (!process) throw new Error(`this world has no ${kind}`);
    return process;
  };
  const passAbsences = async () => runtime.wake(await dueByAbsences(test));
  return {
    test,
    stripe,
    hyperswitch,
    namespace,
    passAbsences,
    async passProbes() {
      await test.database.query(
        `UPDATE provider_breakers SET probe_at = clock_now() WHERE state = 'open' AND reason = 'config'`,
      );
      await test.database.query(
        `UPDATE reversals SET next_check_at = clock_now()
         WHERE coalesce(last_answer, 'parked') = 'parked' AND runner IS NULL`,
      );
    },
    passWaits: async () => runtime.wake(await dueByWaits(test)),
    async passRounds(order) {
      await test.database.query('UPDATE webhook_events SET next_check_at = clock_now() WHERE processed_at IS NULL');
      await test.database.query('UPDATE payments SET disputes_look_at = clock_now() WHERE order_id = $1', [order]);
    },
    async tell(told, to) {
      const event = { ...told, eventId: crypto.randomUUID(), account: null, bodySha256: 'body' };
      await test.ledger.storeWebhook(event);
      if (to === 'server') await runtime.processWebhook(event);
      else
        await test.database.query('UPDATE webhook_events SET next_check_at = clock_now() WHERE event_id = $1', [
          event.eventId,
        ]);
    },
    shop: commerce(test, runtime, madeAtStripe ? 'stripe' : 'hyperswitch'),
    wake: runtime.wake,
    get worker() {
      return alive('worker');
    },
    get server() {
      return processes.server;
    },
    async arm(kind, order, sellers, names = []) {
      const own = await test.database.query<{ id: string }>(IDS_OF_SELLERS, [sellers]);
      const others = await test.database.query<{ id: string }>(
        'SELECT id FROM reversals WHERE seller_account <> ALL ($1)',
        [sellers],
      );
      const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);
      await alive(kind).arm({ ...order, about: [...sellers, ...names, ...ids(own)], past: ids(others) });
    },
    async replace(kind, order) {
      alive(kind).kill('SIGKILL');
      await alive(kind).exited;
      processes[kind] = await startProcess(kind, order ? { ...env, TEST_CRASH_AT_ONCE: JSON.stringify(order) } : env);
    },
    async restart(kind) {
      const ended = await until(`the ${kind} dies`, () => soon(alive(kind).exited), { limitMs: DIES_WITHIN_MS });
      if (ended !== 'SIGKILL') throw new Error(`the ${kind} ended by ${ended}:\n${alive(kind).lines.join('\n')}`);
      processes[kind] = await startProcess(kind, env);
    },
    async finished(limitMs, others = () => Promise.resolve([])) {
      let left: readonly object[] = [];
      try {
        const isFinal = async () => {
          await passAbsences();
          left = [...(await unfinishedRows(test.url)), ...(await others())];
          return left.length === 0;
        };
        await until('everything is final', isFinal, { limitMs, everyMs: 200 });
      } catch (error) {
        throw new Error(`${String(error)}; still there: ${JSON.stringify(left.slice(0, 20))}`, { cause: error });
      }
    },
    async stop() {
      for (const child of Object.values(processes)) {
        child?.kill('SIGKILL');
        await child?.exited;
      }
      await close();
      await Promise.all([stripe.close(), hyperswitch.close()]);
      await test.dispose();
    },
  };
}

/** @returns what is due because ten minutes have passed */
async function dueByAbsences({ database }: TestLedger): Promise<MarketplaceItem[]> {
  const passed = (table: string) => `UPDATE ${table}
    SET last_absence_at = last_absence_at - interval '10 minutes', next_check_at = clock_now()
    WHERE status IN ('pending', 'processing', 'review') AND last_absence_at > clock_now() - interval '10 minutes'
      AND runner IS NULL RETURNING id`;
  const [payments, refunds] = [
    await database.query<{ id: PaymentId }>(passed('payments')),
    await database.query<{ id: RefundId }>(passed('refunds')),
  ];
  const capturing = await database.query<{ id: PaymentId }>(
    `UPDATE payment_captures SET last_absence_at = last_absence_at - interval '10 minutes'
     WHERE status = 'open' AND last_absence_at > clock_now() - interval '10 minutes' RETURNING payment_id AS id`,
  );
  return [
    ...[...payments, ...capturing].map(({ id }) => ({ kind: 'payment', id }) as const),
    ...refunds.map(({ id }) => ({ kind: 'refund', id }) as const),
  ];
}

/** @returns what waits for a balance or a seller, each of which is read by whoever asks first */
async function dueByWaits({ database }: TestLedger): Promise<MarketplaceItem[]> {
  await database.query('UPDATE platform_gates SET read_next_at = clock_now()');
  await database.query(`UPDATE sellers SET read_next_at = clock_now() WHERE state = 'waiting'`);
  const waiting = await database.query<{ id: TransferId }>(
    `UPDATE seller_transfers SET next_check_at = clock_now()
     WHERE status IN ('waiting_platform_balance', 'waiting_seller') AND runner IS NULL RETURNING id`,
  );
  return waiting.map(({ id }) => ({ kind: 'transfer', id }));
}

const IDS_OF_SELLERS = `WITH own AS (SELECT order_id FROM order_items WHERE seller_account = ANY ($1))
  SELECT order_id AS id FROM own
  UNION SELECT id FROM payments WHERE order_id IN (SELECT order_id FROM own)
  UNION SELECT id FROM refunds WHERE order_id IN (SELECT order_id FROM own)
  UNION SELECT id FROM seller_transfers WHERE seller_account = ANY ($1)
  UNION SELECT id FROM reversals WHERE seller_account = ANY ($1)
  UNION SELECT id FROM disputes WHERE order_id IN (SELECT order_id FROM own)`;

function shopRuntime(env: NodeJS.ProcessEnv, { ledger }: TestLedger) {
  const config = readConfig(env);
  const temporal = createTemporalClient(config.temporal);
  const runtime = createMarketplaceRuntime({
    config,
    ledger,
    providers: createMarketplaceProviders(config, ledger),
    chain: undefined,
    temporal,
    logger: memoryLogger() as never,
    processName: `shop-${crypto.randomUUID()}`,
  });
  return { runtime, close: () => temporal.connection.close() };
}

/** What a promise has come to by now. */
const soon = <T>(promise: Promise<T>): Promise<T | undefined> =>
  Promise.race([promise, new Promise<undefined>((resolve) => setTimeout(resolve, 25, undefined))]);
