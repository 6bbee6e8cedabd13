import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReversalId } from '../../../src/domain/ids.js';
import type { Order } from '../../../src/domain/marketplace/marketplace.js';
import { resolveSignal } from '../../../workflows/messages.js';
import { runMakegood } from '../../support/cli.js';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { CALL_KINDS } from '../../support/marketplace/stripe-call-kinds.js';
import { type MarketplaceTest, openMarketplaceTest, reversalOf } from '../../support/marketplace/time-skipping.js';

/** Stripe does not let us in, or turns us away: nothing is sent, nothing is counted, and it goes on by itself. */

/** Not one failure is allowed, so that whatever counted as one would end with a person. */
const NO_RETRY = { REVERSAL_MAX_RETRIES: '0', TRANSFER_RETRY_MAX: '0' };
const KEY = 'sk_test_sandbox';
let market: MarketplaceTest;
let sellers = 0;

beforeAll(async () => {
  market = await openMarketplaceTest({ settings: NO_RETRY });
});
afterAll(() => market.dispose());
beforeEach(() => market.restart());
afterEach(() => {
  market.stripe.setFaults([]);
  market.stripe.setApiKeys({ accepted: null, revoked: [] });
});

const aSeller = () => {
  sellers += 1;
  return `acct_1Park${sellers}`;
};
const sold = (count: number): Promise<Order[]> =>
  Array.from({ length: count }, () => () => market.sold({ [aSeller()]: 1_000n })).reduce<Promise<Order[]>>(
    async (earlier, sell) => [...(await earlier), await sell()],
    Promise.resolve([]),
  );
const posts = (order: Order) => order.transfers.flatMap((transfer) => market.reversalPosts(transfer));
const parked = async () => {
  const rows = await market.test.database.query<{ provider: string }>(
    `SELECT provider FROM provider_breakers WHERE state <> 'closed' ORDER BY provider`,
  );
  return rows.map(({ provider }) => provider);
};
const accountReads = () => market.stripe.calls().endpoints.account?.calls ?? 0;

/** As the schedule of a production does, once a minute. */
async function sweepFor(minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    await market.sleep(MINUTE_MS);
    await market.world.sweep();
  }
}

async function refundedWhileParked(orders: readonly Order[]): Promise<ReversalId[]> {
  const ids: ReversalId[] = [];
  for (const order of orders) {
    const id = reversalOf(await market.refund(order), order);
    expect((await market.untilIn('waiting', 'reversal', id)).detail).toMatch(
      /parked|api_key_expired|not to the account of this ledger/,
    );
    ids.push(id);
  }
  return ids;
}

describe('a key that Stripe no longer takes', () => {
  it('parks everything at its first 401; only a read-only probe asks, and nothing is lost when it is back', async () => {
    const orders = await sold(3);
    market.stripe.setApiKeys({ revoked: [KEY] });
    const ids = await refundedWhileParked(orders);
    expect(await parked()).toEqual(['stripe']);
    // The transfer is read before the first send, so the key is turned away before anything is posted.
    expect(orders.map((order) => posts(order).length)).toEqual([0, 0, 0]);
    const probes = accountReads();
    await sweepFor(20);
    expect(orders.map((order) => posts(order).length)).toEqual([0, 0, 0]);
    expect(accountReads() - probes).toBeGreaterThan(10);
    expect(accountReads() - probes).toBeLessThan(45);
    for (const id of ids) {
      const { status, certainty, retryCount, attention } = await market.reversal(id);
      expect({ status, certainty, retryCount, attention }).toEqual({
        status: 'pending',
        certainty: 'not_sent',
        retryCount: 0,
        attention: null,
      });
    }
    for (const order of orders) expect((await market.order(order)).status).toBe('refunded');

    market.stripe.setApiKeys({ revoked: [] });
    await sweepFor(2);
    await market.untilReversal('reversed', ...ids);
    expect(await parked()).toEqual([]);
    expect(orders.map((order) => posts(order).filter(({ status }) => status === 200).length)).toEqual([1, 1, 1]);
  });

  it('holds transfers back alike, and a new key in a new process lets them go', async () => {
    await sold(1);
    market.stripe.setApiKeys({ revoked: [KEY] });
    const seller = aSeller();
    const { transfers } = await market.pay({ [seller]: 1_000n });
    const [transfer] = transfers;
    await market.untilIn('waiting', 'transfer', transfer!.id);
    await sweepFor(5);
    expect(market.transferPosts(seller).map(({ status }) => status)).toEqual([401]);
    expect(await market.transfer(transfer!.id)).toMatchObject({ status: 'pending', retryCount: 0, attention: null });
    await market.restart({ settings: { ...NO_RETRY, STRIPE_SECRET_KEY: 'sk_test_rolled' } });
    await sweepFor(2);
    await market.untilTransfer('completed', transfer!.id);
  });

  it('is asked about again by the workflows alone where no sweep runs', async () => {
    const [order] = (await sold(1)) as [Order];
    market.stripe.setApiKeys({ revoked: [KEY] });
    const [id] = await refundedWhileParked([order]);
    market.stripe.setApiKeys({ revoked: [] });
    await market.sleep(15 * MINUTE_MS);
    await market.untilReversal('reversed', id!);
    expect(await parked()).toEqual([]);
  });
});

