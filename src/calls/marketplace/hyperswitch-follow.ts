import type { RefundId } from '../../domain/ids.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { MarketplaceItem } from '../../ledger/marketplace/marketplace-types.js';
import type { CreatePayment, CreateRefund, Hyperswitch } from '../../providers/hyperswitch/client.js';
import type { FollowStep } from '../steps.js';
import type { HyperswitchAccount } from './hyperswitch-account.js';

/** What following a payment and following a refund have in common. */
export interface HyperswitchFollow<Operations extends keyof Ledger> {
  readonly ledger: Pick<Ledger, Operations>;
  readonly hyperswitch: Hyperswitch;
  readonly account: HyperswitchAccount;
  readonly wake: (items: readonly MarketplaceItem[]) => void;
  readonly holdMs: number;
  /** A name for one attempt among all runners. */
  readonly nextRunner: () => string;
}

/** The key is another merchant's: only a person can change that. */
export const MISFIT_AGAIN_MS = 10 * 60_000;

/** @param afterMs null: at the workflow's own pace @param at whose word it is */
export const stillOpen = (status: string, afterMs: number | null, at = 'Hyperswitch'): FollowStep => ({
  kind: 'open',
  status,
  detail: `${at} calls it ${status}`,
  ...(afterMs === null ? {} : { afterMs }),
});

export const heldStep = ({ forMs }: { forMs: number }): FollowStep => ({
  kind: 'later',
  afterMs: forMs,
  why: 'another attempt is under way',
});

/** What is sent, as it is kept beside the key: amounts are exact whole numbers. */
export const frozen = (request: CreatePayment | CreateRefund): string =>
  JSON.stringify({ ...request, amount: request.amount.toString() });

/** @throws SyntaxError for what no build of ours ever kept there */
export function thawed(params: string): { amount: bigint } {
  const request = JSON.parse(params) as { amount: string };
  return { ...request, amount: BigInt(request.amount) };
}

/** What waits for the platform's balance is looked at so often; Stripe's event comes sooner. */
export const WAITS_MS = 3_600_000;

/** Where a refund stands after it was read. */
export async function refundStep(
  ledger: Pick<Ledger, 'findRefund'>,
  id: RefundId,
  { at, readAgainMs = null }: { readonly at?: string; readonly readAgainMs?: number | null } = {},
): Promise<FollowStep> {
  const refund = await ledger.findRefund(id);
  if (!refund) throw new Error(`refund ${id} is not in the ledger`);
  if (refund.attention) {
    const { reason, detail } = refund.attention;
    return { kind: 'attention', reason, detail, unknown: false };
  }
  const { waiting } = refund;
  if (waiting) return { kind: 'open', status: refund.status, detail: waiting.detail, afterMs: WAITS_MS };
  const open = refund.status === 'pending' || refund.status === 'review';
  return open ? stillOpen(refund.status, readAgainMs, at) : { kind: 'final', status: refund.status };
}
