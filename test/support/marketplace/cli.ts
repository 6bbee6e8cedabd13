import type { StripeReader } from '../../../src/calls/decisions/ask-stripe.js';
import { runMakegood } from '../cli.js';
import { openTestLedger } from '../ledger-fixtures.js';
import { type OrderIn, type OrderPut, putOrder } from './fixtures.js';
import { STUCK } from './stuck-reversals.js';

export type MarketplaceCli = Awaited<ReturnType<typeof openMarketplaceCli>>;

/** `makegood …` over a ledger of its own, with what the last command wrote and what Stripe would tell it. */
export async function openMarketplaceCli() {
  const test = await openTestLedger({ approvalThreshold: 10_000n });
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    test,
    out: out as readonly string[],
    err: err as readonly string[],
    stripe: undefined as StripeReader | undefined,
    /** Of whoever types. */
    token: undefined as string | undefined,
    env: {} as Record<string, string>,
    async makegood(...args: readonly string[]): Promise<string> {
      out.length = 0;
      err.length = 0;
      await runMakegood(args, {
        env: { DATABASE_URL: test.url, ...terminal.env },
        token: terminal.token,
        clock: test.clock,
        stripe: terminal.stripe,
        out: (line) => out.push(line),
        err: (line) => err.push(line),
      });
      return out.join('\n');
    },
    json: async (...args: readonly string[]) => JSON.parse(await terminal.makegood(...args, '--json')),
    put: (order: OrderIn = STUCK): Promise<OrderPut> => putOrder(test, order),
    stuckReversal: async (order: OrderIn = STUCK) => (await terminal.put(order)).reversals[1]?.id as string,
    close: () => test.dispose(),
  };
  return terminal;
}
