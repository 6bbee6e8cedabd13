import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderId } from '../../../src/domain/ids.js';
import { createHyperswitch } from '../../../src/providers/hyperswitch/client.js';
import { createStripe } from '../../../src/providers/stripe/client.js';
import { marketplaceOperations, settlementOperations } from '../../support/ledger-operations.js';
import { BESIDE_THE_PATH } from '../../support/marketplace/crash/beside-the-path.js';
import { CANCELS } from '../../support/marketplace/crash/cancels.js';
import { CAPTURES } from '../../support/marketplace/crash/captures.js';
import { CONVERTED } from '../../support/marketplace/crash/converted.js';
import { DISPUTES } from '../../support/marketplace/crash/disputes.js';
import { isOver } from '../../support/marketplace/crash/endings.js';
import { HTTP, listenTo } from '../../support/marketplace/crash/http.js';
import { LEFT_AT_STRIPE, MADE_AT_STRIPE } from '../../support/marketplace/crash/made-at-stripe.js';
import { PAYMENTS } from '../../support/marketplace/crash/payments.js';
import { REVERSALS } from '../../support/marketplace/crash/reversals.js';
import { INQUIRY_ELSEWHERE, SEARCHES } from '../../support/marketplace/crash/searches.js';
import type { Scene, Story } from '../../support/marketplace/crash/story.js';
import { TRANSFERS } from '../../support/marketplace/crash/transfers.js';
import { WAITS } from '../../support/marketplace/crash/waits.js';
import { type MarketplaceCrashWorld, startMarketplaceCrashWorld } from '../../support/marketplace/crash/world.js';
import {
  expectMarketplaceLedgersEqual,
  expectSharesExact,
  type MarketplaceRow,
  marketplaceRows,
} from '../../support/marketplace/ledger-comparison.js';
import { endOrphanedSweeps, ORDER_LANES } from '../../support/sweeps.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';
import { isWhole, sampleOf } from '../../support/whole-or-sample.js';

const STORIES = {
  payments: PAYMENTS,
  cancels: CANCELS,
  madeAtStripe: MADE_AT_STRIPE,
  leftAtStripe: LEFT_AT_STRIPE,
  captures: CAPTURES,
  transfers: TRANSFERS,
  reversals: [...REVERSALS, INQUIRY_ELSEWHERE],
  converted: CONVERTED,
  disputes: DISPUTES,
  searches: SEARCHES,
  waits: WAITS,
  http: HTTP,
} as const;
type Group = keyof typeof STORIES;
/** Buyers pay at the Stripe account that pays the sellers: transfers are drawn from their charges. */
const LINKED: ReadonlySet<Group> = new Set<Group>(['transfers', 'disputes', 'searches', 'converted']);
const AT_STRIPE: Partial<Record<Group, 'paid' | 'begun'>> = { madeAtStripe: 'paid', leftAtStripe: 'begun' };
const TO_EUROS = { currency: 'eur', rate: 0.92 };
const GROUPS = Object.keys(STORIES) as Group[];
/** Each is a process or two that dies and begins anew all the time: more of them would only starve Temporal, and each other. */
const WORLDS_AT_ONCE = 4;

interface Point {
  readonly name: string;
  readonly story: Story;
  readonly call?: string;
  readonly nth?: number;
  readonly moment?: 'before' | 'after';
}

const pointsOf = (story: Story): readonly Point[] =>
  story.inFlight
    ? [{ name: `in the middle of ${story.what}`, story }]
    : story.path.flatMap((step) => {
        const [call = '', nth = '1'] = step.split('#');
        return (['before', 'after'] as const).map((moment) => ({
          name: `${story.who ?? 'worker'} ${moment} ${call}${nth === '1' ? '' : ` #${nth}`} of ${story.what}`,
          story,
          call,
          nth: Number(nth),
          moment,
        }));
      });