describe('a key of another account, or of the other mode', () => {
  it.each([
    ['another account', 'sk_test_other'],
    ['live mode', 'sk_live_other'],
  ])('sends nothing: %s', async (_what, secretKey) => {
    const [order] = (await sold(1)) as [Order];
    market.stripe.setApiKeys({
      accepted: {
        [KEY]: market.stripe.platformAccount,
        sk_test_other: 'acct_1SomebodyElse',
        sk_live_other: market.stripe.platformAccount,
      },
    });
    await market.restart({ settings: { ...NO_RETRY, STRIPE_SECRET_KEY: secretKey } });
    const [id] = await refundedWhileParked([order]);
    await sweepFor(3);
    expect(posts(order)).toEqual([]);
    await market.restart();
    await sweepFor(2);
    await market.untilReversal('reversed', id!);
    expect(posts(order)).toHaveLength(1);
  });
});

describe('a seller who took his access away', () => {
  it('is parked alone: the others go on, and he does when he lets us in again', async () => {
    const orders = await sold(2);
    const [his, hers] = orders as [Order, Order];
    const account = his.transfers[0]!.sellerAccount;
    await market.stripe.setAccount(account, { access: 'revoked' });
    const id = reversalOf(await market.refund(his), his);
    await market.untilIn('waiting', 'reversal', id);
    expect(await parked()).toEqual([`stripe:${account}`]);
    await market.untilReversal('reversed', reversalOf(await market.refund(hers), hers));
    await sweepFor(10);
    expect(posts(his).map(({ status }) => status)).toEqual([403]);
    expect(await market.reversal(id)).toMatchObject({ status: 'pending', retryCount: 0, attention: null });

    await market.stripe.setAccount(account, { access: 'granted' });
    await sweepFor(2);
    await market.untilReversal('reversed', id);
    expect(await parked()).toEqual([]);
  });
});

const A_FEW_RETRIES = { REVERSAL_MAX_RETRIES: '2', TRANSFER_RETRY_MAX: '2' };

