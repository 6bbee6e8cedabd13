import { expect } from 'vitest';
import type { OrderId } from '../../../src/domain/ids.js';
import type { DisputeWorld } from './dispute-world.js';

export const SELLERS = { acct_ada: 600n, acct_bob: 400n };

/** What a checkout that is not ours does, and what follows from that. */
export function checkoutOf(current: () => DisputeWorld) {
  /** A buyer has paid at Stripe. */
  async function charged(amount = 1_000, more: object = {}) {
    const { payment_intent: intent, charge } = await current().atStripe.createCapture({
      amount,
      currency: 'usd',
      ...more,
    });
    return { intent: intent.id, charge: charge.id };
  }
  const take = (order: OrderId, name: string) => current().external.takePayment(order, name, 'shop');
  const search = async () => {
    for (const due of await current().ledger.duePaymentSearches(10)) await current().calls.searchPayment(due);
  };
  return {
    charged,
    take,
    search,
    paid: async (more: object = {}) => {
      const order = await current().ordered(SELLERS);
      const names = await charged(1_000, more);
      expect(await take(order, names.intent)).toMatchObject({ kind: 'taken' });
      return { order, ...names };
    },
    balances: async () => [await current().balanceOf('acct_ada'), await current().balanceOf('acct_bob')],
    /** Everything that time alone would bring about, for so many hours. */
    hours: async (count: number): Promise<void> => {
      for (let hour = 0; hour < count; hour += 1) {
        current().clock.advance(3_660_000);
        await search();
        await current().settle();
      }
    },
    /** What persons are asked about an order. */
    questions: async (id: OrderId): Promise<readonly string[]> => {
      const { payment, refunds, disputes, transfers, reversals } = await current().find(id);
      return [payment, ...refunds, ...disputes, ...transfers, ...reversals].flatMap((one) =>
        one?.attention ? [`${one.attention.reason}: ${one.attention.detail}`] : [],
      );
    },
  };
}
