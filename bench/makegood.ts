import { projectRoot } from '../sandbox/stack/project-root.js';
import { readConfig } from '../src/config/config.js';
import type { Database } from '../src/ledger/database.js';
import type { Ledger } from '../src/ledger/ledger.js';
import { migrate } from '../src/ledger/migrate.js';
import type { NewSettlement } from '../src/ledger/settlements/settlement-types.js';
import { createLogger } from '../src/observability/logger.js';
import type { Dispatcher } from '../src/orchestration/dispatcher.js';
import { createPaidSessionRuntime } from '../src/programs/runtime.js';
import { inLanes, until } from './measure.js';
import type { Place } from './place.js';

/** The product on an empty database: the server's parts in this process, the worker in one of its own. */
export interface Makegood {
  readonly databaseUrl: string;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly dispatcher: Dispatcher;
  /** As POST /api/v1/settlements accepts; the workflow is started off the path. */
  accept(charge: NewSettlement): Promise<void>;
  /** Only stored, and due at once: what a sweep finds. */
  store(charges: readonly NewSettlement[]): Promise<void>;
  settled(): Promise<number>;
  untilSettled(): Promise<void>;
  stop(): Promise<void>;
}

export async function startMakegood(place: Place, settings: Readonly<Record<string, string>> = {}): Promise<Makegood> {
  const databaseUrl = await place.newDatabase();
  await migrate(databaseUrl);
  const env = {
    DATABASE_URL: databaseUrl,
    CREDENTIAL_ENCRYPTION_KEY: `bench:${Buffer.alloc(32, 1).toString('base64')}`,
    API_TOKENS: `bench:service:${'t'.repeat(32)}`,
    AUTH_SERVER_URL: place.authServerUrl,
    TEMPORAL_ADDRESS: place.temporal,
    ...settings,
  };
  const worker = await place.startProgram({
    file: `${projectRoot()}/bin/makegood.js`,
    args: ['worker'],
    env,
    ready: 'worker is ready',
  });
  const logger = createLogger({ level: 'error', name: 'bench' });
  const { database, ledger, dispatcher, ...runtime } = createPaidSessionRuntime(readConfig(env), {
    logger,
    tempo: undefined,
  });

  const count = async (condition: string) => {
    const [row] = await database.query<{ count: string }>(`SELECT count(*) FROM settlements WHERE ${condition}`);
    return Number(row?.count);
  };
  return {
    databaseUrl,
    database,
    ledger,
    dispatcher,
    async accept(charge) {
      const { kind } = await ledger.createSettlement(charge);
      if (kind !== 'created') throw new Error(`a fresh charge was answered with ${kind}`);
      dispatcher.dispatch(charge.id);
    },
    async store(charges) {
      await inLanes(charges, 10, (charge) => ledger.createSettlement(charge));
      await database.query("UPDATE settlements SET next_check_at = clock_now() WHERE status = 'pending'");
    },
    settled: () => count(`status = 'settled'`),
    async untilSettled() {
      await until('no charge is pending', async () => (await count(`status = 'pending'`)) === 0);
      if ((await count(`status <> 'settled'`)) > 0)
        throw new Error('not every charge was settled: this measures nothing');
    },
    async stop() {
      await runtime.stop();
      await worker.stop();
    },
  };
}
