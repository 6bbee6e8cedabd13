import type { StackEndpoints } from '../stack/stack.js';
import { ask } from './ask.js';
import { untilHolds } from './until-holds.js';

/** An order as the API answers it, as far as the story looks at it; amounts in cents. */
export interface ShopOrder {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly transfers: readonly {
    readonly id: string;
    readonly seller_account: string;
    readonly amount: number;
    readonly amount_reversed: number;
    readonly status: string;
    readonly stripe_transfer_id: string | null;
    readonly next_retry_at: string | null;
    readonly attention: { readonly reason: string } | null;
  }[];
  readonly refunds: readonly { readonly id: string; readonly status: string; readonly amount: number }[];
  readonly reversals: readonly {
    readonly id: string;
    readonly transfer_id: string;
    readonly seller_account: string;
    readonly amount: number;
    readonly status: string;
    readonly retry_count: number;
    readonly attention: { readonly reason: string } | null;
    readonly stripe_reversal_id: string | null;
  }[];
}

/** Stripe's side, as its stand-in holds it. */
export interface StripeBooks {
  readonly transfers: readonly {
    readonly id: string;
    readonly amount: number;
    readonly metadata: Record<string, string>;
  }[];
  readonly reversals: readonly {
    readonly id: string;
    readonly transfer: string;
    readonly amount: number;
    readonly metadata: Record<string, string>;
  }[];
}

export interface Shop {
  /** An order of several sellers, ordered and paid. */
  sell(shares: Readonly<Record<string, number>>): Promise<ShopOrder>;
  refund(
    order: string,
    body: { amount?: number },
    key: string,
  ): Promise<{ status: number; id: string; refunded: string }>;
  readonly order: (id: string) => Promise<ShopOrder>;
  /** Looks until it holds; false when the patience ran out first. */
  until(orders: readonly string[], holds: (orders: readonly ShopOrder[]) => boolean): Promise<boolean>;
  stripe: {
    down(down: boolean): Promise<void>;
    /** The next calls take effect, and their answers are lost. */
    silent(count: number): Promise<void>;
    books(): Promise<StripeBooks>;
  };
}

/** Buyers pay, and their bank refunds, the moment they are asked. */
export const AT_ONCE = { pay: { to: 'succeeded', afterMs: 0 }, refund: { to: 'succeeded', afterMs: 0 } } as const;

/** A shop that sells through our API; its buyers pay and its bank refunds at once. */
export async function openShop({ server, tokens, stripe, hyperswitch }: StackEndpoints): Promise<Shop> {
  const call = async (
    method: string,
    path: string,
    given?: { body: object; key: string },
  ): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(`${server}/api/v1/${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${tokens.service}`,
        ...(given && { 'Content-Type': 'application/json', 'Idempotency-Key': given.key }),
      },
      ...(given && { body: JSON.stringify(given.body) }),
    });
    const body: unknown = await answer.json();
    if (answer.status >= 400) throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(body)}`);
    return { status: answer.status, body };
  };
  await ask(`${hyperswitch}/control/auto`, { method: 'PUT', body: AT_ONCE });
  const order = async (id: string) => (await call('GET', `orders/${id}`)).body as ShopOrder;
  return {
    async sell(shares) {
      const items = Object.entries(shares).map(([seller_account, amount]) => ({
        seller_account,
        amount,
        description: 'one lot',
      }));
      const made = await call('POST', 'orders', {
        body: { currency: 'usd', items },
        key: crypto.randomUUID(),
      });
      const { id } = made.body as ShopOrder;
      await call('POST', 'payments', { body: { order_id: id }, key: crypto.randomUUID() });
      return await order(id);
    },
    async refund(id, { amount }, key) {
      const answer = await call('POST', 'refunds', {
        body: { order_id: id, reason: 'requested_by_customer', ...(amount === undefined ? {} : { amount }) },
        key,
      });
      const refund = answer.body as { id: string; status: string };
      return { status: answer.status, id: refund.id, refunded: refund.status };
    },
    order,
    until: (ids, holds) => untilHolds(async () => holds(await Promise.all(ids.map(order)))),
    stripe: {
      async down(down) {
        await ask(`${stripe}/control/down`, { method: 'PUT', body: { down } });
      },
      async silent(count) {
        const rules = [{ kinds: ['reset_after_commit'], on: ['reversals.create'], times: count }];
        await ask(`${stripe}/control/faults`, { method: 'PUT', body: { rules } });
      },
      books: () => ask<StripeBooks>(`${stripe}/control/ledger`),
    },
  };
}
