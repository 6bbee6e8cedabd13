import { assertNever } from '../../../domain/assert-never.js';
import type { NamedDispute, ReadAnswer, StripeDispute } from '../../../domain/calls/provider-answers.js';
import type { DisputeId } from '../../../domain/ids.js';
import { UNNAMED_AGAIN_MS } from '../../../domain/marketplace/disputes.js';
import type { Ledger } from '../../../ledger/ledger.js';
import type { MarketplaceItem } from '../../../ledger/marketplace/marketplace-types.js';
import type { FollowedDispute } from '../../../ledger/money-that-leaves/disputes.js';
import type { FollowStep } from '../../steps.js';
import { createDisputeNames, MISFIT_AGAIN_MS, type Naming, type Read, unread } from './names.js';

/** Stripe, as far as disputes are concerned, with a key of the account that this ledger is pinned to. */
export interface DisputeRecords {
  readDispute(stripeDisputeId: string): Promise<ReadAnswer<StripeDispute>>;
}

export interface DisputeFollowDependencies {
  readonly ledger: Pick<
    Ledger,
    | 'disputeToFollow'
    | 'findDispute'
    | 'paymentToSearch'
    | 'paymentAtProcessor'
    | 'paymentAtHyperswitch'
    | 'noteDispute'
    | 'applyDispute'
    | 'disputeWithoutRecord'
    | 'disputeUnread'
    | 'disputeReadAgainMs'
  >;
  /** undefined: of payments that are not Hyperswitch's. */
  readonly hyperswitch: Naming | undefined;
  /** undefined: STRIPE_SECRET_KEY is not set here. */
  readonly stripe: DisputeRecords | undefined;
  readonly wake: (items: readonly MarketplaceItem[]) => void;
}

const READ: Read = { kind: 'read' };
/** Several events of one moment have it read at once; whoever was overtaken this often leaves it to the others for a while. */
const MOST_READINGS = 5;
const AGAIN_SOON_MS = 15_000;

export type DisputeFollow = ReturnType<typeof createDisputeFollow>;

/**
 * Follows disputes at the processor. Where its funds are is read from Stripe's own record where that is of this account; of every
 * other processor Hyperswitch's words are shown, and a person says where the funds are.
 */
export function createDisputeFollow({ ledger, hyperswitch, stripe, wake }: DisputeFollowDependencies) {
  const { askForName, askForPayment } = createDisputeNames({ ledger, hyperswitch });

  async function readDispute(id: DisputeId): Promise<Read> {
    const dispute = await known(ledger, id);
    if (dispute.namedBy === null) {
      const stopped = await askForName(dispute, dispute.paymentId);
      if (stopped) return stopped;
    }
    if (dispute.connector !== 'stripe') return await readWords(dispute, NO_RECORD);
    for (let reading = 0; reading < MOST_READINGS; reading += 1) {
      const read = await readRecord(await known(ledger, id));
      if (read !== 'overtaken') return read;
    }
    return unread('it was read by others at the same time', AGAIN_SOON_MS);
  }

  /** `overtaken`: another reading was followed meanwhile, and this one may be older. */
  async function readRecord(dispute: FollowedDispute): Promise<Read | 'overtaken'> {
    if (!stripe) return unread('Stripe cannot be asked here: set STRIPE_SECRET_KEY', MISFIT_AGAIN_MS);
    const answer = await stripe.readDispute(dispute.providerDisputeId);
    switch (answer.kind) {
      case 'found': {
        const stopped = await askForPayment(dispute, answer.value);
        if (stopped) return stopped;
        const started = await ledger.applyDispute(dispute.id, answer.value, dispute.lastReading);
        if (!started) return 'overtaken';
        wake(started);
        return READ;
      }
      case 'missing':
        return await readWords(dispute, 'Stripe holds no such dispute in the account of STRIPE_SECRET_KEY');
      case 'unclear':
      case 'busy':
      case 'misdirected':
        return unread(answer.detail);
      default:
        return assertNever(answer);
    }
  }

  async function readWords(dispute: FollowedDispute, why: string): Promise<Read> {
    const answer = await namedNow(dispute);
    if ('kind' in answer) return answer;
    const at = answer.named?.hyperswitchPaymentId;
    const payment = at === undefined ? undefined : await ledger.paymentAtHyperswitch(at);
    if (answer.named && payment !== undefined && payment !== dispute.paymentId)
      await ledger.noteDispute(payment, dispute.id, answer.named);
    wake(await ledger.disputeWithoutRecord({ id: dispute.id, named: answer.named, why }));
    return READ;
  }

  async function namedNow({ hyperswitchDisputeId }: FollowedDispute): Promise<Read | { named: NamedDispute | null }> {
    if (hyperswitchDisputeId === null) return { named: null };
    if (!hyperswitch) return unread('Hyperswitch, which named it, cannot be asked here', MISFIT_AGAIN_MS);
    const answer = await hyperswitch.readDispute(hyperswitchDisputeId);
    if (answer.kind === 'found') {
      const misfit = await hyperswitch.account.profileMisfit(answer.value.profileId);
      return misfit === undefined ? { named: answer.value } : unread(misfit, MISFIT_AGAIN_MS);
    }
    if (answer.kind !== 'missing') return unread(answer.detail);
    // A key of another merchant knows none of our disputes: nothing may be concluded from that.
    const control = await hyperswitch.account.control();
    return control.kind === 'mismatch' || control.kind === 'unread'
      ? unread(control.detail, MISFIT_AGAIN_MS)
      : { named: null };
  }

  return {
    /** Reads it now, and has what is read followed in the ledger. */
    readDispute,

    async advanceDispute(id: DisputeId): Promise<FollowStep> {
      const outcome = await readDispute(id);
      if (outcome.kind === 'unread') {
        await ledger.disputeUnread(id, outcome.detail, outcome.afterMs);
        return { kind: 'later', afterMs: outcome.afterMs, why: outcome.detail };
      }
      const dispute = await ledger.findDispute(id);
      if (!dispute) throw new Error(`dispute ${id} is not in the ledger`);
      if (dispute.attention) {
        const { reason, detail } = dispute.attention;
        return { kind: 'attention', reason, detail, unknown: false };
      }
      const isOpen = dispute.status === 'inquiry' || dispute.status === 'open';
      if (!isOpen && dispute.namedBy !== null) return { kind: 'final', status: dispute.status };
      const afterMs = dispute.namedBy === null ? UNNAMED_AGAIN_MS : await ledger.disputeReadAgainMs(id);
      const detail = `the dispute is ${dispute.status}, its funds ${WHERE[dispute.funds]}`;
      return afterMs === null
        ? { kind: 'final', status: dispute.status }
        : { kind: 'open', status: dispute.status, detail, afterMs };
    },
  };
}

const WHERE = { none: 'did not move', out: 'are out', back: 'are back' } as const;
const NO_RECORD = 'its processor keeps no record that is read here';

async function known(
  ledger: Pick<DisputeFollowDependencies['ledger'], 'disputeToFollow'>,
  id: DisputeId,
): Promise<FollowedDispute> {
  const dispute = await ledger.disputeToFollow(id);
  if (!dispute) throw new Error(`dispute ${id} is not in the ledger`);
  return dispute;
}
