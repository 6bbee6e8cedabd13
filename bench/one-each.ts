import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import pg from 'pg';
import { createCharges } from './charges.js';
import { startMakegood } from './makegood.js';
import { inLanes, type Round, timed, until } from './measure.js';
import type { Place } from './place.js';
import type { PlainWorkerInput } from './processes/plain-worker.js';

const CALLERS = 50;
const WARM_UP = 50;
/** As many starts under way as the product's dispatcher allows itself. */
const STARTS = 20;

/** One workflow per settlement, from the first acceptance to the last settled, beside what Temporal itself costs. */
export async function oneWorkflowEach(place: Place, scale: number): Promise<Round> {
  const count = Math.ceil(400 * scale);
  const bundle = await bundled();
  const noActivity = await besideNoActivity(place, bundle, count);
  const makegood = await ours(place, count);
  const defaults = await temporalDefaults(place, bundle, Math.ceil(count / 2));
  return {
    ratios: { 'no-activity': makegood / noActivity, defaults: makegood / defaults },
    context: { 'makegood/s': makegood, 'no-activity/s': noActivity, 'defaults/s': defaults },
  };
}

const perSecond = (count: number, ms: number) => (count / ms) * 1000;

async function ours(place: Place, count: number): Promise<number> {
  const makegood = await startMakegood(place);
  const charge = await createCharges();
  const run = async (many: number) => {
    const charges = Array.from({ length: many }, charge);
    return timed(async () => {
      await inLanes(charges, CALLERS, (one) => makegood.accept(one));
      await makegood.untilSettled();
    });
  };
  await run(WARM_UP);
  await place.settleDisk();
  const tookMs = await run(count);
  await makegood.stop();
  return perSecond(count, tookMs);
}

/** On the same server and with the product's worker settings: the ceiling. */
async function besideNoActivity(place: Place, bundle: string, count: number): Promise<number> {
  const options = {
    maxConcurrentWorkflowTaskExecutions: 100,
    maxConcurrentWorkflowTaskPolls: 4,
    maxCachedWorkflows: 500,
  };
  let done = 0;
  const onLine = (line: string) => {
    if (line.startsWith('done ')) done = Number(line.slice(5));
  };
  const plain = await startPlain(place, { address: place.temporal, bundle, options }, onLine);
  const run = async (many: number) => {
    const before = done;
    return timed(async () => {
      await inLanes([...Array(many).keys()], STARTS, () => plain.start('noActivity'));
      await until('every workflow ran', async () => done - before === many);
    });
  };
  await run(WARM_UP);
  await place.settleDisk();
  const tookMs = await run(count);
  await plain.stop();
  return perSecond(count, tookMs);
}

/** A dev server, a worker and an activity as the documentation shows them; the start itself is the acceptance. */
async function temporalDefaults(place: Place, bundle: string, count: number): Promise<number> {
  const server = await place.startDefaultTemporal();
  const plain = await startPlain(place, { address: server.address, bundle, options: {} });
  const charge = await createCharges();
  const run = async (many: number) => {
    const charges = Array.from({ length: many }, charge);
    const wanted = (await plain.settled()) + many;
    return timed(async () => {
      await inLanes(charges, CALLERS, ({ id, key, body }) => plain.start('plainSettlement', { id, key, body }));
      await until('every charge is settled', async () => (await plain.settled()) === wanted);
    });
  };
  await run(WARM_UP);
  await place.settleDisk();
  const tookMs = await run(count);
  await plain.stop();
  await server.stop();
  return perSecond(count, tookMs);
}

async function startPlain(
  place: Place,
  input: Pick<PlainWorkerInput, 'address' | 'bundle' | 'options'>,
  onLine?: (line: string) => void,
) {
  const databaseUrl = await place.newDatabase();
  const pool = new pg.Pool({ connectionString: databaseUrl });
  await pool.query('CREATE TABLE plain_settlements (id uuid PRIMARY KEY, tx_hash text)');
  const given: PlainWorkerInput = { ...input, databaseUrl, authServerUrl: place.authServerUrl, taskQueue: 'plain' };
  const worker = await place.startProgram({
    file: fileURLToPath(new URL('processes/plain-worker.js', import.meta.url)),
    args: [JSON.stringify(given)],
    ready: 'worker is ready',
    onLine,
  });
  const connection = await Connection.connect({ address: input.address });
  const client = new Client({ connection });
  return {
    start: (type: string, ...args: unknown[]) =>
      client.workflow.start(type, { taskQueue: 'plain', workflowId: `plain-${randomUUID()}`, args }),
    settled: async () => (await pool.query('SELECT 1 FROM plain_settlements')).rows.length,
    async stop() {
      await connection.close();
      await worker.stop();
      await pool.end();
    },
  };
}

async function bundled(): Promise<string> {
  const file = fileURLToPath(new URL('workflow-bundle.js', import.meta.url));
  const workflowsPath = fileURLToPath(new URL('workflows.js', import.meta.url));
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  writeFileSync(file, code);
  return file;
}
