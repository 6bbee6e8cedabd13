import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startGuard } from '../../sandbox/stack/guard.js';
import { reservePort } from '../../sandbox/stack/ports.js';
import { startPostgres } from '../../sandbox/stack/postgres.js';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { systemClock } from '../../src/domain/clock.js';
import { createDatabase } from '../../src/ledger/database.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { migrate } from '../../src/ledger/migrate.js';
import { createSealer } from '../../src/ledger/sealer.js';
import { startApi, TOKENS } from '../../test/support/api.js';
import { consoleRoutes } from '../../test/support/console-routes.js';
import { nowMs, percentile, timed } from '../measure.js';
import { fill, type Size } from './fill.js';
import { listenTo, planOf } from './plans.js';
import { listSamples, otherSamples, type Sample } from './samples.js';

const { values: given } = parseArgs({
  options: {
    settlements: { type: 'string', default: '1000000' },
    orders: { type: 'string', default: '200000' },
    small: { type: 'string', default: '10000' },
    times: { type: 'string', default: '40' },
    plans: { type: 'string', default: join(projectRoot(), 'bench', 'plans', 'lists.txt') },
  },
});
const small: Size = { settlements: Number(given.small), orders: Number(given.small) / 5 };
const large: Size = { settlements: Number(given.settlements), orders: Number(given.orders) };

/** Stops early where it is slow enough to know. */
const MOST_MS = 2_000;

const say = (text: string) => process.stderr.write(`${text}\n`);
const directory = join(tmpdir(), `makegood-lists-${randomBytes(6).toString('hex')}`);
const guard = await startGuard(join(projectRoot(), '.build', 'processes'));
const postgres = await startPostgres({
  directory,
  port: await reservePort(),
  password: randomBytes(16).toString('hex'),
  durable: false,
  environment: process.env,
  guard,
  log: () => undefined,
});
let failed = false;
try {
  failed = await measure();
} finally {
  await postgres.stop();
  await guard.close();
  rmSync(directory, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

interface Filled {
  readonly client: pg.Client;
  readonly samples: readonly Sample[];
  readonly listening: ReturnType<typeof listenTo>;
  /** @returns how long it took, in milliseconds */
  read(sample: Sample): Promise<number>;
  close(): Promise<void>;
}

/** A database of its own with the API of the server on it. */
async function open(name: string, size: Size): Promise<Filled> {
  const url = new URL(postgres.url);
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name} TEMPLATE template0`);
  await admin.end();
  url.pathname = `/${name}`;
  await migrate(url.href);
  const client = new pg.Client({ connectionString: url.href });
  // Where the measurement failed, Postgres ends first.
  client.on('error', () => undefined);
  await client.connect();
  const tookMs = await timed(() => fill(client, size));
  say(`${size.settlements} settlements and ${size.orders} orders written in ${(tookMs / 1000).toFixed(0)} s`);
  const database = createDatabase({ url: url.href, maxConnections: 10, statementTimeoutMs: 60_000 });
  const listening = listenTo(database);
  const ledger = createLedger({
    database: listening.database,
    sealer: createSealer([{ id: 'bench', key: randomBytes(32) }]),
    clock: systemClock,
    approvalThreshold: 10_000n,
  });
  const api = await startApi({
    ledger,
    console: consoleRoutes({ ledger }),
    rateLimit: { windowMs: 60_000, max: 1_000_000, anonymousMax: 1_000_000 },
  });
  return {
    client,
    listening,
    samples: [...(await listSamples(client)), ...(await otherSamples(client))],
    read: (sample) =>
      timed(async () => {
        const { status, text } = await api.send(`/api/v1/${sample.path}`, { token: TOKENS.viewer });
        if (status !== 200) throw new Error(`${sample.path}: ${status} ${text}`);
      }),
    async close() {
      await api.close();
      await database.close();
      await client.end();
    },
  };
}

interface Measured {
  readonly sample: Sample;
  readonly smallMs: number;
  readonly largeMs: number;
}

/** Both in turns, so that a slow moment of the machine touches each. */
async function compare(
  sample: Sample,
  of: { readonly few: Filled; readonly many: Filled; readonly there: Sample },
): Promise<Measured> {
  const took: [number[], number[]] = [[], []];
  const startedMs = nowMs();
  await of.few.read(sample);
  await of.many.read(of.there);
  for (let nth = 0; nth < Number(given.times) && nowMs() - startedMs < MOST_MS; nth += 1) {
    took[0].push(await of.few.read(sample));
    took[1].push(await of.many.read(of.there));
  }
  return { sample: of.there, smallMs: percentile(took[0], 0.95), largeMs: percentile(took[1], 0.95) };
}

/** @returns whether a plan reads a big table from end to end */
async function measure(): Promise<boolean> {
  const few = await open('few', small);
  const many = await open('many', large);
  const measured: Measured[] = [];
  const bad = new Set<string>();
  const plans = new Map<string, Set<string>>();
  try {
    if (few.samples.length !== many.samples.length) throw new Error('the two databases are not asked for the same');
    for (const [index, sample] of few.samples.entries()) {
      const there = many.samples[index];
      if (!there) continue;
      measured.push(await compare(sample, { few, many, there }));
      const asked = await many.listening.asked(() => many.read(there));
      for (const one of asked) {
        const plan = await planOf(many.client, one);
        if (!plan) continue;
        plans.set(plan.text, (plans.get(plan.text) ?? new Set()).add(nameOf(there)));
        for (const table of plan.scanned) bad.add(`${nameOf(there)} reads ${table} from end to end`);
      }
    }
  } finally {
    await few.close();
    await many.close();
  }
  mkdirSync(join(given.plans, '..'), { recursive: true });
  writeFileSync(given.plans, [...plans].map(([plan, names]) => `-- ${[...names].join(', ')}\n${plan}\n`).join('\n'));
  print(measured);
  console.log(bad.size === 0 ? '\nno plan reads a big table from end to end' : `\n${[...bad].join('\n')}`);
  say(`the plans are in ${given.plans}`);
  return bad.size > 0;
}

function nameOf({ list, filter }: Sample): string {
  return filter === '' ? list : `${list} by ${filter}`;
}

/** Of each list and filter the value with the worst ratio. */
function print(measured: readonly Measured[]): void {
  const worst = new Map<string, Measured>();
  for (const one of measured) {
    const before = worst.get(nameOf(one.sample));
    if (!before || ratioOf(one) > ratioOf(before)) worst.set(nameOf(one.sample), one);
  }
  console.log(
    `\np95 in ms at ${small.settlements} settlements, at ${large.settlements}, and the ratio; of each filter its worst value`,
  );
  for (const [name, one] of worst)
    console.log(
      `${name.padEnd(48)} ${one.smallMs.toFixed(1).padStart(7)} ${one.largeMs.toFixed(1).padStart(8)}  ×${ratioOf(one).toFixed(2).padStart(7)}${ratioOf(one) > 3 ? `  ! ${one.sample.path.replace(/cursor=[^&]*/, 'cursor=…')}` : ''}`,
    );
  const ratios = measured.map(ratioOf);
  console.log(
    `\n${measured.length} requests: ratio ${percentile(ratios, 0.5).toFixed(2)} in the middle, ${Math.max(...ratios).toFixed(2)} at most; ${ratios.filter((ratio) => ratio > 3).length} above 3`,
  );
}

function ratioOf({ smallMs, largeMs }: Measured): number {
  return largeMs / smallMs;
}
