import { ASK_AGAIN_MS } from '../../domain/calls/next-by-id.js';
import type { ReadAnswer, RefundFacts } from '../../domain/calls/provider-answers.js';
import type { RefundId } from '../../domain/ids.js';
import { overdueReadMs, REFUND_EXPECTED_MS } from '../../domain/marketplace/overdue.js';
import type { ClaimedRefund, HyperswitchClaim } from '../../ledger/calls/call-types.js';
import type { CreateRefund } from '../../providers/hyperswitch/client.js';
import type { FollowStep } from '../steps.js';
import { frozen, type HyperswitchFollow, heldStep, MISFIT_AGAIN_MS, refundStep, thawed } from './hyperswitch-follow.js';
import { type HyperswitchCall, makeOrRead } from './hyperswitch-step.js';

export type RefundFollowDependencies = HyperswitchFollow<
  | 'claimRefund'
  | 'refundLeaves'
  | 'refundUnread'
  | 'refundAbsent'
  | 'askAboutRefund'
  | 'refundRefused'
  | 'applyRefund'
  | 'findRefund'
  | 'openWebhooks'
>;

/** One step of a refund: made, or read. */
export function createRefundFollow(dependencies: RefundFollowDependencies) {
  const { ledger, hyperswitch, account, wake, holdMs, nextRunner } = dependencies;

  async function advanceRefund(id: RefundId): Promise<FollowStep> {
    const runner = nextRunner();
    const claim: HyperswitchClaim<ClaimedRefund> = await ledger.claimRefund(id, runner, holdMs);
    if (claim.kind === 'held') return heldStep(claim);
    const { certainty, refusal, key, amount, currency, orderId, hyperswitchRefundId, ageMs, ...refund } = claim.claim;
    const read = (): Promise<ReadAnswer<RefundFacts>> =>
      hyperswitchRefundId === null ? Promise.resolve(NOT_THERE) : hyperswitch.readRefund(hyperswitchRefundId);
    if (claim.kind === 'final') {
      const step = await refundStep(ledger, id);
      const isTold = (await ledger.openWebhooks({ kind: 'refund', id })).length > 0;
      if (!isTold && step.kind !== 'attention') return step;
      const answer = await read();
      if (answer.kind !== 'found') return isTold ? { kind: 'later', afterMs: ASK_AGAIN_MS, why: answer.detail } : step;
      const misfit = await account.profileMisfit(answer.value.profileId);
      if (misfit !== undefined) return isTold ? { kind: 'later', afterMs: MISFIT_AGAIN_MS, why: misfit } : step;
      wake((await ledger.applyRefund({ refundId: id, runner: null, facts: answer.value })).started);
      return await refundStep(ledger, id);
    }
    const held = { id, runner };
    const call: HyperswitchCall<RefundFacts> = {
      provider: 'hyperswitch',
      certainty,
      refusal,
      leaves: () =>
        ledger.refundLeaves({
          ...held,
          params: frozen({
            hyperswitchPaymentId: refund.hyperswitchPaymentId,
            amount,
            currency,
            reason: refund.reason,
            metadata: { order_id: orderId, refund_id: id },
          }),
        }),
      make: (params) => hyperswitch.createRefund(key, thawed(params) as CreateRefund),
      read,
      misfit: ({ profileId }) => account.profileMisfit(profileId),
      control: () => account.control(),
      absent: (no) => ledger.refundAbsent({ ...held, refusal: no }),
      refused: (detail) => ledger.refundRefused({ ...held, detail }),
      unread: (outcome) => ledger.refundUnread({ ...held, ...outcome }),
      ask: (question) => ledger.askAboutRefund({ ...held, ...question }),
      apply: async (facts) => wake((await ledger.applyRefund({ refundId: id, runner, facts })).started),
    };
    const step = await makeOrRead(call, account);
    return step ?? (await refundStep(ledger, id, { readAgainMs: overdueReadMs(ageMs, REFUND_EXPECTED_MS) }));
  }

  return advanceRefund;
}

const NOT_THERE = { kind: 'unclear', detail: 'Hyperswitch has no refund of it: two persons said so' } as const;
