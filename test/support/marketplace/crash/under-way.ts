import { expect } from 'vitest';
import type { FaultRule as HyperswitchFault } from '../../../../sandbox/hyperswitch/faults.js';
import type { FaultRule } from '../../../../sandbox/stripe/faults.js';
import type { MarketplaceKind } from '../../../../src/domain/marketplace/marketplace.js';
import type { MarketplaceItem } from '../../../../src/ledger/marketplace/marketplace-types.js';
import { until } from '../../until.js';
import { expectMarketplaceLedgersEqual, expectSharesExact, marketplaceRows } from '../ledger-comparison.js';
import { WITHIN } from './story.js';
import type { MarketplaceCrashWorld } from './world.js';

/** One item of each kind. */
export type OneOfEach = Readonly<Record<Exclude<MarketplaceKind, 'dispute'>, MarketplaceItem>>;

interface Ailments {
  readonly stripe: readonly FaultRule[];
  readonly hyperswitch: readonly HyperswitchFault[];
}
export interface Illness extends Ailments {
  /** What ails a provider instead once its calls have come: before a worker sends, it has to be able to read. */
  readonly afterwards?: Ailments;
}

/** Every call is carried out, and its answer and every look after it are lost: nobody knows whether the money moved. */
export const ANSWERS_LOST: Illness = {
  stripe: [{ kinds: ['hang_after_commit'], ms: 3_000 }],
  hyperswitch: [{ kinds: ['hang_after_commit'], ms: 3_000, on: ['payments.create', 'refunds.create'] }],
  afterwards: {
    stripe: [{ kinds: ['unavailable'], on: ['transfers.read', 'transfers.list', 'reversals.list'] }],
    hyperswitch: [{ kinds: ['http_503'], on: ['payments.read', 'refunds.read', 'refunds.list'] }],
  },
};

type Creates = 'transfers.create' | 'reversals.create' | 'payments.create' | 'refunds.create';

/** POSTs that have reached a provider, whatever became of them. */
export const sendsOf = ({ stripe, hyperswitch }: MarketplaceCrashWorld, ...which: readonly Creates[]): number =>
  [...stripe.calls().calls, ...hyperswitch.calls().calls].filter(({ endpoint }) =>
    which.some((one) => one === endpoint),
  ).length;

/** POSTs to Stripe for these items, under whatever key of theirs. */
export const stripePostsFor = (
  { stripe }: MarketplaceCrashWorld,
  ...items: readonly MarketplaceItem[]
): readonly number[] =>
  items.map(({ id }) =>
    stripe
      .calls()
      .keys.filter(({ key }) => key.startsWith(id))
      .reduce((sum, { calls }) => sum + calls, 0),
  );

let orders = 0;
/** Of one seller whom nobody else has. */
const aSeller = () => ({ [`acct_1Under${(orders += 1)}`]: BigInt(2_000 + orders) });

/** Paid, and its seller has the share. */
export async function sentOrder({ shop }: MarketplaceCrashWorld) {
  const { id } = await shop.paidOrder(aSeller());
  return await until(
    'the seller is paid',
    async () => {
      const order = await shop.find(id);
      return order.transfers.every(({ status }) => status === 'completed') && order;
    },
    WITHIN,
  );
}

/** A payment, a refund, a transfer and a reversal, each of which has reached its provider when that was ill. */
export async function putUnderWay(world: MarketplaceCrashWorld, illness: Illness): Promise<OneOfEach> {
  const { shop } = world;
  const [toRefund, toReverse] = [await sentOrder(world), await sentOrder(world)];
  const bought = await shop.order(aSeller());
  const reached = (...which: readonly Creates[]) => {
    const before = which.map((one) => sendsOf(world, one));
    return () =>
      until(
        `${which.join(' and ')} have been reached`,
        () => which.every((one, nth) => sendsOf(world, one) > before[nth]!),
        WITHIN,
      );
  };
  world.stripe.setFaults(illness.stripe);
  const atStripe = reached('transfers.create', 'reversals.create');
  await shop.refund(toReverse.id);
  const sold = await shop.paidOrder(aSeller());
  await atStripe();
  if (illness.afterwards) world.stripe.setFaults(illness.afterwards.stripe);

  const [payment, refund] = [await shop.placePayment(bought.id), await shop.placeRefund(toRefund.id)];
  world.hyperswitch.setFaults(illness.hyperswitch);
  const atHyperswitch = reached('payments.create', 'refunds.create');
  world.wake([
    { kind: 'payment', id: payment },
    { kind: 'refund', id: refund },
  ]);
  await atHyperswitch();
  if (illness.afterwards) world.hyperswitch.setFaults(illness.afterwards.hyperswitch);
  const [transfer] = sold.transfers;
  const [reversal] = (await shop.find(toReverse.id)).reversals;
  if (!reversal || !transfer) throw new Error('there is no share to send or to take back');
  return {
    payment: { kind: 'payment', id: payment },
    refund: { kind: 'refund', id: refund },
    transfer: { kind: 'transfer', id: transfer.id },
    reversal: { kind: 'reversal', id: reversal.id },
  };
}

/** Both providers are well, and no sweep waits for the minute after which it looks at an item again. */
export async function heal({ stripe, hyperswitch, test }: MarketplaceCrashWorld): Promise<void> {
  stripe.setFaults([]);
  hyperswitch.setFaults([]);
  for (const table of ['payments', 'refunds', 'seller_transfers', 'reversals'])
    await test.database.query(`UPDATE ${table} SET next_check_at = clock_now() WHERE next_check_at IS NOT NULL`);
}

/** Everything is over: each movement is at its provider once, is known here, and nobody was asked about it. */
export async function expectMovedOnce(world: MarketplaceCrashWorld): Promise<void> {
  const rows = await marketplaceRows(world.test.url);
  expectMarketplaceLedgersEqual(rows, world);
  await expectSharesExact(world.test.url);
  const unsure = rows.filter(({ certainty, attention_reason: reason }) => certainty !== 'done' || reason !== null);
  expect(unsure).toEqual([]);
}
