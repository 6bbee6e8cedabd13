import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { served } from '../../support/sessions/paying.js';
import {
  expectComeBack,
  FIXED,
  METERED,
  type OutageWorld,
  payUntilServed,
  STREAM,
  startOutageWorld,
} from '../../support/settlements/outage-world.js';

let world: OutageWorld;
beforeAll(async () => {
  world = await startOutageWorld();
}, 120_000);
afterAll(() => world.end());
afterEach(() => world.healAndCompare(), 80_000);

describe('the auth server', () => {
  it('silent while a payment is checked: 503 within the limit of the check, never a demand to pay anew', async () => {
    const who = await world.buyer(METERED);
    world.toAuthServer.blackHole('/verify/');
    const received = await who.pay();
    expectComeBack(received);
    expect(received.tookMs).toBeLessThan(12_000);
    world.toAuthServer.heal();
    await payUntilServed(who);
  }, 60_000);

  it.each([0, 20, 200])(
    'cut off after %i bytes of its answer to a check: 503, and then the credential is good',
    async (bytes) => {
      const who = await world.buyer(FIXED);
      world.toAuthServer.cutAnswerTo('/verify/', { bytes });
      expectComeBack(await who.pay());
      await payUntilServed(who);
    },
  );

  it.each([0, 20, 200])('cut off after %i bytes of its answer to a settle: charged once', async (bytes) => {
    const who = await world.buyer(FIXED);
    world.toAuthServer.cutAnswerTo('/settle/', { bytes });
    expect(served(await who.pay())).toBe(true);
    await world.finished(30_000);
    expect(await who.settled()).toHaveLength(1);
  });

  it('silent, gone and then slow under load: who was served is charged once, who was not is told to come back', async () => {
    const first = await world.buyer(FIXED);
    const crowd = [
      ...(await world.buyers(6, FIXED)),
      ...(await world.buyers(6, METERED)),
      ...(await world.buyers(3, STREAM)),
    ];
    world.toAuthServer.blackHole('/settle/');
    expect(served(await first.pay())).toBe(true);
    await wait(200);
    const received = await Promise.all(crowd.map((who) => who.pay()));
    for (const one of received) if (!served(one)) expectComeBack(one);
    world.toAuthServer.refuse();
    await wait(500);
    for (const who of crowd) expectComeBack(await who.pay());
    world.toAuthServer.heal();
    world.toAuthServer.delay(200);
    await Promise.all(crowd.map((who) => payUntilServed(who)));
    await world.finished(60_000);
    for (const who of [first, ...crowd]) expect(await who.settled()).toHaveLength(1);
  }, 120_000);
});
