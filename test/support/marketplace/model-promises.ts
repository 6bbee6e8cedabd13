import { expect } from 'vitest';
import type { OrderId } from '../../../src/domain/ids.js';
import type { Order, SellerTransfer } from '../../../src/domain/marketplace/marketplace.js';
import { larger, smaller } from '../../../src/domain/money.js';
import type { NewOrder } from '../../../src/ledger/marketplace/marketplace-types.js';
import { HOUR_MS as HOUR } from '../durations.js';
import { leftTooEarly } from './left-too-early.js';
import { type ModelCurrency, STRIPE_STEPS } from './model-stripe.js';
import type { MarketplaceModelWorld } from './model-world.js';
import { askedAbout, found, isUnreleased, SELLERS, type StoryLine } from './random-scenarios.js';

/** What holds in every story of random happenings, on the way and when all has come to rest. */

export const inMinorUnits = (lines: readonly StoryLine[], code: ModelCurrency): NewOrder['items'] =>
  lines.map(({ seller, steps, fee, release }) => ({
    sellerAccount: seller,
    amount: BigInt(steps) * STRIPE_STEPS[code],
    fee: BigInt(fee) * STRIPE_STEPS[code],
    description: 'goods',
    ...(release && { release }),
  }));

/**
 * No money twice, no key past its age, no other move, no sum beyond what there was: true at every moment; and nothing was
 * asked of Stripe that it never does.
 */
export async function holds(world: MarketplaceModelWorld, orders: readonly OrderId[]): Promise<void> {
  const { stripe } = world;
  // Whatever the database holds by itself: it refused nothing that the product tried.
  expect(world.failures.map((error) => (error instanceof Error ? error.stack : error))).toEqual([]);
  expect(stripe.broken).toEqual([]);
  const moved = [
    ...stripe.transfers().map(({ metadata }) => metadata.seller_transfer_id),
    ...stripe.reversals().map(({ metadata }) => metadata.operation_id),
  ];
  expect(new Set(moved).size).toBe(moved.length);
  for (const order of await found(world, orders)) {
    const refunded = order.refunds.filter(({ status }) => status === 'succeeded');
    expect(sum(refunded)).toBeLessThanOrEqual(order.amount);
    for (const transfer of order.transfers) {
      const ours = order.reversals.filter(({ transferId }) => transferId === transfer.id);
      const taken = ours.filter(({ status }) => status === 'reversed');
      if (transfer.certainty === 'done') expect(transfer.amountReversed).toBe(sum(taken));
      expect(sum(ours.filter(({ status }) => status !== 'written_off'))).toBeLessThanOrEqual(
        transfer.amount + transfer.offset,
      );
    }
    expect(sum(order.transfers.filter(({ origin }) => origin === 'order'))).toBeLessThanOrEqual(order.amount);
    await isSharedOut(world, order);
  }
  expect(await leftTooEarly(world)).toEqual([]);
}

/**
 * What was captured less what the buyer has again is the entitlement of the sellers and of the platform, and each seller's is what was
 * sent and not taken back, is still to be sent, or was given up: any difference is one that a person was told of, or that a cause which
 * stands no longer has left behind.
 */
