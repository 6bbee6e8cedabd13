import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { resolveUpdate } from '../../../workflows/messages.js';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { withoutTriggers } from '../../support/marketplace/fixtures.js';
import { stripeApi } from '../../support/marketplace/stripe-api.js';
import { CALL_KINDS, type CallUnderTest, keysOf } from '../../support/marketplace/stripe-call-kinds.js';
import { type MarketplaceTest, openMarketplaceTest } from '../../support/marketplace/time-skipping.js';

/** What Stripe's memory of keys, and what it does behind an answer of 500, must never make of a money call. */

let market: MarketplaceTest;

beforeAll(async () => {
  market = await openMarketplaceTest();
});
afterAll(() => market.dispose());
afterEach(() => market.stripe.setFaults([]));

const statusesOf = (call: CallUnderTest) => call.posts().map(({ status }) => status);
const decisionsOn = ({ id }: CallUnderTest) =>
  market.test.database.query('SELECT action, state FROM decisions WHERE item_id = $1', [id]);

/** Once more, exactly as it was sent the first time, by nobody of ours. */
async function repeated(call: CallUnderTest): Promise<{ status: number; replayed: boolean }> {
  const [first] = call.posts();
  const form = Object.fromEntries(new URLSearchParams(first?.form));
  const answer = await stripeApi(market.stripe.url).post(first?.path ?? '', form, {
    idempotencyKey: first?.idempotencyKey ?? '',
  });
  return { status: answer.status, replayed: answer.headers['idempotent-replayed'] === 'true' };
}

describe.each(CALL_KINDS)('a $kind', ({ kind, endpoint, look, settings, begin, setBalance }) => {
  const readings = () => market.stripe.calls().endpoints[look]?.calls ?? 0;

  /** Every retry used up, and nobody knows whether the money moved. */
  async function exhausted(fault: 'server_error' | 'finish_later'): Promise<CallUnderTest> {
    await market.restart({ settings: settings({ retries: 1 }) });
    market.stripe.setFaults([{ kinds: [fault], on: [endpoint], times: 1 }]);
    const call = await begin(market);
    await call.untilAsked();
    expect(await call.read()).toMatchObject({ certainty: 'unknown', attention: { reason: 'retries_exhausted' } });
    expect(call.posts().map(({ status, replayed }) => [status, replayed])).toEqual([
      [500, false],
      [500, true],
    ]);
    return call;
  }

  it('that was answered 500 and carried out a little later is found before it is sent again', async () => {
    await market.restart();
    market.stripe.setFaults([{ kinds: ['finish_later'], on: [endpoint], times: 1, ms: 30_000 }]);
    const call = await begin(market);
    await call.untilDone();
    expect(statusesOf(call)).toEqual([500]);
    expect(call.moved()).toBe(1);
  });

  it('is not believed failed because Stripe repeats its first 500: the money had moved, and it is adopted', async () => {
    await market.restart();
    market.stripe.setFaults([{ kinds: ['server_error_after_commit'], on: [endpoint], times: 1 }]);
    const call = await begin(market);
    await call.untilDone();
    expect(statusesOf(call)).toEqual([500]);
    expect(await repeated(call)).toEqual({ status: 500, replayed: true });
    expect(call.moved()).toBe(1);
  });

  it('whose 500 Stripe repeats ends with a person; a day later one decision moves the money under a new key', async () => {
    const call = await exhausted('server_error');
    await market.sleep(25 * HOUR_MS);
    expect(call.posts()).toHaveLength(2);
    const decision = { action: 'retry', by: 'ann', note: 'Stripe is well again' };
    const answer = await market.handle(kind, call.id).executeUpdate(resolveUpdate, { args: [decision] });
    expect(answer).toMatchObject({ outcome: 'applied' });
    await call.untilDone();
    expect(keysOf(call)).toEqual([call.id, call.id, `${call.id}:g2`]);
    expect(call.moved()).toBe(1);
  });

  it('that was too dear for a balance moves once under a new key, though the old one repeats its no for a day', async () => {
    await market.restart();
    const call = await begin(market, (seller) => setBalance(market, seller, 999));
    await market.until('Stripe has said no', () => Promise.resolve(statusesOf(call).includes(400)));
    expect(call.moved()).toBe(0);
    await setBalance(market, call.seller, 1_000_000_000);
    // Whoever waits for a balance looks at it once an hour when nobody tells of it.
    await market.sleep(HOUR_MS);
    await call.untilDone();
    expect(keysOf(call)).toEqual([call.id, `${call.id}:g2`]);
    expect(statusesOf(call)).toEqual([400, 200]);
    expect(await repeated(call)).toEqual({ status: 400, replayed: true });
    expect(call.moved()).toBe(1);
  });

  it('sends the same bytes under the same key at every attempt of a generation, whatever they were made of changes', async () => {
    const before = market.stripe.calls().totals;
    await market.restart({ settings: settings({ base: '1m', retries: 5 }) });
    market.stripe.setFaults([{ kinds: ['unavailable', 'reset_before_commit'], on: [endpoint], times: 3 }]);
    const call = await begin(market);
    await call.untilAttempted();
    await withoutTriggers(market.test.database, async (query) => {
      await query(`UPDATE refunds SET reason = 'another reason' WHERE order_id = $1`, [call.order]);
      await query(`UPDATE orders SET reference = 'another name ' || id WHERE id = $1`, [call.order]);
    });
    await market.restart({ settings: settings({ base: '1m', retries: 5 }) });
    await call.untilDone();
    expect(keysOf(call)).toEqual([call.id, call.id, call.id, call.id]);
    expect(new Set(call.posts().map(({ path, form }) => `${path} ${form}`)).size).toBe(1);
    const { keysWithDifferingRequests, writesWithoutKey } = market.stripe.calls().totals;
    expect({ keysWithDifferingRequests, writesWithoutKey }).toEqual({
      keysWithDifferingRequests: before.keysWithDifferingRequests,
      writesWithoutKey: before.writesWithoutKey,
    });
    expect(call.moved()).toBe(1);
  });

  it('given up as unknown is looked for once an hour and never sent; what Stripe finished is adopted without anybody', async () => {
    const call = await exhausted('finish_later');
    const before = readings();
    await market.sleep(4 * HOUR_MS + 30 * MINUTE_MS);
    expect(readings() - before).toBe(4);
    expect(await call.read()).toMatchObject({ certainty: 'unknown', attention: { reason: 'retries_exhausted' } });
    expect(await market.stripe.finishLater()).toBe(1);
    await market.sleep(HOUR_MS);
    await call.untilDone();
    expect(call.posts()).toHaveLength(2);
    expect(call.moved()).toBe(1);
    expect(await decisionsOn(call)).toEqual([]);
  });

  it('is not written off while Stripe holds it: the operator is told to adopt it', async () => {
    const call = await exhausted('finish_later');
    await market.stripe.finishLater();
    const writeOff = { action: 'write_off', by: 'ann', note: 'small change' };
    const handle = market.handle(kind, call.id);
    const refused = await handle.executeUpdate(resolveUpdate, { args: [writeOff] });
    expect(refused).toMatchObject({
      outcome: 'refused',
      detail: expect.stringMatching(/resolve with adopt/) as string,
    });
    expect(await call.read()).toMatchObject({ certainty: 'unknown', attention: { reason: 'retries_exhausted' } });
    const adopt = { action: 'adopt', by: 'ann', note: 'as Stripe says' };
    expect(await handle.executeUpdate(resolveUpdate, { args: [adopt] })).toMatchObject({ outcome: 'applied' });
    await call.untilDone();
    expect(call.moved()).toBe(1);
  });
});
