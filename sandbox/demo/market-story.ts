import { isDeepStrictEqual } from 'node:util';
import type { Stack } from '../stack/stack.js';
import { type Market, type MarketOrder, openMarket } from './market.js';
import { type OrderBooks, ourBooks, providersBooks, stripesBooks } from './market-books.js';
import type { Narrator } from './narrator.js';

const ADA = 'acct_1AdaLamps';
const BOB = 'acct_1BobChairs';
/** Ten per cent of the lamp and a fixed sum of the chair are the platform's, and a line of its own. */
const BASKET = [
  { seller_account: ADA, amount: 6_000, fee: { basis_points: 1_000 }, description: 'a lamp' },
  { seller_account: BOB, amount: 4_000, fee: 333, description: 'a chair' },
  { amount: 700, description: 'gift wrapping' },
];

interface Tale {
  readonly market: Market;
  readonly narrator: Narrator;
}

/** Fees, one item returned, money that is not there yet, a dispute lost and one won; then three books, order by order. */
export async function tellOfTheMarket({ stack, narrator }: { stack: Stack; narrator: Narrator }): Promise<void> {
  const tale = { market: openMarket(stack.endpoints), narrator };
  const sold = await withFees(tale);
  await oneItem(tale, sold);
  const late = await moneyThatIsPending(tale);
  const lost = await aDispute(tale, 'lose');
  const won = await aDispute(tale, 'win');
  await threeBooks(tale, [sold, late, lost, won]);
}

async function withFees({ market, narrator }: Tale): Promise<string> {
  await market.stripe.settlesIn(2);
  narrator.chapter(
    'The platform has lines and fees of its own. A new platform has no money at Stripe, and its buyers’ is pending.',
  );
  const { id } = await market.sell(BASKET);
  const paid = await market.until(id, isPaidOut);
  const order = await market.order(id);
  narrator.check(
    'every seller has his lines less the fee, out of the buyer’s own charge',
    paid && isDeepStrictEqual(ourBooks(order).sellers, { [ADA]: 5_400, [BOB]: 3_667 }),
    order.transfers.map((one) => `${one.seller_account} ${usd(one.amount)}`).join(', '),
  );
  narrator.check('the rest is the platform’s', order.platform.kept === 1_633, usd(order.platform.kept));
  return id;
}

async function oneItem({ market, narrator }: Tale, id: string): Promise<void> {
  narrator.chapter('The lamp is returned. It is one item of one seller.');
  const before = await market.order(id);
  const lamp = before.items.find((item) => item.seller_account === ADA);
  await market.refund(id, { items: [{ item_id: lamp?.id, amount: 6_000 }] });
  const waits = await market.until(id, ({ reversals }) => reversals.some(({ status }) => status === 'waiting_balance'));
  narrator.check('what its seller got is not available to him for two days, so the reversal waits for it', waits);
  await market.stripe.passDays(2);
  const back = await market.until(id, (order) => order.reversals.length > 0 && isTakenBack(order));
  const order = await market.order(id);
  narrator.check(
    'its seller gives back what he got for it, and the platform its fee; the other seller nothing',
    back && isDeepStrictEqual(ourBooks(order).sellers, { [BOB]: 3_667 }) && order.platform.kept === 1_033,
    order.reversals.map((one) => `${one.seller_account} ${usd(one.amount)}`).join(', '),
  );
}

async function moneyThatIsPending({ market, narrator }: Tale): Promise<string> {
  narrator.chapter('A buyer pays by bank debit. Stripe lets nobody draw on that before it is there: in two days.');
  const { id } = await market.sell(BASKET, 'us_bank_account');
  const waits = await market.until(id, (order) => isAll(order, 'waiting_platform_balance'));
  narrator.check('the transfers wait for the platform’s balance, and burn no retry', waits);
  narrator.say('Two days pass at Stripe; it tells us that the balance has become available.');
  await market.stripe.passDays(2);
  const paid = await market.until(id, isPaidOut);
  await market.stripe.settlesIn(0);
  narrator.check('they are sent by themselves, once', paid && (await market.order(id)).transfers.length === 2);
  return id;
}

async function aDispute({ market, narrator }: Tale, how: 'win' | 'lose'): Promise<string> {
  narrator.chapter(
    how === 'lose'
      ? 'A buyer disputes his payment, and his bank takes the money at once. The dispute is lost.'
      : 'Another one is disputed. This dispute is won, and the money comes back.',
  );
  const { id } = await market.sell(BASKET);
  await market.until(id, isPaidOut);
  const dispute = await market.dispute(await market.order(id));
  const taken = await market.until(id, (order) => order.reversals.length === 2 && isTakenBack(order));
  narrator.check('the sellers’ shares follow the money: out of their balances, once', taken);
  await market.endDispute(dispute, how);
  // What comes back is there when Stripe's day has come.
  if (how === 'win') await market.stripe.passDays(2);
  if (how === 'lose') {
    const lost = await market.until(id, ({ disputes }) => disputes[0]?.status === 'lost');
    const order = await market.order(id);
    narrator.check('lost, nobody gets anything back', lost && Object.keys(ourBooks(order).sellers).length === 0);
    return id;
  }
  const won = await market.until(
    id,
    (order) =>
      order.disputes[0]?.funds === 'back' && isDeepStrictEqual(ourBooks(order).sellers, { [ADA]: 5_400, [BOB]: 3_667 }),
  );
  narrator.check('won, each seller has again exactly what the dispute took of him, and nobody had to decide', won);
  return id;
}

async function threeBooks({ market, narrator }: Tale, ids: readonly string[]): Promise<void> {
  narrator.chapter('Three books, order by order: ours, Stripe’s, and the payment provider’s.');
  let agree = 0;
  for (const id of ids) {
    const order = await market.order(id);
    const [ours, stripes, providers] = [
      ourBooks(order),
      await stripesBooks(market, order),
      await providersBooks(market, order),
    ];
    const same =
      isDeepStrictEqual(ours, stripes) && providers.paid === ours.paid && providers.refunded === ours.refunded;
    agree += Number(same);
    narrator.say(`${id}  ${inWords(ours)}  ${same ? '✓' : `✗ Stripe: ${inWords(stripes)}`}`);
  }
  narrator.check(
    'they are equal line by line, the platform’s own share included',
    agree === ids.length,
    `${agree} orders`,
  );
}

const inWords = ({ paid, refunded, disputed, sellers, platform }: OrderBooks): string =>
  `paid ${usd(paid)}, refunded ${usd(refunded)}, disputed ${usd(disputed)}, sellers ${
    Object.values(sellers).map(usd).join(' + ') || 'nothing'
  }, platform ${usd(platform)}`;

const isPaidOut = (order: MarketOrder): boolean => isAll(order, 'completed');
const isAll = ({ transfers }: MarketOrder, status: string): boolean =>
  transfers.length > 0 && transfers.every((one) => one.status === status);
const isTakenBack = ({ reversals }: MarketOrder): boolean => reversals.every(({ status }) => status === 'reversed');
const usd = (cents: number): string =>
  `${cents < 0 ? '-' : ''}${Math.floor(Math.abs(cents) / 100)}.${String(Math.abs(cents) % 100).padStart(2, '0')} USD`;