async function isSharedOut({ database }: MarketplaceModelWorld, order: Order): Promise<void> {
  const rows = await database.query<{
    seller: string | null;
    entitled: string;
    has: string;
    given_up: string;
    at_risk: boolean;
  }>(
    `SELECT s.seller_account AS seller, s.promised - s.due_back AS entitled,
       coalesce((SELECT sum(amount + offset_amount) FROM seller_transfers WHERE order_id = $1 AND seller_account = s.seller_account), 0)
         - coalesce((SELECT sum(amount) FROM reversals WHERE order_id = $1 AND seller_account = s.seller_account
             AND (NOT voided OR status = 'reversed')), 0) AS has,
       coalesce((SELECT sum(amount + offset_amount) FROM seller_transfers WHERE order_id = $1 AND seller_account = s.seller_account
         AND written_off_at IS NOT NULL), 0) AS given_up,
       EXISTS (SELECT 1 FROM refunds WHERE order_id = $1 AND (failed_at IS NOT NULL OR attention_reason IS NOT NULL)) AS at_risk
     FROM order_shares s WHERE order_id = $1`,
    [order.id],
  );
  const refunded = sum(order.refunds.filter(({ status }) => status === 'succeeded'));
  const entitled = rows.reduce((all, row) => all + BigInt(row.entitled), 0n);
  expect(entitled).toBe((order.payment?.captured.surely ?? 0n) - refunded);
  expect(rows.find(({ seller }) => seller === null)?.entitled ?? '0').toBe(order.platform.kept.toString());
  for (const { seller, entitled: share, has, given_up: unpaid, at_risk: atRisk } of rows) {
    if (seller === null || atRisk) continue;
    // What is given back of a share that was given up is taken of that alone, and it keeps the amount that Stripe may turn out to hold.
    const back = larger(0n, smaller(BigInt(has) - BigInt(share), BigInt(unpaid)));
    expect(`${seller} ${BigInt(has) - back}`).toBe(`${seller} ${share}`);
  }
}
const sum = (items: readonly { readonly amount: bigint }[]): bigint =>
  items.reduce((all, { amount }) => all + amount, 0n);

/** All answers come, time passes, sellers have money, and a person answers what is asked. */
export async function comeToRest(world: MarketplaceModelWorld, orders: readonly OrderId[]): Promise<void> {
  const { stripe, hyperswitch, clock, deaths: planned } = world;
  planned.length = 0;
  stripe.heal();
  hyperswitch.heal();
  for (const seller of SELLERS) stripe.credit(seller, 1_000_000n);
  for (let day = 0; day < 40; day += 1) {
    for (const refund of hyperswitch.refunds()) if (refund.status === 'pending') hyperswitch.turn(refund, 'succeeded');
    clock.advance(2 * HOUR);
    await world.reconcile();
    for (const seller of SELLERS) await world.survive(() => world.ledger.balanceRose(seller));
    for (const { transfers } of await found(world, orders))
      for (const { id } of transfers.filter(isUnreleased))
        await world.survive(() => world.ledger.releaseHeld(id, 'shop'));
    for (const item of await world.due()) await world.advance(item);
    for (const asked of await askedAbout(world, orders)) await answerTo(world, asked);
    if (day > 3 && (await isAtRest(world, orders))) return;
  }
  const restless = (await found(world, orders)).flatMap(({ transfers, reversals, refunds }) =>
    [...transfers, ...reversals, ...refunds]
      .filter(({ status, attention }) => attention !== null || !FINAL.has(status))
      .map((one) => ({ ...one, amount: `${one.amount}` })),
  );
  expect(restless, 'at rest').toEqual('at rest');
}

const FINAL: ReadonlySet<string> = new Set([
  'completed',
  'cancelled',
  'reversed',
  'partially_reversed',
  'succeeded',
  'written_off',
]);

async function answerTo(
  world: MarketplaceModelWorld,
  asked: Awaited<ReturnType<typeof askedAbout>>[number],
): Promise<void> {
  if (asked.kind === 'refund') {
    if (asked.attention?.reason === 'conflict') return await world.advance(asked);
    return await world.decide(asked, 'compensate');
  }
  const ended = asked.certainty === 'done' || asked.status === 'cancelled' || asked.status === 'written_off';
  const reason = asked.attention?.reason;
  // What Stripe can reverse no more, because its transfer was sent for less, is owed.
  if (reason === 'exceeds_remainder' && asked.kind === 'reversal') return await world.decide(asked, 'offset');
  await world.decide(asked, reason === 'release_overdue' ? 'release' : ended ? 'adopt' : 'retry');
}

