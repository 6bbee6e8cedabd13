import type { Market, MarketOrder } from './market.js';

/** One order in the books of those who hold its money; minor units. */
export interface OrderBooks {
  readonly paid: number;
  readonly refunded: number;
  readonly disputed: number;
  /** By seller: sent and not taken back. */
  readonly sellers: Readonly<Record<string, number>>;
  /** What is left for the platform. */
  readonly platform: number;
}

export function ourBooks(order: MarketOrder): OrderBooks {
  const sent = order.transfers.filter((one) => one.stripe_transfer_id !== null);
  const out = order.disputes.filter(({ funds }) => funds === 'out');
  return {
    paid: order.amount,
    refunded: sum(order.refunds.filter(({ status }) => status === 'succeeded')),
    disputed: sum(out),
    sellers: bySeller(sent.map((one) => [one.seller_account, one.amount - one.amount_reversed])),
    platform: order.platform.kept,
  };
}

/** Stripe's: from its charge, refunds, movements for disputes and transfers, of which it knows by our mark. */
export async function stripesBooks(market: Market, order: MarketOrder): Promise<OrderBooks> {
  const books = await market.stripe.books();
  const intent = await market.intentOf(order.id);
  const [charge] = books.charges.filter(({ payment_intent: of }) => of === intent);
  if (!charge) throw new Error(`Stripe has no charge of ${order.id}`);
  const refunded = sum(books.refunds.filter((one) => one.charge === charge.id && one.status === 'succeeded'));
  const disputes = books.disputes.filter((one) => one.charge === charge.id);
  const disputed = 0 - sum(disputes.flatMap((one) => one.balance_transactions));
  const transfers = books.transfers.filter(({ metadata }) => metadata['order_id'] === order.id);
  const sellers = bySeller(transfers.map((one) => [one.destination, one.amount - one.amount_reversed]));
  return {
    paid: charge.amount,
    refunded,
    disputed,
    sellers,
    platform: charge.amount - refunded - disputed - Object.values(sellers).reduce((all, one) => all + one, 0),
  };
}

/** The payment provider knows the buyer alone. */
export async function providersBooks(
  market: Market,
  order: MarketOrder,
): Promise<Pick<OrderBooks, 'paid' | 'refunded'>> {
  const books = await market.providersBooks();
  const payment = books.payments.find(({ id }) => id === order.payment_id);
  const refunds = books.refunds.filter((one) => one.paymentId === order.payment_id && one.status === 'succeeded');
  return { paid: payment?.received ?? 0, refunded: sum(refunds) };
}

const sum = (rows: readonly { readonly amount: number }[]): number => rows.reduce((all, { amount }) => all + amount, 0);

/** Sellers who have nothing of it are left out. */
function bySeller(amounts: readonly (readonly [seller: string, amount: number])[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [seller, amount] of amounts) sums[seller] = (sums[seller] ?? 0) + amount;
  return Object.fromEntries(Object.entries(sums).filter(([, amount]) => amount !== 0));
}
