import type { StripeReader } from '../../../src/calls/decisions/ask-stripe.js';
import { createResolution } from '../../../src/calls/decisions/decide.js';
import type { OrderId, PaymentId, RefundId } from '../../../src/domain/ids.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import { type Answered, startApi, TOKENS } from '../api.js';
import { openTestLedger, type TestLedger } from '../ledger-fixtures.js';
import { unique } from './fixtures.js';
import { paymentAt, refundAt } from './hyperswitch-facts.js';
import { marketplaceRoutes } from './routes.js';

export type MarketplaceApi = Awaited<ReturnType<typeof openMarketplaceApi>>;

/** What the two providers do, as a test tells them, and which calls were made. */
interface Providers {
  hyperswitch: 'answers' | 'hangs up' | 'refuses';
  stripe: StripeReader | undefined;
  readonly calls: string[];
}

const ORDER = {
  currency: 'usd',
  items: [
    { seller_account: 'acct_a', amount: 600, description: 'a lamp' },
    { seller_account: 'acct_b', amount: 400, description: 'a chair' },
  ],
};

/** The routes over the real ledger; only the two providers are told by the test what they say. */
export async function openMarketplaceApi() {
  const test = await openTestLedger({ approvalThreshold: 10_000n });
  const { ledger } = test;
  const providers: Providers = { hyperswitch: 'answers', stripe: undefined, calls: [] };
  const resolution = () => createResolution({ ledger, stripe: providers.stripe, chain: undefined });
  const api = await startApi({
    ledger,
    resolution: {
      decide: (decision) => resolution().decide(decision),
      approve: (approval) => resolution().approve(approval),
      look: (item) => resolution().look(item),
    },
    marketplace: marketplaceRoutes({
      ledger,
      hyperswitch: { paymentIdFor: hyperswitchPaymentId, refundIdFor: hyperswitchRefundId },
      ...sending(test, providers),
      webhooks: {
        hyperswitch: (raw) => ({
          eventId: raw.toString(),
          type: 't',
          paymentId: 'pay_1',
          refundId: null,
          disputeId: null,
        }),
      },
    }),
  });
  const post = (path: string, json: unknown, key = unique('key')): Promise<Answered> =>
    api.send(`/api/v1/${path}`, { token: TOKENS.service, json, headers: { 'Idempotency-Key': key } });
  return {
    api,
    test,
    providers,
    /** Before each test: both providers answer, Stripe cannot be asked, and nobody was called yet. */
    begin() {
      providers.hyperswitch = 'answers';
      providers.stripe = undefined;
      providers.calls.length = 0;
    },
    post,
    read: (path: string): Promise<Answered> => api.send(`/api/v1/${path}`, { token: TOKENS.viewer }),
    order: (key?: string): Promise<Answered> => post('orders', ORDER, key),
    /** The payment of this order succeeds, as Hyperswitch would tell. */
    succeed: (order: OrderId, paymentId: PaymentId) =>
      ledger.applyPayment({
        paymentId,
        runner: null,
        facts: paymentFacts(
          { hyperswitchPaymentId: hyperswitchPaymentId(order), amount: 1_000n, currency: 'USD' },
          'succeeded',
        ),
      }),
    async close() {
      await api.close();
      await test.dispose();
    },
  };
}

const paymentFacts = (
  { hyperswitchPaymentId: at, amount, currency }: { hyperswitchPaymentId: string; amount: bigint; currency: string },
  status: 'processing' | 'succeeded',
) => paymentAt({ hyperswitchPaymentId: at, status, amount, currency, clientSecret: `${at}_secret` });

/** As the worker's activities do it: claim, leave, and record what was said. */
function sending({ ledger }: TestLedger, providers: Providers) {
  return {
    async sendPayment(id: PaymentId) {
      const runner = unique('runner');
      const claimed = await ledger.claimPayment(id, runner, 60_000);
      if (claimed.kind === 'held') return { kind: 'unknown', detail: 'another call is at work' } as const;
      const { claim } = claimed;
      if (claim.certainty === 'not_sent') await ledger.paymentLeaves({ id, runner, params: '{}' });
      providers.calls.push(`payment ${claim.certainty}`);
      if (providers.hyperswitch === 'hangs up') {
        await ledger.paymentUnread({ id, runner, certainty: 'unknown', detail: 'reset', nextCheckMs: 1_000 });
        return { kind: 'unknown', detail: 'reset' } as const;
      }
      if (providers.hyperswitch === 'refuses') {
        await ledger.paymentRefused({ id, runner, detail: 'IR_06' });
        return { kind: 'refused', detail: 'IR_06' } as const;
      }
      await ledger.applyPayment({ paymentId: id, runner, facts: paymentFacts(claim, 'processing') });
      return { kind: 'sent' } as const;
    },
    async sendRefund(id: RefundId): Promise<void> {
      const runner = unique('runner');
      const claimed = await ledger.claimRefund(id, runner, 60_000);
      if (claimed.kind !== 'claimed') return;
      const { claim } = claimed;
      await ledger.refundLeaves({ id, runner, params: '{}' });
      providers.calls.push(`refund ${claim.certainty}`);
      await ledger.applyRefund({
        refundId: id,
        runner,
        facts: refundAt({
          hyperswitchRefundId: claim.hyperswitchRefundId ?? '',
          hyperswitchPaymentId: claim.hyperswitchPaymentId,
          amount: claim.amount,
          currency: claim.currency,
          reason: claim.reason,
        }),
      });
    },
  };
}