describe.each(CALL_KINDS)(
  'a $kind that is turned away with a 403 which names nobody',
  ({ kind, endpoint, look, begin }) => {
    beforeEach(() => market.restart({ settings: A_FEW_RETRIES }));

    it('parks nobody: it counts against itself until a person is asked, and everybody else goes on meanwhile', async () => {
      const [hers] = (await sold(1)) as [Order];
      const call = await begin(market, async (seller) =>
        market.stripe.setFaults([{ kinds: ['odd_403'], on: [endpoint], sellers: [seller] }]),
      );
      await call.untilAttempted();
      expect(await parked()).toEqual([]);
      await market.untilReversal('reversed', reversalOf(await market.refund(hers), hers));
      await sweepFor(10);
      await call.untilAsked();
      expect(await call.read()).toMatchObject({
        retryCount: 2,
        certainty: 'not_sent',
        attention: { reason: 'provider_config', detail: expect.stringContaining('stripe 403') },
      });
      expect(call.posts().map(({ status }) => status)).toEqual([403, 403, 403]);
      expect(await parked()).toEqual([]);
      market.stripe.setFaults([]);
      const retry = { action: 'retry', by: 'ann', note: 'it is allowed again' };
      await market.handle(kind, call.id).signal(resolveSignal, retry);
      await call.untilDone();
      expect(call.moved()).toBe(1);
    });

    it('is not given up for lost after an attempt that may have moved the money', async () => {
      const call = await begin(market, async (seller) =>
        market.stripe.setFaults([
          { kinds: ['finish_later'], on: [endpoint], sellers: [seller], times: 1 },
          { kinds: ['odd_403'], on: [endpoint], sellers: [seller], times: 1 },
        ]),
      );
      await call.untilAttempted(2);
      expect(await call.read()).toMatchObject({ certainty: 'unknown' });
      await market.stripe.finishLater();
      await call.untilDone();
      expect(new Set(call.posts().map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
      expect(call.moved()).toBe(1);
    });

    it('parks nobody either when it is a look that is turned away', async () => {
      const call = await begin(market, async (seller) =>
        market.stripe.setFaults([
          { kinds: ['unavailable'], on: [endpoint], sellers: [seller], times: 1 },
          { kinds: ['odd_403'], on: [look], times: 1 },
        ]),
      );
      await call.untilDone();
      expect(await parked()).toEqual([]);
      expect((await call.read()).retryCount).toBe(2);
      expect(call.moved()).toBe(1);
    });
  },
);

describe('a key that may read and not write', () => {
  const makegood = async (...args: readonly string[]): Promise<void> => {
    const { clock, url } = market.test;
    const quiet = () => undefined;
    await runMakegood(args, { env: { DATABASE_URL: url }, clock, out: quiet, err: quiet });
  };
  const waiting = async () =>
    (await market.test.ledger.figures()).needsAttention.map(({ kind, reason, count }) => ({ kind, reason, count }));

  it('asks about all its items as one reason of each kind, and one command for each takes them up again', async () => {
    const before = await waiting();
    const refunded = await sold(3);
    market.stripe.setFaults([{ kinds: ['odd_403'] }]);
    const unpaid: Order[] = [];
    for (let count = 0; count < 3; count += 1) unpaid.push(await market.pay({ [aSeller()]: 1_000n }));
    const reversals: ReversalId[] = [];
    for (const order of refunded) reversals.push(reversalOf(await market.refund(order), order));
    const transfers = unpaid.flatMap((order) => order.transfers.map(({ id }) => id));
    for (const id of reversals) await market.untilIn('needs_attention', 'reversal', id);
    for (const id of transfers) await market.untilIn('needs_attention', 'transfer', id);
    // Two series of one metric, so two alerts, however many items: the rule counts by kind and reason.
    const known = new Map(before.map(({ kind, reason, count }) => [`${kind} ${reason}`, count]));
    const asked = (await waiting())
      .map((one) => ({ ...one, count: one.count - (known.get(`${one.kind} ${one.reason}`) ?? 0) }))
      .filter(({ count }) => count > 0);
    expect(asked).toEqual([
      { kind: 'reversal', reason: 'provider_config', count: 3 },
      { kind: 'transfer', reason: 'provider_config', count: 3 },
    ]);
    expect(await parked()).toEqual([]);

    market.stripe.setFaults([]);
    const all = ['--reason', 'provider_config', '--note', 'the key may write now', '--apply'];
    await makegood('retry-all', 'reversals', ...all);
    await makegood('retry-all', 'transfers', ...all);
    await sweepFor(2);
    await market.untilReversal('reversed', ...reversals);
    await market.untilTransfer('completed', ...transfers);
    expect(await waiting()).toEqual(before);
    const posted = (calls: readonly { readonly status: number | null }[]) =>
      calls.filter(({ status }) => status === 200).length;
    expect(refunded.map((order) => posted(posts(order)))).toEqual([1, 1, 1]);
    expect(unpaid.map(({ transfers: [one] }) => posted(market.transferPosts(one?.sellerAccount ?? '')))).toEqual([
      1, 1, 1,
    ]);
  });
});

describe('a refusal whose probe gets no answer', () => {
  it('parks nobody and counts nothing: it is asked again', async () => {
    const [order] = (await sold(1)) as [Order];
    market.stripe.setFaults([
      { kinds: ['odd_403'], on: ['reversals.create'], times: 1 },
      { kinds: ['unavailable'], on: ['account'], times: 1 },
    ]);
    const id = reversalOf(await market.refund(order), order);
    await market.untilReversal('reversed', id);
    expect(await parked()).toEqual([]);
    expect((await market.reversal(id)).retryCount).toBe(0);
  });
});

describe('a park that comes back', () => {
  const returns = async () => {
    const { breakers } = await market.test.ledger.figures();
    return breakers.find(({ provider }) => provider === 'stripe')?.returns;
  };

  it('is counted when Stripe had let us in for less than ten minutes, and forgotten after half a quiet hour', async () => {
    const { ledger } = market.test;
    await market.sleep(HOUR_MS);
    await ledger.parkProvider('stripe', 'no');
    await ledger.unparkProvider('stripe');
    expect(await returns()).toBe(0);
    for (const times of [1, 2]) {
      await market.sleep(5 * MINUTE_MS);
      await ledger.parkProvider('stripe', 'no');
      await ledger.parkProvider('stripe', 'still no');
      expect(await returns()).toBe(times);
      await ledger.unparkProvider('stripe');
    }
    await market.sleep(31 * MINUTE_MS);
    expect(await returns()).toBe(0);
    await ledger.parkProvider('stripe', 'no');
    expect(await returns()).toBe(0);
    await ledger.unparkProvider('stripe');
  });
});

describe.each(CALL_KINDS)('a $kind that is turned away', ({ endpoint, begin }) => {
  it.each(['rate_limited', 'lock_timeout', 'key_in_use'] as const)(
    'by %s comes again, and uses up no retry',
    async (kind) => {
      market.stripe.setFaults([{ kinds: [kind], on: [endpoint], times: 4 }]);
      const call = await begin(market);
      await call.untilDone();
      expect(await call.read()).toMatchObject({ retryCount: 0, attention: null });
      const statuses = call.posts().map(({ status }) => status);
      expect(statuses).toEqual([...Array.from({ length: 4 }, () => (kind === 'key_in_use' ? 409 : 429)), 200]);
      expect(new Set(call.posts().map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
      expect(call.moved()).toBe(1);
    },
  );

  it('comes no sooner than Stripe says', async () => {
    market.stripe.setFaults([{ kinds: ['rate_limited'], on: [endpoint], times: 1, retryAfterSeconds: 90 }]);
    const call = await begin(market);
    await call.untilDone();
    const [first, second] = call.posts();
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(90_000);
  });
});
