import type { Certainty } from '../../domain/calls/certainty.js';
import { looksFirst } from '../../domain/calls/key-age.js';
import type { StripeRefundParams } from '../../domain/calls/made-at-stripe.js';
import type { ReadAnswer, StripeRefund } from '../../domain/calls/provider-answers.js';
import { overdueReadMs, REFUND_EXPECTED_MS } from '../../domain/marketplace/overdue.js';
import { larger } from '../../domain/money.js';
import type { ClaimedRefund } from '../../ledger/calls/call-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { MarketplaceItem } from '../../ledger/marketplace/marketplace-types.js';
import type { FollowStep } from '../steps.js';
import { refundStep, WAITS_MS } from './hyperswitch-follow.js';
import { type HyperswitchCall, makeOrRead, type NotLeaving } from './hyperswitch-step.js';
import type { PayingStripe } from './pinned-reads.js';
import { exactly, leftWith, paced, type StripeAsOurs } from './stripe-port.js';

export interface StripeRefundDependencies {
  readonly ledger: Pick<
    Ledger,
    | 'refundLeavesForStripe'
    | 'refundStopped'
    | 'refundUnread'
    | 'refundAbsent'
    | 'refundRefused'
    | 'askAboutRefund'
    | 'noteStripeRefunds'
    | 'findRefund'
    | 'refundWaits'
    | 'refundsMadeSince'
  >;
  readonly stripe: PayingStripe;
  readonly account: StripeAsOurs;
  readonly wake: (items: readonly MarketplaceItem[]) => void;
}

/** Everything that Stripe holds of the payment, and which of it is this refund. */
type Held = readonly StripeRefund[];

/** One step of a refund that is made from here at Stripe: made, or read among all of its payment, which Stripe lists whole. */
export function createStripeRefundFollow({ ledger, stripe, account, wake }: StripeRefundDependencies) {
  const calls = stripe.inLane('payments');

  return async function follow(claim: ClaimedRefund, runner: string, payment: string): Promise<FollowStep> {
    const { id, certainty, refusal, paymentId, ageMs, stripeRefundId, amount } = claim;
    const held = { id, runner };
    let key = '';

    async function read(): Promise<ReadAnswer<Held>> {
      const answer = await calls.refundsOf(payment);
      if (answer.kind !== 'found') return answer;
      const strange = answer.value.find(({ currency }) => currency !== claim.currency);
      if (strange) return { kind: 'unclear', detail: `Stripe holds ${strange.stripeRefundId} in another currency` };
      const isIt = (one: StripeRefund) =>
        stripeRefundId === null ? one.mark === id : one.stripeRefundId === stripeRefundId;
      if (answer.value.some(isIt)) return answer;
      // Whoever had enough of waiting may have made it in the dashboard: that is a refund of its own, and known before this one is sent again.
      wake(await ledger.noteStripeRefunds(paymentId, answer.value));
      return { kind: 'missing', detail: `Stripe holds no refund ${stripeRefundId ?? id} of ${payment}` };
    }

    /** What the platform's balance lacks; null: nobody knows, or it is not known to be in this currency, and no other is compared with it. */
    async function missing(): Promise<bigint | null> {
      if (!claim.unconverted) return null;
      const balance = await stripe.inLane('probe').readPlatformBalance();
      const available = balance.kind === 'found' ? balance.value.get(claim.currency) : undefined;
      return available === undefined ? null : larger(amount - available, 0n);
    }

    const waits = async (of: { certainty: Certainty; detail: string; missing: bigint | null }): Promise<NotLeaving> => {
      await ledger.refundWaits({ ...held, ...of });
      return { afterMs: WAITS_MS, why: of.detail };
    };

    /** A read is no probe: what Stripe is sure to refuse is not asked for again. */
    async function stillShort(): Promise<NotLeaving | undefined> {
      const lacks = claim.waits ? await missing() : null;
      if (lacks === null || lacks === 0n) return undefined;
      return await waits({
        certainty,
        detail: `the platform's balance is ${lacks} ${claim.currency} short of it`,
        missing: lacks,
      });
    }

    /** Sent beside it, the buyer might have it twice, and the sellers might give it twice. */
    async function isAskedAbout(): Promise<boolean> {
      const since = await ledger.refundsMadeSince(id);
      if (since.length === 0) return false;
      const detail = `somebody made ${since.join(', ')} at Stripe since it was asked for, and nothing was sent for this one yet: is it the same money, write_off ends this one; is it not, retry sends it too`;
      await ledger.askAboutRefund({ ...held, certainty, reason: 'conflict', detail });
      return true;
    }

    const call: HyperswitchCall<Held> = {
      provider: 'stripe',
      certainty,
      refusal,
      looksFirst: looksFirst({ certainty }, ageMs),
      async leaves(looked) {
        const short = await stillShort();
        if (short) return short;
        if (looked && (await isAskedAbout())) return undefined;
        const freeze = (generation: number) => JSON.stringify(paramsOf(claim, payment, generation));
        const leaving = await ledger.refundLeavesForStripe({ ...held, looked, freeze });
        if (leaving.kind === 'send') key = leaving.key;
        return leftWith(leaving);
      },
      async make(params) {
        const stopped = () => ledger.refundStopped(id, runner);
        const answer = paced(await calls.createRefund(key, JSON.parse(params) as StripeRefundParams, stopped));
        return answer.kind === 'done' ? { ...answer, value: [answer.value] } : answer;
      },
      read,
      misfit: () => Promise.resolve(undefined),
      control: () => account.control(),
      absent: (no) => ledger.refundAbsent({ ...held, refusal: no }),
      refused: (detail) => ledger.refundRefused({ ...held, detail }),
      unread: (outcome) => ledger.refundUnread({ ...held, ...outcome }),
      ask: (question) => ledger.askAboutRefund({ ...held, ...question }),
      apply: async (facts) => wake(await ledger.noteStripeRefunds(paymentId, facts, runner)),
      short: async (of) => ({ kind: 'later', ...(await waits({ ...of, missing: await missing() })) }),
    };
    const step = await makeOrRead(call, account);
    return (
      step ?? (await refundStep(ledger, id, { at: 'Stripe', readAgainMs: overdueReadMs(ageMs, REFUND_EXPECTED_MS) }))
    );
  };
}

const paramsOf = ({ id, amount }: ClaimedRefund, payment: string, generation: number): StripeRefundParams => ({
  payment_intent: payment,
  amount: exactly(amount),
  metadata: { refund_id: id, generation: String(generation) },
});
