import {
  DefaultLogger,
  type InjectedSinks,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import pg from 'pg';

/** Both workflows that the product is compared with; started with one JSON argument. */
export interface PlainWorkerInput {
  readonly address: string;
  readonly taskQueue: string;
  readonly bundle: string;
  readonly databaseUrl: string;
  readonly authServerUrl: string;
  /** Nothing: Temporal's defaults. */
  readonly options: Partial<WorkerOptions>;
}

export interface PlainActivities {
  settle(charge: { id: string; key: string; body: string }): Promise<void>;
}

const input = JSON.parse(process.argv[2] ?? '{}') as PlainWorkerInput;
const pool = new pg.Pool({ connectionString: input.databaseUrl, max: 20 });

const activities: PlainActivities = {
  async settle({ id, key, body }) {
    const answer = await fetch(`${input.authServerUrl}/settle/x402`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body,
    });
    if (!answer.ok) throw new Error(`the auth server answered ${answer.status}`);
    const { txHash } = (await answer.json()) as { txHash: string | null };
    await pool.query({
      name: 'plain',
      text: 'INSERT INTO plain_settlements (id, tx_hash) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      values: [id, txHash],
    });
  },
};

let done = 0;
let told = 0;
const sinks: InjectedSinks<{ counter: { done(): void } }> = { counter: { done: { fn: () => void (done += 1) } } };
setInterval(() => {
  if (done !== told) console.log(`done ${(told = done)}`);
}, 10);

Runtime.install({ logger: new DefaultLogger('ERROR') });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: input.address }),
  taskQueue: input.taskQueue,
  workflowBundle: { codePath: input.bundle },
  activities: { ...activities },
  sinks,
  ...input.options,
});
console.log('worker is ready');
await worker.run();
process.exit(0);
