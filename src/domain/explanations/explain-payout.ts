import { type PayoutAnswer, payoutAnswer } from '../marketplace/payout-answer.js';
import type { Payout, PayoutStatus } from '../marketplace/payouts.js';
import { runbookOf, whyAsked } from './attention-reasons.js';

/** What Stripe sent from a seller's balance to his bank, in words for somebody who did not build this. Nothing of it is moved by us. */
export interface PayoutExplanation extends PayoutAnswer {
  readonly kind: 'payout';
  readonly money: { readonly with: readonly ['seller']; readonly words: string };
  readonly why: string;
  readonly next: string;
  readonly next_at: string | null;
  readonly decisions: readonly { readonly action: 'dismiss'; readonly does: string; readonly command: string }[];
  readonly runbook: string | null;
}

export function explainPayout(payout: Payout): PayoutExplanation {
  const { id, status, sellerAccount, attention, failureEnded, nextCheckAt } = payout;
  return {
    kind: 'payout',
    ...payoutAnswer(payout),
    money: { with: ['seller'], words: WHERE[status] },
    why: attention
      ? `a person is asked since ${attention.since}, because ${whyAsked('payout', 'payout_failed')} (payout_failed): ${attention.detail}`
      : failureEnded === null
        ? `Stripe calls it ${status}, and makes payouts of ${sellerAccount} by itself or at his word`
        : ENDED[failureEnded],
    next: nextOf(payout),
    next_at: nextCheckAt,
    decisions: attention
      ? [
          {
            action: 'dismiss',
            does: 'says that nothing is left to do about its failure: nothing moves by it, and nobody is asked any more',
            command: `makegood payouts ${id} --dismiss --note "…"`,
          },
        ]
      : [],
    runbook: attention && runbookOf('payout', 'payout_failed'),
  };
}

const WHERE: Readonly<Record<PayoutStatus, string>> = {
  pending: "in the seller's balance at Stripe, about to leave for his bank",
  in_transit: "on its way from Stripe to the seller's bank",
  paid: "at the seller's bank, which may still send it back for five business days after its arrival",
  canceled: "in the seller's balance at Stripe: it never left",
  failed: "in the seller's balance at Stripe: his bank did not take it",
};

const ENDED = {
  paid_later: 'it failed, and a later payout of this seller in this currency has arrived',
  dismissed: 'it failed, and a person said that nothing is left to do about it',
} as const;

function nextOf({ attention, nextCheckAt }: Payout): string {
  const read = nextCheckAt === null ? '' : `it is read again at ${nextCheckAt}, or as soon as Stripe tells of it`;
  if (attention)
    return `a later payout that arrives ends the question, or a person's word${read === '' ? '' : `; ${read}`}`;
  return read === '' ? 'nothing: it is finished, unless Stripe tells otherwise' : read;
}

/** For a terminal: the same in lines. */
export function payoutExplanationLines(explained: PayoutExplanation): readonly string[] {
  const { id, amount, currency, status, seller_account: seller, money, why, next, decisions, runbook } = explained;
  return [
    `payout ${id}: ${amount} ${currency} (minor units) of ${seller}, ${status}${explained.arrival_at === null ? '' : `, arrival ${explained.arrival_at}`}`,
    `where the money is: ${money.words}`,
    `why: ${why}`,
    `what happens next: ${next}`,
    `what it contains: ${explained.contents.detail}`,
    ...explained.transfers.map(
      (one) => `  transfer ${one.id ?? 'not in the ledger'} (${one.stripe_transfer_id}): ${one.amount} ${one.currency}`,
    ),
    ...(decisions.length === 0
      ? ['what you can do: nothing has to be decided']
      : ['what you can do:', ...decisions.map(({ action, does, command }) => `  ${action}: ${does}: ${command}`)]),
    ...(runbook === null ? [] : [`runbook: ${runbook}`]),
  ];
}