async function isAtRest(world: MarketplaceModelWorld, orders: readonly OrderId[]): Promise<boolean> {
  const all = await found(world, orders);
  return all.every(({ transfers, reversals, refunds }) => {
    const waitsForDebts = ({ id, status }: SellerTransfer) =>
      status === 'reversal_pending' && reversals.every((one) => one.transferId !== id || one.status !== 'pending');
    return (
      // One that is tried again by a person's word stays permanently failed until it is completed.
      transfers.every(
        (one) =>
          one.attention === null &&
          one.nextRetryAt === null &&
          (!['pending', 'held', 'failed', 'reversal_pending'].includes(one.status) || waitsForDebts(one)),
      ) &&
      reversals.every(
        (one) =>
          one.attention === null &&
          (one.debt?.state === 'open' || !['pending', 'waiting_balance'].includes(one.status)),
      ) &&
      refunds.every((one) => one.attention === null || one.attention.reason === 'conflict')
    );
  });
}

/** Both ledgers tell the same, and every seller has what was promised less what is due back. */
export async function isRight(
  world: MarketplaceModelWorld,
  orders: readonly OrderId[],
  story: readonly (readonly StoryLine[])[],
): Promise<void> {
  const all = await found(world, orders);
  const { stripe } = world;
  expect(
    stripe
      .transfers()
      .map(({ stripeTransferId, amount }) => `${stripeTransferId} ${amount}`)
      .sort(),
  ).toEqual(
    all
      .flatMap(({ transfers }) => transfers)
      .filter((one) => one.stripeTransferId !== null)
      .map((one) => `${one.stripeTransferId} ${one.amount}`)
      .sort(),
  );
  expect(
    stripe
      .reversals()
      .map(({ stripeReversalId, amount }) => `${stripeReversalId} ${amount}`)
      .sort(),
  ).toEqual(
    all
      .flatMap(({ reversals }) => reversals)
      .filter(({ status, debt }) => status === 'reversed' && debt?.state !== 'taken')
      .map((one) => `${one.stripeReversalId} ${one.amount}`)
      .sort(),
  );
  for (const [place, order] of all.entries()) {
    const refunds = world.hyperswitch
      .refunds()
      .filter((one) => one.hyperswitchPaymentId === order.payment?.hyperswitchPaymentId);
    const refunded = sum(refunds.filter(({ status }) => status === 'succeeded'));
    expect(sum(order.refunds.filter(({ status }) => status === 'succeeded'))).toBe(refunded);
    for (const seller of SELLERS) {
      const due = leftWith(seller, story[place]!, { order, refunded, moves: STRIPE_STEPS[world.currency] });
      const has =
        sum(stripe.transfers().filter((one) => one.transferGroup === order.id && one.destination === seller)) -
        sum(
          stripe
            .reversals()
            .filter(
              ({ metadata, stripeTransferId }) =>
                metadata.order_id === order.id &&
                stripe
                  .transfers()
                  .some((one) => one.stripeTransferId === stripeTransferId && one.destination === seller),
            ),
        );
      const gave = await givenUp(world, order, seller);
      const owes = await offsetsOf(world, order, seller);
      // What was kept of his transfers he has; what of this order was kept of others is taken, and what is open is still to be.
      const left = has + owes.keptOfThese - owes.takenOfThese - owes.open;
      expect(left, `${seller} of order ${place}`).toBeGreaterThanOrEqual(due.least - gave.notSent);
      expect(left, `${seller} of order ${place}`).toBeLessThanOrEqual(due.most + gave.notTaken);
    }
  }
}

/**
 * Of the first and the third order exactly what decision 0016 says. Of the second, by what is given back of each line: all of it, nothing, or within
 * what the fee and rounding leave open.
 */
