import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { CALL_KINDS, type CallUnderTest, keysOf } from '../../support/marketplace/stripe-call-kinds.js';
import { type MarketplaceTest, openMarketplaceTest, waitsBetween } from '../../support/marketplace/time-skipping.js';

/**
 * Stripe remembers a key for at least a day, and after that carries the same call out anew. One attempt went out and
 * nobody knows what became of it; the next one is due when the key has this age.
 */

let market: MarketplaceTest;

beforeAll(async () => {
  market = await openMarketplaceTest();
});
afterAll(() => market.dispose());
afterEach(() => market.stripe.setFaults([]));

/** Moves the clock to this long after its first send; what is due on the way happens on the way. */
async function at(call: CallUnderTest, ageMs: number): Promise<void> {
  const sentMs = call.posts()[0]?.at ?? 0;
  await market.sleep(sentMs + ageMs - market.test.clock.nowMs());
}

describe.each(CALL_KINDS)('a $kind whose first call ended nobody knows how', ({ endpoint, look, settings, begin }) => {
  const readings = () => market.stripe.calls().endpoints[look]?.calls ?? 0;

  async function unknownFor(base: string, fault: 'unavailable' | 'finish_later' = 'unavailable', ms?: number) {
    await market.restart({ settings: settings({ base, max: '2d' }) });
    market.stripe.setFaults([{ kinds: [fault], on: [endpoint], times: 1, ...(ms === undefined ? {} : { ms }) }]);
    const call = await begin(market);
    await call.untilAttempted();
    expect(await call.read()).toMatchObject({ certainty: 'unknown' });
    return call;
  }

  it('at 22:59 hours is sent again with the same key and the same bytes', async () => {
    const call = await unknownFor('1379m');
    await at(call, 23 * HOUR_MS);
    await call.untilDone();
    expect(keysOf(call)).toEqual([call.id, call.id]);
    expect(new Set(call.posts().map(({ form }) => form)).size).toBe(1);
    const [wait] = waitsBetween(call.posts());
    expect(wait).toBeGreaterThanOrEqual(22 * HOUR_MS + 59 * MINUTE_MS);
    expect(wait).toBeLessThan(23 * HOUR_MS);
    expect(call.moved()).toBe(1);
  });

  it('at 23:01 hours is only looked for; a new key follows at 25 hours, on the second proof that nothing moved', async () => {
    const call = await unknownFor('1381m');
    const before = readings();
    await at(call, 24 * HOUR_MS + 59 * MINUTE_MS);
    expect(readings()).toBe(before + 1);
    expect(keysOf(call)).toEqual([call.id]);
    await at(call, 25 * HOUR_MS + MINUTE_MS);
    await call.untilDone();
    expect(readings()).toBe(before + 2);
    expect(keysOf(call)).toEqual([call.id, `${call.id}:g2`]);
    expect(waitsBetween(call.posts())[0]).toBeGreaterThanOrEqual(25 * HOUR_MS);
    expect(call.moved()).toBe(1);
  });

  it('at 25:01 hours gets its new key only a minute later, because one look is not two', async () => {
    const call = await unknownFor('1501m');
    await at(call, 25 * HOUR_MS + 90_000);
    expect(keysOf(call)).toEqual([call.id]);
    await call.untilDone();
    expect(keysOf(call)).toEqual([call.id, `${call.id}:g2`]);
    expect(waitsBetween(call.posts())[0]).toBeGreaterThanOrEqual(25 * HOUR_MS + 2 * MINUTE_MS);
    expect(call.moved()).toBe(1);
  });

  it('that Stripe finished while its key was too old to be sent is adopted, and never sent again', async () => {
    const call = await unknownFor('1381m', 'finish_later', 24 * HOUR_MS);
    await at(call, 25 * HOUR_MS + MINUTE_MS);
    await call.untilDone();
    expect(keysOf(call)).toEqual([call.id]);
    expect(call.moved()).toBe(1);
    await market.sleep(3 * HOUR_MS);
    expect(call.posts()).toHaveLength(1);
  });
});
