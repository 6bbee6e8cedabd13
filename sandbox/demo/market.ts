import type { StackEndpoints } from '../stack/stack.js';
import { ask } from './ask.js';
import { untilHolds } from './until-holds.js';

/** An order as the API answers it, as far as this story looks at it; amounts in cents. */
export interface MarketOrder {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly items: readonly { readonly id: string; readonly seller_account: string | null; readonly amount: number }[];
  readonly platform: { readonly amount: number; readonly fees: number; readonly kept: number };
  readonly transfers: readonly {
    readonly seller_account: string;
    readonly amount: number;
    readonly amount_reversed: number;
    readonly status: string;
    readonly stripe_transfer_id: string | null;
  }[];
  readonly refunds: readonly { readonly status: string; readonly amount: number }[];
  readonly reversals: readonly { readonly seller_account: string; readonly amount: number; readonly status: string }[];
  readonly disputes: readonly { readonly amount: number; readonly status: string; readonly funds: string }[];
  /** Its payment's at Hyperswitch. */
  readonly payment_id: string;
}

/** Stripe's side, as its stand-in holds it. */
export interface StripeMarketBooks {
  readonly charges: readonly { readonly id: string; readonly amount: number; readonly payment_intent: string }[];
  readonly refunds: readonly { readonly charge: string; readonly amount: number; readonly status: string }[];
  readonly disputes: readonly {
    readonly charge: string;
    readonly balance_transactions: readonly { readonly amount: number }[];
  }[];
  readonly transfers: readonly {
    readonly destination: string;
    readonly amount: number;
    readonly amount_reversed: number;
    readonly metadata: Record<string, string>;
  }[];
}

interface ProvidersBooks {
  readonly payments: readonly {
    readonly id: string;
    readonly transactionId: string | null;
    readonly received: number;
  }[];
  readonly refunds: readonly { readonly paymentId: string; readonly amount: number; readonly status: string }[];
}

export interface Market {
  /** Ordered and paid. @param method as Stripe calls it */
  sell(items: readonly object[], method?: 'card' | 'us_bank_account'): Promise<MarketOrder>;
  refund(order: string, body: object): Promise<void>;
  /** A buyer's bank takes the money of the whole order. @returns the dispute's name at Hyperswitch */
  dispute(order: MarketOrder): Promise<string>;
  endDispute(dispute: string, how: 'win' | 'lose'): Promise<void>;
  readonly order: (id: string) => Promise<MarketOrder>;
  /** Looks until it holds; false when the patience ran out first. */
  until(order: string, holds: (order: MarketOrder) => boolean): Promise<boolean>;
  intentOf(order: string): Promise<string>;
  providersBooks(): Promise<ProvidersBooks>;
  stripe: {
    passDays(days: number): Promise<void>;
    /** After how many days a buyer's money is available. */
    settlesIn(days: number): Promise<void>;
    books(): Promise<StripeMarketBooks>;
  };
}

/** A shop whose buyers pay at Stripe, through Hyperswitch. */
export function openMarket({ server, tokens, stripe, hyperswitch }: StackEndpoints): Market {
  const authorization = { Authorization: `Bearer ${tokens.service}` };
  const post = (path: string, body: object) =>
    ask(`${server}/api/v1/${path}`, {
      method: 'POST',
      body,
      headers: { ...authorization, 'Idempotency-Key': crypto.randomUUID() },
    });
  const get = (path: string) => ask(`${server}/api/v1/${path}`, { headers: authorization });
  const order = async (id: string): Promise<MarketOrder> => {
    const found = (await get(`orders/${id}`)) as MarketOrder;
    const { items } = (await get(`payments?order_id=${id}`)) as { items: { hyperswitch_payment_id: string }[] };
    return { ...found, payment_id: items[0]?.hyperswitch_payment_id ?? '' };
  };
  const providersBooks = async () => await ask<ProvidersBooks>(`${hyperswitch}/control/ledger`);
  return {
    async sell(items, method = 'card') {
      const at = { to: 'succeeded', afterMs: 0 };
      await ask(`${hyperswitch}/control/auto`, { method: 'PUT', body: { pay: { ...at, method }, refund: at } });
      const { id } = (await post('orders', { currency: 'usd', items })) as MarketOrder;
      await post('payments', { order_id: id });
      return await order(id);
    },
    async refund(id, body) {
      await post('refunds', { order_id: id, reason: 'requested_by_customer', ...body });
    },
    async dispute({ payment_id: paymentId }) {
      const { dispute } = await ask<{ dispute: { id: string } }>(`${hyperswitch}/control/disputes`, {
        method: 'POST',
        body: { payment_id: paymentId },
      });
      return dispute.id;
    },
    async endDispute(dispute, how) {
      await ask(`${hyperswitch}/control/disputes/${dispute}`, { method: 'PUT', body: { move: how } });
    },
    order,
    until: (id, holds) => untilHolds(async () => holds(await order(id))),
    async intentOf(id) {
      const { payment_id: paymentId } = await order(id);
      const payment = (await providersBooks()).payments.find((one) => one.id === paymentId);
      return payment?.transactionId ?? '';
    },
    providersBooks,
    stripe: {
      async settlesIn(days) {
        await ask(`${stripe}/control/settlement`, { method: 'PUT', body: { days } });
      },
      async passDays(days) {
        await ask(`${stripe}/control/clock`, { method: 'PUT', body: { advanceMs: days * 86_400_000 } });
      },
      books: () => ask<StripeMarketBooks>(`${stripe}/control/ledger`),
    },
  };
}
