import { projectRoot } from '../sandbox/stack/project-root.js';
import { migrate } from '../src/ledger/migrate.js';
import { databaseNow, lanesBeside, lanesWithoutSuccess } from '../test/support/isolation/lanes.js';
import {
  createPendingWork,
  type PendingWork,
  PROVIDER_OF,
  WORK_KINDS,
  type WorkKind,
} from '../test/support/isolation/pending-work.js';
import {
  clearFaults,
  hangPayouts,
  injectFault,
  PROVIDER_FAULTS,
  PROVIDERS,
  type Provider,
} from '../test/support/isolation/provider-faults.js';
import { type Providers, startProviders } from '../test/support/isolation/providers.js';
import { nowMs, pause, percentile, type Round, until } from './measure.js';
import type { Place } from './place.js';

/** Work of the ill provider that is under way, and holds whatever it can hold, while the others are measured. */
const HELD = 20;
const RELEASE_EVERY_MS = 400;
const LOOK_EVERY_MS = 50;
/** What is not finished by then counts as never. */
const PATIENCE_MS = 30_000;
const LANES_WITHIN_MS = 10_000;

interface Illness {
  readonly name: string;
  readonly provider: Provider;
  readonly sick: readonly WorkKind[];
  readonly begin: (town: Providers) => Promise<void>;
}

const ofProvider = (provider: Provider): readonly WorkKind[] =>
  WORK_KINDS.filter((good) => PROVIDER_OF[good] === provider);
const ILLNESSES: readonly Illness[] = [
  ...PROVIDERS.flatMap((provider) =>
    PROVIDER_FAULTS.map((what) => ({
      name: `${provider} ${what}`,
      provider,
      sick: ofProvider(provider),
      begin: (town: Providers) => injectFault(town, provider, what),
    })),
  ),
  {
    name: 'payout reads hung',
    provider: 'Stripe',
    sick: ['payout'],
    begin: (town) => Promise.resolve(hangPayouts(town)),
  },
];

interface Run {
  readonly name: string;
  /** Milliseconds from due to finished. */
  readonly tookMs: ReadonlyMap<WorkKind, readonly number[]>;
  readonly lanesMissing: readonly string[];
}

/**
 * Each provider hung, refusing and slow in turn while all others work: what that does to the others, beside the same work
 * while all are well, in runs that alternate with these.
 */
export async function neighbours(place: Place, scale: number): Promise<Round> {
  const databaseUrl = await place.newDatabase();
  await migrate(databaseUrl);
  const town = await startProviders({ databaseUrl, temporalAddress: place.temporal });
  const program = { file: `${projectRoot()}/bin/makegood.js`, args: ['worker'], env: town.env };
  const worker = await place.startProgram({ ...program, ready: 'worker is ready' });
  const stock = await createPendingWork(town);
  const count = Math.max(3, Math.ceil(30 * scale));
  try {
    await measured(town, stock, 3);
    const well: Run[] = [];
    const ill: Run[] = [];
    for (const illness of ILLNESSES) {
      if (illness.name.endsWith(PROVIDER_FAULTS[0])) well.push(await measured(town, stock, count));
      ill.push(await measured(town, stock, count, illness));
    }
    well.push(await measured(town, stock, count));
    return told(well, ill);
  } finally {
    await worker.stop();
    await town.close();
  }
}

async function measured(town: Providers, stock: PendingWork, count: number, illness?: Illness): Promise<Run> {
  process.stderr.write(`  ${illness?.name ?? 'all well'}\n`);
  const { sick = [], provider } = illness ?? {};
  const own = await Promise.all(sick.map(async (good) => ({ good, ids: await stock.prepare(good, HELD) })));
  const others = await Promise.all(
    WORK_KINDS.filter((good) => !sick.includes(good)).map(async (good) => ({
      good,
      ids: await stock.prepare(good, count),
    })),
  );
  await illness?.begin(town);
  for (const { good, ids } of own) await stock.release(good, ids);
  await stock.readChannelsNow();
  await pause(3_000);
  const since = await databaseNow(town);
  const tookMs = await latencies(stock, others, count);
  const lanes = provider ? lanesBeside(provider) : lanesBeside('auth server');
  let lanesMissing = lanes;
  const giveUpMs = nowMs() + LANES_WITHIN_MS;
  do {
    lanesMissing = await lanesWithoutSuccess(town, lanes, since);
    await pause(LOOK_EVERY_MS);
  } while (lanesMissing.length > 0 && nowMs() < giveUpMs);
  await clearFaults(town);
  for (const { good, ids } of own) {
    // Instead of the minute after which an event comes round again.
    if (good === 'payout') await stock.release(good, ids);
    await until(
      `every ${good} is finished after ${illness?.name}`,
      async () => (await stock.finished(good, ids)).length === ids.length,
    );
  }
  return { name: illness?.name ?? 'all well', tookMs, lanesMissing };
}

