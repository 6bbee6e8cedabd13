import { Client, Connection, ScheduleOverlapPolicy } from '@temporalio/client';
import { SETTLEMENT_LANES } from '../src/domain/sweep-lanes.js';
import { createCharges } from './charges.js';
import { type Makegood, startMakegood } from './makegood.js';
import { type Round, timed } from './measure.js';
import type { Place } from './place.js';
import { startPoller } from './poller.js';

/** Everything is a backlog, and the pace is not what is measured. */
export const SHARED_AT_ONCE = { SETTLEMENT_OVERFLOW_BACKLOG: '1', SETTLEMENT_MAX_RPS: '100000' };

/** Shared workflows beside a small loop, both over the same rows of the same tables. */
export async function overflow(place: Place, scale: number): Promise<Round> {
  const count = Math.ceil(4_000 * scale);
  const poller = await byPoller(place, count);
  const shared = await bySharedWorkflows(place, count);
  return { ratios: { poller: shared / poller }, context: { 'makegood/s': shared, 'poller/s': poller } };
}

async function bySharedWorkflows(place: Place, count: number): Promise<number> {
  const makegood = await startMakegood(place, SHARED_AT_ONCE);
  await sweepThrough(place, makegood, Math.ceil(count / 10));
  const tookMs = await sweepThrough(place, makegood, count);
  await makegood.stop();
  return (count / tookMs) * 1000;
}

/** Stores a backlog, starts a sweep and waits for the last of it. @returns milliseconds */
export async function sweepThrough(place: Place, makegood: Makegood, count: number): Promise<number> {
  const charge = await createCharges();
  await makegood.store(Array.from({ length: count }, charge));
  await place.settleDisk();
  return timed(async () => {
    await startSweep(place);
    await makegood.untilSettled();
  });
}

/** Now, instead of at the schedules' next minute; never two of one at once. */
export async function startSweep(place: Place): Promise<void> {
  const connection = await Connection.connect({ address: place.temporal });
  const { schedule } = new Client({ connection });
  for (const lane of SETTLEMENT_LANES)
    await schedule.getHandle(`makegood-${lane}-sweep`).trigger(ScheduleOverlapPolicy.BUFFER_ONE);
  await connection.close();
}

async function byPoller(place: Place, count: number): Promise<number> {
  const makegood = await startMakegood(place);
  const charge = await createCharges();
  const run = async (many: number) => {
    await makegood.store(Array.from({ length: many }, charge));
    await place.settleDisk();
    return timed(async () => {
      const poller = startPoller(makegood.databaseUrl, place.authServerUrl, Buffer.alloc(32, 1));
      await makegood.untilSettled();
      await poller.stop();
    });
  };
  await run(Math.ceil(count / 10));
  const tookMs = await run(count);
  await makegood.stop();
  return (count / tookMs) * 1000;
}