/** The stories that this run tells, and whose deaths it tries. */
const TOLD = new Map(
  GROUPS.map((group) => [
    group,
    sampleOf<Story>(`stories of ${group}`, STORIES[group], { nameOf: ({ what }) => what, oneIn: 3 }),
  ]),
);
const undisturbed = (group: Group): readonly Point[] =>
  (TOLD.get(group) ?? []).map((story) => ({ name: `nobody in ${story.what}`, story }));
const CELLS = new Map(
  GROUPS.map((group) => {
    const points = (TOLD.get(group) ?? []).flatMap(pointsOf);
    const deaths = sampleOf(`crash points of ${group}`, points, { nameOf: ({ name }) => name, oneIn: 4 });
    return [group, [...undisturbed(group), ...deaths]];
  }),
);
const cellsOf = (group: Group): readonly Point[] => CELLS.get(group) ?? [];

/** Amounts and sellers that no other order has, so that two ledgers which mix them up are not equal. */
const sellersOf = (group: Group, nth: number) => ({
  [`acct_1${group}${nth}a`]: BigInt(1_000 + 2 * nth),
  [`acct_1${group}${nth}b`]: BigInt(3_000 + 2 * nth + 1),
});

/**
 * That it ends is the promise here, and not how soon: it takes two to four seconds, and more where worlds take each other's
 * processor away, since a task that a starved worker lets lapse is given out again after ten to thirty seconds.
 */
const UNDISTURBED_MS = 180_000;

type Outcome = { readonly order: OrderId } | { readonly error: Error };

interface Finished {
  readonly world: MarketplaceCrashWorld;
  readonly rows: readonly MarketplaceRow[];
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** What server and worker called while nobody died. */
  readonly calls: readonly string[];
  /** A failure of its own, so that the cell it began in can still tell why. */
  readonly unfinished: Error | undefined;
}

/** One order after the other, each with a death of its own; then everything is left to itself until nothing waits. */
async function runAll(group: Group): Promise<Finished> {
  const world = await startMarketplaceCrashWorld({
    temporalAddress: temporal.address,
    namespace: `money-${group}`,
    withServer: group === 'http',
    linked: LINKED.has(group),
    madeAtStripe: AT_STRIPE[group],
  });
  if (world.server) listenTo(world);
  // Orders are in dollars, and what their buyers pay becomes euros.
  if (group === 'converted') await world.stripe.setAccount(world.stripe.platformAccount, { settlesIn: TO_EUROS });
  if (group === 'cancels') world.hyperswitch.setAuto({ refund: { to: 'succeeded', afterMs: 0 } });
  const points = cellsOf(group);
  const alive = points.slice(0, undisturbed(group).length);
  const prepared = await prepare(world, group, points);
  const outcomes = new Map<string, Promise<Outcome>>();
  let calls: readonly string[] = [];
  for (const point of points) {
    const scene = { ...prepared.get(point)!, dies: !alive.includes(point) };
    const told = run(world, point, scene);
    outcomes.set(point.name, outcomeOf(told.then(({ ended }) => ended)));
    // A death that never came is the failure of its own cell, and not of all that follow.
    await told.catch(() => world.replace(point.story.who ?? 'worker'));
    if (point === alive.at(-1)) calls = [...(await world.worker.calls()), ...((await world.server?.calls()) ?? [])];
  }
  // Who was told to come back may still be on his way when nothing waits.
  const all = new Map<string, Outcome>();
  for (const [name, outcome] of outcomes) all.set(name, await outcome);
  const unfinished = await world.finished(180_000, () => notOver(world, points, all)).then(() => undefined, asError);
  return { world, outcomes: all, calls, rows: await marketplaceRows(world.test.url), unfinished };
}

const asError = (error: Error): Error => error;

async function notOver(
  { test }: MarketplaceCrashWorld,
  points: readonly Point[],
  outcomes: ReadonlyMap<string, Outcome>,
) {
  const rows = await marketplaceRows(test.url);
  return points.filter(({ name, story }) => {
    const outcome = outcomes.get(name)!;
    return 'order' in outcome && !isOver(rows, outcome.order, story.ending);
  });
}

const outcomeOf = (ended: Promise<OrderId>): Promise<Outcome> =>
  ended.then(
    (order) => ({ order }),
    (error: Error) => ({ error }),
  );

