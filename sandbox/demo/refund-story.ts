import { plural } from '../../src/domain/plural.js';
import type { Stack } from '../stack/stack.js';
import type { Narrator } from './narrator.js';
import { openShop, type Shop, type ShopOrder, type StripeBooks } from './shop.js';

const ADA = 'acct_1AdaCeramics';
const BOB = 'acct_1BobBooks';

/** Orders, payments, transfers; Stripe down; the buyers refunded at once; Stripe back; every share taken back, once. */
export async function tellOfRefunds({ stack, narrator }: { stack: Stack; narrator: Narrator }): Promise<string[]> {
  const shop = await openShop(stack.endpoints);
  const orders = await aMarket(shop, narrator);
  await theRefunds(shop, narrator, orders);
  await stripeIsBack(shop, narrator, orders);
  await theBooks(shop, narrator, orders);
  return (await Promise.all(orders.map(shop.order))).flatMap(({ reversals }) => reversals.map(({ id }) => id));
}

async function aMarket(shop: Shop, narrator: Narrator): Promise<string[]> {
  narrator.chapter('A marketplace: three orders are paid, and each seller of each gets a Stripe transfer.');
  const sold = [
    await shop.sell({ [ADA]: 9_000, [BOB]: 1_000 }),
    await shop.sell({ [ADA]: 2_501, [BOB]: 2_499 }),
    await shop.sell({ [BOB]: 1_999 }),
  ];
  const ids = sold.map(({ id }) => id);
  for (const { id, amount, status } of sold) narrator.say(`order ${id}  ${usd(amount)}  ${status}`);
  const paid = await shop.until(ids, (orders) => transfersOf(orders).every(({ status }) => status === 'completed'));
  const transfers = transfersOf(await Promise.all(ids.map(shop.order)));
  narrator.check(
    'every seller was paid his share, once',
    paid && transfers.length === 5,
    `${transfers.length} transfers`,
  );
  return ids;
}

async function theRefunds(shop: Shop, narrator: Narrator, [whole = '', part = '']: readonly string[]): Promise<void> {
  narrator.chapter('Stripe goes down. The buyers want their money back: the first all of it, the second ten dollars.');
  await shop.stripe.down(true);
  const first = await shop.refund(whole, {}, 'refund-of-the-first');
  const second = await shop.refund(part, { amount: 1_000 }, 'ten-dollars');
  const again = await shop.refund(part, { amount: 1_000 }, 'ten-dollars');
  narrator.check(
    'both buyers are refunded at once, with Stripe down',
    [first, second].every(({ status, refunded }) => status === 202 && refunded === 'succeeded'),
  );
  narrator.check('a double click is one refund', again.id === second.id, 'same Idempotency-Key, same refund');
  const orders = [await shop.order(whole), await shop.order(part)];
  narrator.check(
    'to the buyers the orders are finished',
    orders.map(({ status }) => status).join() === 'refunded,partially_refunded',
    orders.map(({ status }) => status).join(', '),
  );
  const waiting = transfersOf(orders);
  narrator.check(
    'the sellers still have the money, and the ledger says so: reversal_pending, with a date for the next attempt',
    waiting.every(({ status, next_retry_at }) => status === 'reversal_pending' && next_retry_at !== null),
    `${waiting.length} transfers`,
  );
  await shop.until([whole, part], (found) => reversalsOf(found).every(({ retry_count }) => retry_count > 0));
  for (const { id, amount, status, retry_count } of reversalsOf([await shop.order(whole), await shop.order(part)]))
    narrator.say(`reversal ${id}  ${usd(amount)}  ${status}, ${plural(retry_count, 'failed attempt')}`);
}

async function stripeIsBack(shop: Shop, narrator: Narrator, ids: readonly string[]): Promise<void> {
  narrator.chapter('Stripe is back, and still loses the answers to two reversals that it has carried out.');
  await shop.stripe.silent(2);
  await shop.stripe.down(false);
  const done = await shop.until(ids, (orders) => reversalsOf(orders).every(({ status }) => status === 'reversed'));
  narrator.check('every share was taken back, by nobody but the workflows', done);
  const [, part = ''] = ids;
  narrator.say(
    'Shares of a part are rounded down, in the seller’s favour; the last refund takes exactly what is left:',
  );
  await shop.refund(part, {}, 'the-rest');
  const rest = await shop.until(ids, (orders) => reversalsOf(orders).every(({ status }) => status === 'reversed'));
  narrator.check('the second buyer gets the rest back, and the sellers gave no cent more or less', rest);
}

async function theBooks(shop: Shop, narrator: Narrator, ids: readonly string[]): Promise<void> {
  narrator.chapter('The two books, reversal by reversal: ours on the left, Stripe’s on the right.');
  const orders = await Promise.all(ids.map(shop.order));
  const books = await shop.stripe.books();
  const lines = reversalsOf(orders).map((ours) => ({
    ours,
    theirs: books.reversals.filter(({ metadata }) => metadata['operation_id'] === ours.id),
  }));
  for (const { ours, theirs } of lines)
    narrator.say(
      `${ours.id}  ${usd(ours.amount).padStart(10)}  ${theirs.map(({ id, amount }) => `${id}  ${usd(amount)}`).join(' and ') || 'nothing'}`,
    );
  narrator.check(
    'each is in both books, once, with the same amount and the same id',
    lines.length === books.reversals.length &&
      lines.every(({ ours, theirs }) => theirs.length === 1 && isSame(ours, theirs[0])),
    `${lines.length} reversals`,
  );
  const kept = transfersOf(orders).reduce((sum, { amount, amount_reversed }) => sum + amount - amount_reversed, 0);
  const due = orders.reduce(
    (sum, { amount, refunds }) => sum + amount - refunds.reduce((all, one) => all + one.amount, 0),
    0,
  );
  narrator.check(
    'the sellers keep exactly what the buyers did not get back',
    kept === due,
    `${usd(kept)} of ${usd(due)}`,
  );
}

const isSame = (ours: ShopOrder['reversals'][number], theirs: StripeBooks['reversals'][number] | undefined): boolean =>
  theirs !== undefined && theirs.amount === ours.amount && theirs.id === ours.stripe_reversal_id;

const transfersOf = (orders: readonly ShopOrder[]) => orders.flatMap(({ transfers }) => transfers);
const reversalsOf = (orders: readonly ShopOrder[]) => orders.flatMap(({ reversals }) => reversals);
const usd = (cents: number): string => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')} USD`;