/** One of each kind becomes due every so often, and each is looked at until it is finished. */
async function latencies(
  stock: PendingWork,
  goods: readonly { readonly good: WorkKind; readonly ids: readonly string[] }[],
  count: number,
): Promise<ReadonlyMap<WorkKind, readonly number[]>> {
  const tookMs = new Map<WorkKind, number[]>(goods.map(({ good }) => [good, []]));
  const open = goods.map(({ good }) => ({ good, dueAt: new Map<string, number>() }));
  let released = 0;
  const startMs = nowMs();
  const giveUpMs = startMs + count * RELEASE_EVERY_MS + PATIENCE_MS;
  while (released < count || open.some(({ dueAt }) => dueAt.size > 0)) {
    if (nowMs() > giveUpMs) break;
    if (released < count && nowMs() >= startMs + released * RELEASE_EVERY_MS) {
      for (const [nth, { good, ids }] of goods.entries()) {
        const id = ids[released];
        if (id === undefined) continue;
        open[nth]?.dueAt.set(id, nowMs());
        await stock.release(good, [id]);
      }
      released += 1;
    }
    await Promise.all(
      open.map(async ({ good, dueAt }) => {
        if (dueAt.size === 0) return;
        for (const id of await stock.finished(good, [...dueAt.keys()])) {
          tookMs.get(good)?.push(nowMs() - (dueAt.get(id) ?? 0));
          dueAt.delete(id);
        }
      }),
    );
    await pause(LOOK_EVERY_MS);
  }
  for (const { good, dueAt } of open) for (const _ of dueAt) tookMs.get(good)?.push(Number.POSITIVE_INFINITY);
  return tookMs;
}

/** Prints the table. @returns the worst ratio of each illness */
function told(well: readonly Run[], ill: readonly Run[]): Round {
  const p99 = (run: Run, good: WorkKind) => percentile(run.tookMs.get(good) ?? [], 0.99);
  // The median of runs: one that stumbled must not make the others look good.
  const usual = new Map(
    WORK_KINDS.map((good) => [
      good,
      percentile(
        well.map((run) => p99(run, good)),
        0.5,
      ),
    ]),
  );
  const ratioOf = (run: Run, good: WorkKind) => p99(run, good) / (usual.get(good) ?? Number.NaN);
  const seconds = (ms: number) => (Number.isFinite(ms) ? `${(ms / 1000).toFixed(2)} s` : 'never');
  const line = (name: string, cells: readonly string[]) =>
    console.log(name.padEnd(22) + cells.map((cell) => cell.padEnd(16)).join(''));
  console.log('');
  line('p99 from due to done', [...WORK_KINDS, 'sweeps of the others']);
  const ratios: Record<string, number> = {};
  for (const run of [...well, ...ill]) {
    const cells = WORK_KINDS.map((good) =>
      run.tookMs.has(good) ? `${seconds(p99(run, good))} ×${ratioOf(run, good).toFixed(2)}` : '–',
    );
    const lanes = run.lanesMissing.length === 0 ? 'all succeeded' : `no success: ${run.lanesMissing.join(', ')}`;
    line(run.name, [...cells, lanes]);
    if (ill.includes(run)) {
      ratios[run.name] = Math.max(
        ...WORK_KINDS.filter((good) => run.tookMs.has(good)).map((good) => ratioOf(run, good)),
      );
    }
  }
  return {
    ratios,
    context: Object.fromEntries(WORK_KINDS.map((good) => [`${good} p99 s, all well`, (usual.get(good) ?? 0) / 1000])),
  };
}
