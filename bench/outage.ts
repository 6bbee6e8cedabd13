import { createCharges } from './charges.js';
import { type Makegood, startMakegood } from './makegood.js';
import { inLanes, nowMs, pause, type Round, timed, until } from './measure.js';
import { SHARED_AT_ONCE, startSweep, sweepThrough } from './overflow.js';
import type { Place } from './place.js';

/** Longer than the 15 s in which a server may still start a workflow itself. */
const OUTAGE_MS = 20_000;
const CALLERS = 20;

/** What an outage left, from the provider's first good answer to the last settled, beside the rate without an outage. */
export async function outage(place: Place, scale: number): Promise<Round> {
  const single = await drained(place, Math.ceil(300 * scale), {
    settings: { SETTLEMENT_MAX_RPS: '100000' },
    steady: async (makegood, count) => {
      const charge = await createCharges();
      const charges = Array.from({ length: count }, charge);
      return timed(async () => {
        await inLanes(charges, CALLERS, (one) => makegood.accept(one));
        await makegood.untilSettled();
      });
    },
  });
  const shared = await drained(place, Math.ceil(4_000 * scale), {
    settings: SHARED_AT_ONCE,
    steady: (makegood, count) => sweepThrough(place, makegood, count),
  });
  return {
    ratios: { 'one each': single.drain / single.steady, overflow: shared.drain / shared.steady },
    context: {
      'one each steady/s': single.steady,
      'one each drain/s': single.drain,
      'one each noticed after s': single.noticedAfterMs / 1000,
      'overflow steady/s': shared.steady,
      'overflow drain/s': shared.drain,
      'overflow noticed after s': shared.noticedAfterMs / 1000,
    },
  };
}

interface Way {
  readonly settings: Readonly<Record<string, string>>;
  readonly steady: (makegood: Makegood, count: number) => Promise<number>;
}

async function drained(place: Place, count: number, { settings, steady }: Way) {
  const makegood = await startMakegood(place, settings);
  await steady(makegood, Math.ceil(count / 10));
  const steadyMs = await steady(makegood, count);
  const before = await makegood.settled();

  await place.setDown(true);
  const charge = await createCharges();
  await inLanes(Array.from({ length: count }, charge), CALLERS, (one) => makegood.accept(one));
  await pause(OUTAGE_MS - 5_000);
  // A sweep that lasts over the healing, as it is in production four times out of five.
  await startSweep(place);
  await pause(5_000);
  await place.setDown(false);
  const healedMs = nowMs();
  await until('the first charge settles', async () => (await makegood.settled()) > before);
  const noticedMs = nowMs();
  await makegood.untilSettled();
  const drainMs = nowMs() - noticedMs;
  await makegood.stop();
  const perSecond = (ms: number) => (count / ms) * 1000;
  return { steady: perSecond(steadyMs), drain: perSecond(drainMs), noticedAfterMs: noticedMs - healedMs };
}
