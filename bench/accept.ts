import type { Lease, NewSettlement } from '../src/ledger/settlements/settlement-types.js';
import { createCommitQueue } from '../src/sessions/gate/commit-queue.js';
import { openBareTable } from './bare.js';
import { asSession, closeOf, createCharges } from './charges.js';
import { type Makegood, startMakegood } from './makegood.js';
import { inLanes, paced, pause, percentile, type Round, timed } from './measure.js';
import type { Place } from './place.js';

const EVERY_MS = 50;
const BURST = 50;
const WARM_UP = 200;

type Act = () => Promise<unknown>;
interface Arms {
  /** Each act of the arm, ready to be timed; whatever must come before it is done. */
  readonly bare: (count: number) => Promise<Act[]>;
  readonly close: (count: number) => Promise<Act[]>;
  readonly post: (count: number) => Promise<Act[]>;
}

/** What a caller waits for: the close of a paid response and the acceptance of a posted settlement. */
async function withArms(place: Place, measure: (arms: Arms, makegood: Makegood) => Promise<Round>): Promise<Round> {
  const makegood = await startMakegood(place);
  const bare = await openBareTable(makegood.databaseUrl);
  const charge = await createCharges();
  const charges = (count: number) => Array.from({ length: count }, charge);
  const lease = await makegood.ledger.takeLease('bench', 3_600_000);
  const arms: Arms = {
    bare: async (count) => charges(count).map((one) => () => bare.insert(one)),
    post: async (count) => charges(count).map((one) => () => makegood.accept(one)),
    close: (count) => openedSessions(makegood, lease, charges(count)),
  };
  for (const arm of Object.values<Arms[keyof Arms]>({ ...arms })) await inLanes(await arm(WARM_UP), 10, (act) => act());
  await makegood.untilSettled();
  try {
    return await measure(arms, makegood);
  } finally {
    await makegood.untilSettled();
    await bare.close();
    await makegood.stop();
  }
}

async function openedSessions({ ledger, dispatcher }: Makegood, lease: Lease, charges: NewSettlement[]) {
  const queue = createCommitQueue({ ledger });
  const acts: Act[] = [];
  await inLanes(charges, 10, async (charge) => {
    const session = asSession(charge, lease);
    const opened = await ledger.openSession(session);
    if (opened !== 'opened') throw new Error(`a fresh session was answered with ${JSON.stringify(opened)}`);
    acts.push(async () => {
      if ((await queue.submit(closeOf(session, charge))) !== 'committed') throw new Error('a close was lost');
      dispatcher.dispatch(charge.id);
    });
  });
  return acts;
}

/** At 20 a second, everything that follows an acceptance going on behind it; the INSERT alone on a quiet machine. */
export function acceptAtEase(place: Place, scale: number): Promise<Round> {
  const count = Math.ceil(200 * scale);
  return withArms(place, async (arms, makegood) => {
    const latencies: Record<string, number[]> = {};
    for (const name of ['bare', 'close', 'post'] as const) {
      await place.settleDisk();
      const acts = await arms[name](count);
      await pause(500);
      latencies[name] = await paced(acts, EVERY_MS, (act) => act());
      await makegood.untilSettled();
    }
    return besideBare(latencies);
  });
}

/** Fifty at once, again and again, each burst on a quiet machine. */
export function acceptBurst(place: Place, scale: number): Promise<Round> {
  const bursts = Math.ceil(12 * scale);
  return withArms(place, async (arms, makegood) => {
    const latencies: Record<string, number[]> = { bare: [], close: [], post: [] };
    for (let burst = 0; burst < bursts; burst += 1) {
      for (const name of ['bare', 'close', 'post'] as const) {
        const acts = await arms[name](BURST);
        await pause(100);
        latencies[name]?.push(...(await Promise.all(acts.map((act) => timed(act)))));
        await makegood.untilSettled();
      }
    }
    return besideBare(latencies);
  });
}

function besideBare(latencies: Readonly<Record<string, readonly number[]>>): Round {
  const context: Record<string, number> = {};
  for (const [name, values] of Object.entries(latencies)) {
    context[`${name} p50 ms`] = percentile(values, 0.5);
    context[`${name} p99 ms`] = percentile(values, 0.99);
  }
  const ratio = (name: string) => (context[name] ?? 0) / (context[name.replace(/^\w+/, 'bare')] ?? 0);
  const names = ['close p50 ms', 'close p99 ms', 'post p50 ms', 'post p99 ms'];
  return { context, ratios: Object.fromEntries(names.map((name) => [name.replace(' ms', ''), ratio(name)])) };
}
