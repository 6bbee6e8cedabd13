import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE_TOKEN } from '../../support/processes/start-process.js';
import { served } from '../../support/sessions/paying.js';
import {
  type Buyer,
  expectComeBack,
  FIXED,
  METERED,
  type OutageWorld,
  payUntilServed,
  STREAM,
  startOutageWorld,
} from '../../support/settlements/outage-world.js';
import { until } from '../../support/until.js';
import { sampleOf } from '../../support/whole-or-sample.js';

let world: OutageWorld;
beforeAll(async () => {
  world = await startOutageWorld();
}, 120_000);
afterAll(() => world.end());
afterEach(() => world.healAndCompare(), 80_000);

describe('Postgres', () => {
  it('killed under load: clear errors while it is away, and whatever was served is collected', async () => {
    const crowd = [
      ...(await world.buyers(10, FIXED)),
      ...(await world.buyers(10, METERED)),
      ...(await world.buyers(5, STREAM)),
    ];
    let whole = 0;
    const paying = async (who: Buyer) => {
      const received = await who.pay();
      if (served(received)) whole += 1;
      return received;
    };
    const receiving = crowd.map(paying);
    await until('some are served', () => whole > 2, { limitMs: 10_000, everyMs: 1 });
    world.killPostgres();
    const first = await Promise.all(receiving);
    expect(first.filter((received) => !served(received)).length).toBeGreaterThan(0);
    for (const received of first) {
      if (received.status === 503) expectComeBack(received);
      else expect(received.status === undefined || received.status === 200).toBe(true);
      expect(received.tookMs).toBeLessThan(16_000);
    }
    await until('the server notices', async () => (await world.api('/readyz', SERVICE_TOKEN)).status === 503, {
      limitMs: 16_000,
    });
    const late = await crowd[0]!.pay();
    expectComeBack(late);
    expect(late.tookMs).toBeLessThan(16_000);
    expectComeBack(await world.api('/api/v1/settlements', SERVICE_TOKEN));
    expectComeBack(await world.api('/readyz', SERVICE_TOKEN));
    await world.restartPostgres();
    await until('the server is ready again', async () => (await world.api('/readyz', SERVICE_TOKEN)).status === 200, {
      limitMs: 20_000,
    });
    await world.finished(60_000);
    for (const [index, who] of crowd.entries()) {
      const settled = await who.settled();
      if (served(first[index]!)) expect(settled).toHaveLength(1);
      expect(settled.length).toBeLessThanOrEqual(1);
    }
    await payUntilServed(await world.buyer(METERED));
  }, 120_000);

  it('slow: everything is served and collected, only later', async () => {
    const crowd = [...(await world.buyers(5, FIXED)), ...(await world.buyers(5, METERED))];
    world.toPostgres.delay(150);
    const received = await Promise.all(crowd.map((who) => who.pay()));
    expect(received.map(({ status, complete, body }) => ({ status, complete, body }))).toEqual(
      crowd.map(() => ({ status: 200, complete: true, body: expect.any(String) })),
    );
  });

  it('silent: a request is told to come back within seconds, and afterwards its credential is good', async () => {
    const [open, closing] = await world.buyers(2, FIXED);
    world.toPostgres.blackHole('open_payment_session');
    const received = await open!.pay();
    expectComeBack(received);
    expect(received.tookMs).toBeLessThan(16_000);
    const next = await closing!.pay();
    expectComeBack(next);
    expect(next.tookMs).toBeLessThan(1_000);
    expectComeBack(await world.api('/api/v1/settlements', SERVICE_TOKEN));
    world.toPostgres.heal();
    await payUntilServed(open!);
    await payUntilServed(closing!);
  }, 90_000);

  it('silent at the close: the response is cut off within ten seconds, neither served nor billed', async () => {
    const who = await world.buyer(FIXED);
    world.toPostgres.blackHole('commit_one_session');
    const received = await who.pay();
    expect(received).toMatchObject({ complete: false, body: '' });
    expect(received.tookMs).toBeLessThan(12_000);
    world.toPostgres.heal();
    await world.finished(40_000);
    expect(await who.settled()).toEqual([]);
    await payUntilServed(who);
  }, 90_000);

  const CUT_OFF = sampleOf(
    'answers of Postgres that are cut off',
    [
      ['the opening', 503, 'open_payment_session', undefined],
      ['the close', 200, 'commit_one_session', undefined],
      ['the claim', 200, 'claim_settlements', undefined],
      ['the record of the answer', 200, 'COMMIT', 'FOR NO KEY UPDATE'],
    ] as const,
    { nameOf: ([what]) => what, oneIn: 2 },
  );
  it.each(CUT_OFF)(
    'cut off while it confirms %s: nothing is lost and nothing doubled',
    async (_what, status, statement, after) => {
      const who = await world.buyer(METERED);
      world.toPostgres.cutAnswerTo(statement, after === undefined ? {} : { after });
      const received = await who.pay();
      expect(received.status).toBe(status);
      if (status === 503) {
        expectComeBack(received);
        await payUntilServed(who);
      }
      await world.finished(40_000);
      expect(await who.settled()).toHaveLength(1);
    },
    60_000,
  );
});
