import type { FaultRule as HyperswitchFault } from '../../../../sandbox/hyperswitch/faults.js';
import type { FaultRule } from '../../../../sandbox/stripe/faults.js';
import type { OrderId } from '../../../../src/domain/ids.js';
import type { Order } from '../../../../src/domain/marketplace/marketplace.js';
import { until } from '../../until.js';
import type { Sellers } from '../world.js';
import type { MarketplaceCrashWorld } from './world.js';

/** One order with sellers of its own, and the moment from which the next fitting call is the process's last. */
export interface Scene {
  readonly world: MarketplaceCrashWorld;
  readonly sellers: Sellers;
  /** Of stories that begin with an order whose sellers have been paid. */
  readonly order: Order | undefined;
  /** Amounts, sellers and a number of its own. */
  readonly nth: number;
  /** Does nothing where nobody is to die. @param names what else the call may be about, by its name at a provider */
  readonly die: (...names: readonly string[]) => Promise<void>;
  /** Where nobody is to die, the story goes on by itself. */
  readonly somebodyDies: boolean;
}

/** How the order ends, whoever died. */
export type Ending =
  | 'unpaid'
  | 'paid'
  | 'called off'
  | 'refunded'
  | 'any'
  /** The funds are out, and the sellers have given back. */
  | 'disputed'
  | 'lost'
  /** The funds are out, and so much was not sent. */
  | 'withheld'
  /** The funds are back, and what was taken was paid again. */
  | 'restored'
  /** The funds were back before anything was taken. */
  | 'spared'
  | 'inquiry';

export interface Story {
  readonly what: string;
  /** Default: the worker. */
  readonly who?: 'server';
  /** Calls of who dies, each before and after; `#2` is the second time. */
  readonly path: readonly string[];
  /** Begins with an order whose sellers have been paid. */
  readonly sent?: true;
  /** The death comes before anybody could order it: the process is started with it. */
  readonly atOnce?: true;
  /** The calls are made in a sweep, which dies with its worker. */
  readonly inSweep?: true;
  /** The worker is killed by the story itself, while a call is on its way. */
  readonly inFlight?: true;
  readonly ending: Ending;
  tell(scene: Scene): Promise<Told>;
}

export interface Told {
  /** A promise where only the answer of a request tells it. */
  readonly order: OrderId | Promise<OrderId>;
  /** What is to be mended once the process is back. */
  readonly mend?: () => unknown;
  /** What goes on meanwhile, and must end well. */
  readonly rest?: Promise<unknown>;
}

/** A task that Temporal gave to a process as it died comes back after ten to thirty seconds (workflows/policies.ts). */
export const WITHIN = { limitMs: 90_000, everyMs: 20 };
/** A request that died with its server holds its key for a minute, and an event given out to a dead worker waits twice as long. */
export const ANSWERED = { limitMs: 600_000, everyMs: 500 };
export const first = (sellers: Sellers): string => Object.keys(sellers)[0] ?? '';
export const hyperswitchIll = ({ world }: Scene, fault: HyperswitchFault) => {
  world.hyperswitch.setFaults([fault]);
  return () => world.hyperswitch.setFaults([]);
};
export const stripeIll = ({ world, sellers }: Scene, fault: Omit<FaultRule, 'sellers'>) =>
  world.stripe.setFaults([{ times: 1, ...fault, sellers: Object.keys(sellers) }]);

/** Half of what was paid. */
export const half = ({ amount }: Order): bigint => amount / 2n;
export const given = ({ order }: Scene): Order => {
  if (!order) throw new Error('this story begins with an order that was paid and sent');
  return order;
};

/** While nobody dies, the provider is well again as soon as it was ill once. */
export const lost = (
  scene: Scene,
  kind: HyperswitchFault['kinds'][number],
  on: 'payments.create' | 'payments.cancel' | 'payments.capture' | 'refunds.create' | 'refunds.read',
) => hyperswitchIll(scene, { kinds: [kind], on: [on], ...(scene.somebodyDies ? {} : { times: 1 }) });

/** Whoever dies, dies while the provider is at work. */
export async function killedOnce({ world, somebodyDies }: Scene, there: () => boolean): Promise<void> {
  await until('the provider is at work', there, WITHIN);
  if (somebodyDies) world.worker.kill('SIGKILL');
}