function leftWith(
  seller: string,
  lines: readonly StoryLine[],
  { order, refunded, moves }: { readonly order: Order; readonly refunded: bigint; readonly moves: bigint },
): { readonly least: bigint; readonly most: bigint } {
  const own = lines.map((one, nth) => ({ ...one, item: order.items[nth]! })).filter((one) => one.seller === seller);
  const standing = order.refunds.filter(({ status }) => status === 'succeeded');
  if (standing.every(({ items }) => items === null)) {
    // Whatever the releases of his lines, the seller gives back of them together, rounded once.
    const promised = own.reduce((all, { steps, fee }) => all + BigInt(steps - fee), 0n);
    const left = (promised - (promised * refunded) / order.amount) * moves;
    return { least: left, most: left };
  }
  const backOf = (id: string) =>
    sum(standing.flatMap(({ items }) => items?.filter(({ itemId }) => itemId === id) ?? []));
  // What lies on a line that has no room for it, because another refund names that line, has moved to lines that have.
  const moved = order.items.reduce((all, { id, amount }) => all + larger(0n, backOf(id) - amount), 0n);
  let [least, most] = [0n, 0n];
  for (const { item } of own) {
    const net = item.amount - item.fee;
    const given = smaller(backOf(item.id), item.amount);
    const givenAtMost = smaller(given + moved, item.amount);
    const kept = standing.some(({ fee }) => fee === 'keep');
    const cents = moves * BigInt(order.refunds.length + 1);
    const proportional = (net * given) / item.amount;
    const borne = {
      least: larger(0n, proportional - cents),
      most: smaller(net, (kept ? givenAtMost : (net * givenAtMost) / item.amount) + cents),
    };
    if (given === 0n) most += net;
    else most += net - borne.least;
    least += givenAtMost === 0n ? net - smaller(net, cents) : net - borne.most;
  }
  return { least, most };
}

/** What of the seller's transfers of this order was kept, what of its debts other transfers have paid, and what he owes still. */
async function offsetsOf(
  { database }: MarketplaceModelWorld,
  order: Order,
  seller: string,
): Promise<{ keptOfThese: bigint; takenOfThese: bigint; open: bigint }> {
  const [row] = await database.query<{ kept: string; taken: string; open: string }>(
    `SELECT coalesce((SELECT sum(o.amount) FROM debt_offsets o JOIN seller_transfers t ON t.id = o.transfer_id
         WHERE t.order_id = $1 AND t.seller_account = $2 AND o.status = 'moved'), 0) AS kept,
       coalesce((SELECT sum(o.amount) FROM debt_offsets o JOIN reversals r ON r.id = o.reversal_id
         WHERE r.order_id = $1 AND r.seller_account = $2 AND o.status = 'moved'), 0) AS taken,
       coalesce((SELECT sum(amount) FROM reversals WHERE order_id = $1 AND seller_account = $2 AND status = 'waiting_balance'), 0) AS open`,
    [order.id, seller],
  );
  return { keptOfThese: BigInt(row?.kept ?? 0), takenOfThese: BigInt(row?.taken ?? 0), open: BigInt(row?.open ?? 0) };
}

/** What a person gave up, and what no refund could lend its name to: the only ways in which a seller's money may differ. */
async function givenUp(
  world: MarketplaceModelWorld,
  order: Order,
  seller: string,
): Promise<{ notSent: bigint; notTaken: bigint }> {
  const [row] = await world.database.query<{ not_sent: string; not_taken: string }>(
    `SELECT coalesce((SELECT sum(amount) FROM seller_transfers WHERE order_id = $1 AND seller_account = $2 AND written_off_at IS NOT NULL), 0) AS not_sent,
       coalesce((SELECT sum(amount) FROM reversals WHERE order_id = $1 AND seller_account = $2 AND status = 'written_off' AND NOT voided), 0) AS not_taken`,
    [order.id, seller],
  );
  const dismissed = order.refunds.flatMap(({ id }) => world.dismissed.get(id) ?? []);
  const asked = order.refunds.flatMap(({ attention }) => attention?.detail ?? []);
  const due = [...asked, ...dismissed].filter((detail) => detail.includes('are due and cannot be taken back'));
  const nameless = told(due, /(\d+) [A-Z]{3} of (acct_\w+)/g, seller);
  const unpaid = told(dismissed, /(\d+) [A-Z]{3} to (acct_\w+)/g, seller);
  return { notSent: BigInt(row?.not_sent ?? 0) + unpaid, notTaken: BigInt(row?.not_taken ?? 0) + nameless };
}

const told = (details: readonly string[], said: RegExp, seller: string): bigint =>
  details
    .flatMap((detail) => [...detail.matchAll(said)])
    .filter(([, , whose]) => whose === seller)
    .reduce((all, [, amount]) => all + BigInt(amount ?? 0), 0n);
