import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallsView, LoggedCall } from '../../../sandbox/stripe/control/call-log.js';
import { backlogOfAllCalls } from '../../support/marketplace/backlog-of-all-calls.js';
import { type BudgetWorld, startBudgetWorld } from '../../support/marketplace/budget-world.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';
import { sizeOf } from '../../support/whole-or-sample.js';

/** What Stripe allows one endpoint, and in its sandbox all of them together (docs.stripe.com/rate-limits). */
const PER_SECOND = 25;
/** More than half a minute of all that Stripe allows: a limit that is broken is broken in the first of them. */
const OF_EACH = sizeOf({ whole: 100, sample: 30 });
const MOVES_MONEY: ReadonlySet<string> = new Set(['transfers.create', 'reversals.create']);
/** What is read in search of what nobody told of; everything else is read because money moves. */
const SEARCHES: ReadonlySet<string> = new Set(['disputes.list', 'refunds.list']);

let temporal: DevServer;
let world: BudgetWorld;
beforeAll(async () => {
  temporal = await startDevServer();
  world = await startBudgetWorld({
    temporalAddress: temporal.address,
    namespace: 'budget-of-all-calls',
    linked: true,
    changes: { STRIPE_MAX_RPS: String(PER_SECOND) },
  });
  await world.stripe.control('limits', { perEndpoint: PER_SECOND, overall: PER_SECOND });
}, 120_000);
afterAll(async () => {
  await world.stop();
  await temporal.dispose();
});

const count = async (statement: string): Promise<number> =>
  (await world.test.database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${statement}`))[0]?.count ??
  -1;
const waiting = (status: string) => count(`seller_transfers WHERE status = '${status}'`);
const unfinished = async (): Promise<number> =>
  (await count(`seller_transfers WHERE completed_at IS NULL`)) +
  (await count(`reversals WHERE status <> 'reversed'`)) +
  (await count(`payments WHERE disputes_look_at <= clock_now() + interval '50 minutes'`)) +
  (await count(`webhook_events WHERE processed_at IS NULL`));

describe('two workers and a server, with everything at once for which Stripe is called', () => {
  let seen: CallsView;
  beforeAll(async () => {
    const shop = await world.startServer();
    const backlog = backlogOfAllCalls(world, OF_EACH);
    const disputed = await backlog.arrive(shop);
    await world.startWorkers(2);
    await backlog.dispute(disputed);
    await until(
      'what has to wait for money or for a seller waits',
      async () => (await waiting('waiting_platform_balance')) === OF_EACH && (await waiting('waiting_seller')) > 0,
      { limitMs: 280_000, everyMs: 200 },
    );
    await backlog.heal();
    await until('everything is done', async () => (await unfinished()) === 0, { limitMs: 300_000, everyMs: 500 });
    seen = await world.stripe.calls();
  }, 600_000);

  it('never see a 26th call in any second, reads and writes alike', () => {
    const at = seen.calls.map((call) => call.at);
    const most = at.map((from, nth) => at.slice(nth).filter((one) => one - from < 1_000).length);
    expect(Math.max(...most)).toBeLessThanOrEqual(PER_SECOND);
    expect(seen.calls.filter(({ status }) => status === 429)).toEqual([]);
    expect(seen.calls).toHaveLength(seen.totals.calls);
  });

  it('move everything once, and read for it what they have to', () => {
    const moved = (endpoint: string) =>
      seen.calls.filter((call) => call.endpoint === endpoint && call.status === 200 && !call.replayed);
    expect(moved('transfers.create')).toHaveLength(3 * OF_EACH);
    expect(moved('reversals.create')).toHaveLength(2 * OF_EACH);
    expect(seen.totals).toMatchObject({ writesWithoutKey: 0, keysWithDifferingRequests: 0, overlaps: 0 });
    tell(seen.calls);
  });
});

/** How fast a busy machine is proves nothing. */
function tell(calls: readonly LoggedCall[]): void {
  const share = (of: readonly LoggedCall[], names: (endpoint: string) => boolean) =>
    `${Math.round((100 * of.filter(({ endpoint }) => names(endpoint ?? '')).length) / of.length)} %`;
  const money = calls.filter(({ endpoint }) => MOVES_MONEY.has(endpoint ?? ''));
  const [first, last] = [calls[0]?.at ?? 0, money.at(-1)?.at ?? 0];
  const busy = calls.filter(({ at }) => at <= last);
  const seconds = (ms: number) => (ms / 1_000).toFixed(1);
  const quantiles = (ms: readonly number[]) => {
    const sorted = ms.toSorted((one, other) => one - other);
    return [0.5, 0.95, 1].map((part) => seconds(sorted[Math.ceil(part * sorted.length) - 1] ?? 0)).join(', ');
  };
  console.log(
    [
      `${calls.length} calls, ${money.length} of them move money, the last one after ${seconds(last - first)} s`,
      `${(busy.length / ((last - first) / 1_000)).toFixed(1)} a second until then, of ${PER_SECOND} allowed`,
      `of these ${share(busy, (name) => MOVES_MONEY.has(name))} move money and ${share(busy, (name) => SEARCHES.has(name))} search payments`,
      `from its look to a reversal: ${quantiles(waitsOf(calls))} s (half, 95 %, all)`,
    ].join('\n'),
  );
}

/** How long after the last read of its transfer each reversal went out: with the read of its dispute, and their tokens. */
function waitsOf(calls: readonly LoggedCall[]): number[] {
  const lookedAt = new Map<string, number>();
  const waits: number[] = [];
  for (const { endpoint, path, at } of calls) {
    const transfer = /tr_\w+/.exec(path)?.[0] ?? '';
    const looked = lookedAt.get(transfer);
    if (endpoint === 'transfers.read') lookedAt.set(transfer, at);
    else if (endpoint === 'reversals.create' && looked !== undefined) waits.push(at - looked);
  }
  return waits;
}