type Given = Pick<Scene, 'sellers' | 'order' | 'nth'>;

/** Every point has its own order and sellers; those whose story begins later are paid and sent already. */
async function prepare(world: MarketplaceCrashWorld, group: Group, points: readonly Point[]) {
  const prepared = new Map<Point, Given>();
  const left = points.entries();
  const lane = async () => {
    for (const [nth, point] of left) {
      const sellers = sellersOf(group, nth);
      prepared.set(point, { nth, sellers, order: point.story.sent ? await sent(world, sellers) : undefined });
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  return prepared;
}

/** How soon is not the promise here either: a worker of another world may have the processor. */
async function sent(world: MarketplaceCrashWorld, sellers: Given['sellers']) {
  const { shop } = world;
  const { id } = await shop.paidOrder(sellers);
  return await until(
    'both sellers are paid',
    async () => {
      const order = await shop.find(id);
      return order.transfers.every(({ status }) => status === 'completed') && order;
    },
    { limitMs: UNDISTURBED_MS },
  ).catch(async (error: Error) => {
    throw new Error(`${error.message}; ${await standing(world, id)}`, { cause: error });
  });
}

/** Resolves when somebody has died and is back, or the order is where it should be. */
async function run(
  world: MarketplaceCrashWorld,
  { story, call, moment, nth }: Point,
  { dies, ...given }: Given & { readonly dies: boolean },
): Promise<{ readonly ended: Promise<OrderId> }> {
  const who = story.who ?? 'worker';
  const die = async (...names: readonly string[]) => {
    if (!dies || call === undefined || moment === undefined) return;
    if (story.atOnce) await world.replace(who, { call, moment, nth });
    else await world.arm(who, { call, moment, nth }, Object.keys(given.sellers), names);
  };
  const told = await story.tell({ world, ...given, die, somebodyDies: dies });
  const ended = Promise.all([told.order, told.rest]).then(([order]) => order);
  ended.catch(() => undefined);
  if (dies) {
    try {
      await world.restart(who);
    } finally {
      // What the story took away would be missing to the end, also where the death never came.
      await told.mend?.();
    }
    if (who === 'worker' && diesInSweep({ story, call, moment }))
      await endOrphanedSweeps(temporal.address, world.namespace, [...ORDER_LANES, 'dispute-search']);
  } else if (!story.inFlight) {
    const over = async () => isOver(await marketplaceRows(world.test.url), await told.order, story.ending);
    await ended
      .then(() => until(`nobody disturbs ${story.what}`, over, { limitMs: UNDISTURBED_MS }))
      .catch(async (error: Error) => {
        throw new Error(`${error.message}; ${await standing(world, await told.order)}`, { cause: error });
      });
    // What has no end of its own would meet the next story.
    await told.mend?.();
  }
  return { ended };
}

/** Where an order is that does not get on, and the last that its worker said. */
async function standing({ test, worker }: MarketplaceCrashWorld, order: OrderId): Promise<string> {
  const rows = (await marketplaceRows(test.url)).filter((row) => row.order_id === order);
  const items = rows.map(({ kind, id }) => ({ kind, id, orderId: order }));
  const story = await test.ledger.storyOf(items, 30);
  return `${JSON.stringify({ rows, story }, undefined, 1)}\n${worker.lines.slice(-20).join('\n')}`;
}

const SWEPT = ['ledger.dueItems', 'ledger.markItemsStarted', 'ledger.dueWebhooks', 'ledger.itemOfWebhook'];
const diesInSweep = ({ story, call, moment }: Omit<Point, 'name'>): boolean =>
  story.inSweep === true || (call !== undefined && SWEPT.includes(call) && !isLeftToTemporal(call, moment));
/** Elsewhere the killed sweep is ended at once; here Temporal misses its heartbeat. */
const isLeftToTemporal = (call: string, moment: string | undefined): boolean =>
  call === 'ledger.markItemsStarted' && moment === 'after';

let temporal: DevServer;
const finished = new Map<Group, Finished>();
beforeAll(
  async () => {
    temporal = await startDevServer();
    const left = GROUPS.values();
    const lane = async () => {
      for (const group of left) finished.set(group, await runAll(group));
    };
    await Promise.all(Array.from({ length: WORLDS_AT_ONCE }, lane));
  },
  isWhole ? 5_400_000 : 1_800_000,
);
afterAll(async () => {
  for (const { world } of finished.values()) await world.stop();
  await temporal.dispose();
});

const CALLS = new Set(
  GROUPS.flatMap((group) => STORIES[group].flatMap(pointsOf)).flatMap(({ call }) => (call === undefined ? [] : [call])),
);

it('knows every operation of the ledger and every call to a provider: it is a crash point, or it says why not', () => {
  const stripe = createStripe({ secretKey: 'sk_test_1', apiBase: undefined, takeToken: async () => () => undefined });
  const there = new Set([
    ...marketplaceOperations(),
    ...Object.keys({ ...stripe, ...stripe.inLane('acct_1') }).map((name) => `stripe.${name}`),
    ...Object.keys(createHyperswitch({ baseUrl: 'http://127.0.0.1:9', apiKey: 'key' })).map(
      (name) => `hyperswitch.${name}`,
    ),
  ]);
  const known = new Set([...CALLS, ...Object.keys(BESIDE_THE_PATH)]);
  expect([...there].filter((name) => !known.has(name))).toEqual([]);
  expect([...known].filter((name) => !there.has(name))).toEqual([]);
});

describe.each(GROUPS)('%s', (group) => {
  const own = () => finished.get(group)!;

  it('calls nothing on the way that is no crash point', () => {
    const known = new Set([...CALLS, ...Object.keys(BESIDE_THE_PATH), ...settlementOperations()]);
    expect(own().calls.filter((call) => !known.has(call))).toEqual([]);
  });

  it('has the same ledgers as Hyperswitch and Stripe, each movement made once by the same bytes', async () => {
    const { rows, world } = own();
    expectMarketplaceLedgersEqual(rows, world);
    const euros = world.stripe.ledger().transfers.filter(({ currency }) => currency === 'eur');
    expect(euros.length > 0).toBe(group === 'converted');
    await expectSharesExact(world.test.url);
  });

  it('asks nobody, and leaves nothing unfinished or unknown', () => {
    expect(own().unfinished).toBeUndefined();
    const endedUnsent = ({ status, certainty }: MarketplaceRow) =>
      (status === 'failed' || status === 'written_off') && certainty === 'absent';
    const wrong = own().rows.filter(
      (row) => row.attention_reason !== null || (row.certainty !== 'done' && !endedUnsent(row)),
    );
    expect(wrong).toEqual([]);
  });

  it('cancels by one key and the same bytes, however often, and knows what became of every cancel', async () => {
    const { world } = own();
    const cancels = world.hyperswitch.calls().calls.filter(({ endpoint }) => endpoint === 'payments.cancel');
    const ways = new Set(cancels.map(({ id, idempotencyKey, bodySha256 }) => `${id} ${idempotencyKey} ${bodySha256}`));
    expect(ways.size).toBe(new Set(cancels.map(({ id }) => id)).size);
    expect(cancels.length > 0).toBe(group === 'cancels');
    const there = world.stripe.calls().calls.filter(({ endpoint }) => endpoint === 'payment_intents.cancel');
    expect(there.length > 0).toBe(group === 'leftAtStripe');
    const open = await world.test.database.query(
      `SELECT id, status, cancel_certainty FROM payments WHERE cancel_certainty IN ('in_flight', 'unknown')`,
    );
    expect(open).toEqual([]);
  });

  it.each(cellsOf(group).map(({ name, story }) => [name, story.ending] as const))(
    'ends as it should when there dies: %s',
    (name, ending) => {
      const outcome = own().outcomes.get(name)!;
      if ('error' in outcome) throw outcome.error;
      const { order } = outcome;
      const rows = own().rows.filter((row) => row.order_id === order);
      expect(rows).toSatisfy(() => isOver(rows, order, ending));
    },
  );
});
