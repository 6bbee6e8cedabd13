import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../../src/domain/marketplace/marketplace.js';
import type { StripeEndpoint } from '../../../src/providers/stripe/client.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { unique } from '../../support/marketplace/fixtures.js';

/** A call that has its permit waits for a token of Stripe's rate, up to most of a minute: what is decided meanwhile holds. */

let world: DisputeWorld;
let whileWaiting: (endpoint: StripeEndpoint) => Promise<void>;
const nothing = () => Promise.resolve();
const PERSON = { provider: 'stripe', by: 'ann', authenticated: true, note: '' } as const;

beforeAll(async () => {
  whileWaiting = nothing;
  world = await openDisputeWorld({ whileWaiting: (endpoint) => whileWaiting(endpoint) });
});
afterAll(() => world.close());
afterEach(async () => {
  whileWaiting = nothing;
  await world.ledger.resumeProvider(PERSON);
});

const during = (endpoint: StripeEndpoint, happens: () => unknown) => {
  whileWaiting = async (waiting) => {
    if (waiting !== endpoint) return;
    whileWaiting = nothing;
    await happens();
  };
};

const CALLS = [
  {
    kind: 'transfer',
    endpoint: 'transfers.create',
    begin: async () => await world.paid({ [unique('acct_1S')]: 1_000n }),
    partOf: ({ transfers }: Order) => transfers[0]!,
  },
  {
    kind: 'reversal',
    endpoint: 'reversals.create',
    begin: async () => {
      const order = await world.paid({ [unique('acct_1S')]: 1_000n });
      await world.settle(['transfer']);
      await world.refund(order, 400n);
      return order;
    },
    partOf: ({ reversals }: Order) => reversals[0]!,
  },
] as const;

describe.each(CALLS)('a $kind that waits for its token', ({ kind, endpoint, begin, partOf }) => {
  const posts = () =>
    world.atStripe.calls().calls.filter((call) => call.endpoint === endpoint && call.idempotencyKey !== null);

  it('does not leave once a person has paused Stripe; it is surely not sent, burns no retry, and goes out by its key when resumed', async () => {
    const order = await begin();
    const { id } = partOf(await world.find(order));
    const before = posts().length;
    during(endpoint, () => world.ledger.pauseProvider(PERSON));
    expect(await world.advance({ kind, id })).toMatchObject({ kind: 'later' });
    expect(posts()).toHaveLength(before);
    expect(partOf(await world.find(order))).toMatchObject({
      status: 'pending',
      certainty: 'not_sent',
      retryCount: 0,
      attention: null,
    });
    world.clock.advance(60_000);
    expect(await world.advance({ kind, id })).toMatchObject({ kind: 'parked' });
    await world.ledger.resumeProvider(PERSON);
    expect(await world.advance({ kind, id })).toMatchObject({ kind: 'final' });
    expect(
      posts()
        .slice(before)
        .map(({ idempotencyKey }) => idempotencyKey),
    ).toEqual([id]);
  });

  it('does not leave once its claim has lapsed, and goes out once by the next attempt', async () => {
    const order = await begin();
    const { id } = partOf(await world.find(order));
    const before = posts().length;
    during(endpoint, () => world.clock.advance(60_001));
    await world.advance({ kind, id });
    expect(posts()).toHaveLength(before);
    world.clock.advance(60_000);
    expect(await world.advance({ kind, id })).toMatchObject({ kind: 'final' });
    expect(posts()).toHaveLength(before + 1);
  });
});
