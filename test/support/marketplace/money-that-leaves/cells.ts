import { paymentKey } from '../../../../src/domain/calls/idempotency-keys.js';
import { newOrderId } from '../../../../src/domain/ids.js';
import { hyperswitchPaymentId } from '../../../../src/providers/hyperswitch/ids.js';
import { HOUR_MS, MINUTE_MS } from '../../durations.js';
import type { DisputeWorld } from '../dispute-world.js';
import { MONEY_EVENTS, type MoneyEvent, PROMISED, Refused, type Stage } from './events.js';
import { newsOf, type Teller, teller, WAYS, type Way } from './telling.js';

/** `before`: all of the first, then all of the second. `during`: the first while the second is under way. */
export const WHEN = ['before', 'during'] as const;

/** One pair of events; after is before, the other way round. */
export interface Pair {
  readonly first: MoneyEvent;
  readonly when: (typeof WHEN)[number];
  readonly second: MoneyEvent;
  readonly place: number;
}
export const nameOf = ({ first, when, second }: Pair): string => `${first.name} ${when} ${second.name}`;

export const PAIRS: readonly Pair[] = MONEY_EVENTS.flatMap((first) =>
  MONEY_EVENTS.filter((second) => second !== first).flatMap((second) => WHEN.map((when) => ({ first, when, second }))),
).map((pair, place) => ({ ...pair, place }));

/** How both are told, and whether the sellers had their shares before. */
export interface Cell {
  readonly pair: Pair;
  readonly first: Way;
  readonly second: Way;
  readonly sentBefore: boolean;
}
export const toldOf = ({ first, second, sentBefore }: Cell): string =>
  `told ${first}, then ${second}${sentBefore ? '' : ', nothing sent before'}`;

/** Only of a dispute does Stripe tell Hyperswitch, and what Stripe alone holds Hyperswitch does not tell. */
const waysOf = ({ isDispute, isOfStripeAlone }: MoneyEvent): readonly Way[] =>
  WAYS.filter((way) => (isDispute || way !== 'by Stripe alone') && !(isOfStripeAlone && way === 'by Hyperswitch'));

/** Every way of each event in every pair, and over all pairs every way beside every other. */
export function cellsOf(pair: Pair): readonly Cell[] {
  const [ways, others] = [waysOf(pair.first), waysOf(pair.second)];
  const count = Math.max(ways.length, others.length);
  return Array.from({ length: count }, (_, nth) => ({
    pair,
    first: ways[nth % ways.length] ?? 'by nobody',
    second: others[(nth + pair.place) % others.length] ?? 'by nobody',
    sentBefore: (nth + pair.place) % 3 !== 0,
  }));
}

/** What came of one cell at the providers. */
export interface Played {
  readonly cell: Cell;
  readonly stage: Stage;
  /** Events that a provider refused as things stood. */
  readonly refused: readonly string[];
}

export async function play(world: DisputeWorld, cell: Cell): Promise<Played> {
  const { pair } = cell;
  const stage = await openStage(world, cell.sentBefore);
  const news = newsOf(world);
  const refused: string[] = [];
  const acts = {
    first: act(stage, pair.first, cell.first, { news, refused }),
    second: act(stage, pair.second, cell.second, { news, refused }),
  };
  if (pair.when === 'during') {
    // Its reversals are not sent yet.
    await acts.second.next(() => world.settle(['payment', 'refund', 'dispute']));
    await acts.first.rest();
  } else await acts.first.rest();
  await acts.second.rest();
  world.clock.advance(2 * HOUR_MS);
  for (const { told } of [acts.first, acts.second]) await told.tellLate();
  await world.settle();
  return { cell, stage, refused };
}

async function openStage(world: DisputeWorld, sentBefore: boolean): Promise<Stage> {
  const name = newOrderId(world.clock.nowMs()).replaceAll('-', '').slice(8, 24);
  const sellers = { ada: `acct_1Ada${name}`, bob: `acct_1Bob${name}` };
  const order = await world.paid({ [sellers.ada]: PROMISED.ada, [sellers.bob]: PROMISED.bob });
  if (sentBefore) await world.settle();
  const payment = hyperswitchPaymentId(paymentKey(order));
  const charge = world.atHyperswitch.ledger().payments.find(({ id }) => id === payment)?.chargeId;
  if (!charge) throw new Error(`${payment} has no charge at Stripe`);
  return { world, order, payment, charge, sellers, ofItems: new Map(), unheard: new Set() };
}

interface Act {
  readonly told: Teller;
  /** @param work what is done once it is told */
  next(work: () => Promise<void>): Promise<void>;
  rest(): Promise<void>;
}

function act(
  stage: Stage,
  event: MoneyEvent,
  way: Way,
  {
    news,
    refused,
  }: { readonly news: () => readonly Parameters<Teller['tell']>[0][number][]; readonly refused: string[] },
): Act {
  const { world } = stage;
  const told = teller(world, way);
  const steps = [...event.steps];
  const playing = { stage, made: {}, unheard: way === 'by Stripe alone' };
  const next = async (work: () => Promise<void>): Promise<void> => {
    const step = steps.shift();
    if (!step) return;
    world.clock.advance(10 * MINUTE_MS);
    try {
      await step(playing);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused.push(event.name);
      steps.length = 0;
    }
    await told.tell(news());
    await work();
  };
  return {
    told,
    next,
    async rest() {
      while (steps.length > 0) await next(() => world.settle());
    },
  };
}
