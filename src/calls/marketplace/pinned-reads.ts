import type { KeyedAnswer, PaymentFacts, ReadAnswer, RefundFacts } from '../../domain/calls/provider-answers.js';
import type { PaymentId } from '../../domain/ids.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Hyperswitch } from '../../providers/hyperswitch/client.js';
import type { Stripe, StripeCalls } from '../../providers/stripe/client.js';
import { createHyperswitchAccount, type HyperswitchAccount } from './hyperswitch-account.js';
import { createStripeAccountCheck } from './stripe-account.js';
import type { StripeAccountCheck } from './stripe-call-types.js';

type StripeReads = Pick<
  StripeCalls,
  | 'readTransfer'
  | 'movementOf'
  | 'transfersTo'
  | 'readPayout'
  | 'payoutContents'
  | 'readPlatformBalance'
  | 'readSeller'
  | 'readDispute'
  | 'disputesOf'
  | 'refundsOf'
  | 'readPayment'
  | 'transfersInGroup'
  | 'readIntent'
  | 'findIntent'
>;
type StripeMakes = Pick<StripeCalls, 'createIntent' | 'cancelIntent' | 'captureIntent' | 'createRefund'>;

/** Stripe, for whoever only reads and concludes something from it. */
export interface PinnedStripe {
  inLane(lane: string): StripeReads;
}

/** The same for whoever makes payments and refunds there: nothing leaves with another account's key. */
export interface PayingStripe extends PinnedStripe {
  inLane(lane: string): StripeReads & StripeMakes;
  /** @returns why the key is not that of the account of this ledger, or that nobody could say; undefined: it is */
  verify(): ReturnType<StripeAccountCheck['verify']>;
  /** The same, asked now. */
  confirm(): ReturnType<StripeAccountCheck['verify']>;
}

/**
 * A key of another account is told that nothing of ours exists, and that would pass for a proof of absence. So what a decision
 * or an event rests on is read only with a key of the account that this ledger is pinned to.
 */
function pinnedStripe(stripe: Stripe, account: Pick<StripeAccountCheck, 'verify' | 'confirm'>): PayingStripe {
  const checked = async <Found>(read: () => Promise<ReadAnswer<Found>>): Promise<ReadAnswer<Found>> =>
    (await account.verify()) ?? (await read());
  const made = async <Done>(make: () => Promise<KeyedAnswer<Done>>): Promise<KeyedAnswer<Done>> => {
    const misfit = await account.verify();
    return misfit
      ? { kind: 'busy', executed: 'no', retryAfterMs: null, detail: misfit.detail, requestId: null }
      : await make();
  };
  return {
    verify: () => account.verify(),
    confirm: () => account.confirm('provider', ''),
    inLane(lane) {
      const calls = stripe.inLane(lane);
      return {
        movementOf: (seller, source) => checked(() => calls.movementOf(seller, source)),
        readTransfer: (id) => checked(() => calls.readTransfer(id)),
        transfersTo: (seller, since) => checked(() => calls.transfersTo(seller, since)),
        readPlatformBalance: () => checked(() => calls.readPlatformBalance()),
        readSeller: (seller) => checked(() => calls.readSeller(seller)),
        readDispute: (id) => checked(() => calls.readDispute(id)),
        disputesOf: (payment) => checked(() => calls.disputesOf(payment)),
        refundsOf: (payment) => checked(() => calls.refundsOf(payment)),
        readPayment: (name) => checked(() => calls.readPayment(name)),
        transfersInGroup: (group) => checked(() => calls.transfersInGroup(group)),
        readPayout: (id, sellerAccount) => checked(() => calls.readPayout(id, sellerAccount)),
        payoutContents: (id, sellerAccount, after) => checked(() => calls.payoutContents(id, sellerAccount, after)),
        readIntent: (id) => checked(() => calls.readIntent(id)),
        findIntent: (mark) => checked(() => calls.findIntent(mark)),
        createIntent: (...sent) => made(() => calls.createIntent(...sent)),
        cancelIntent: (...sent) => made(() => calls.cancelIntent(...sent)),
        captureIntent: (...sent) => made(() => calls.captureIntent(...sent)),
        createRefund: (...sent) => made(() => calls.createRefund(...sent)),
      };
    },
  };
}

/** The same of Hyperswitch, where no call tells whose a key is: what it answers tells, and a control read beside an absence. */
export interface PinnedHyperswitch {
  readPayment(hyperswitchPaymentId: string, id: PaymentId): Promise<ReadAnswer<PaymentFacts>>;
  readRefund(hyperswitchRefundId: string): Promise<ReadAnswer<RefundFacts>>;
}

function pinnedHyperswitch(
  hyperswitch: Pick<Hyperswitch, 'readPayment' | 'readRefund'>,
  account: Pick<HyperswitchAccount, 'control' | 'misfit' | 'profileMisfit'>,
): PinnedHyperswitch {
  async function pinned<Found>(
    answer: ReadAnswer<Found>,
    misfitOf: (found: Found) => Promise<string | undefined>,
    except: PaymentId | undefined,
  ): Promise<ReadAnswer<Found>> {
    if (answer.kind === 'found') {
      const misfit = await misfitOf(answer.value);
      return misfit === undefined ? answer : { kind: 'misdirected', scope: 'provider', detail: misfit };
    }
    if (answer.kind !== 'missing') return answer;
    const control = await account.control(except);
    return control.kind === 'mismatch' || control.kind === 'unread'
      ? { kind: 'misdirected', scope: 'provider', detail: control.detail }
      : answer;
  }
  return {
    readPayment: async (name, id) =>
      await pinned(await hyperswitch.readPayment(name), ({ owner }) => account.misfit(owner), id),
    readRefund: async (name) =>
      await pinned(await hyperswitch.readRefund(name), ({ profileId }) => account.profileMisfit(profileId), undefined),
  };
}

export interface PinnedReads {
  readonly stripe: PayingStripe | undefined;
  readonly hyperswitch: PinnedHyperswitch | undefined;
}

/** Both, as far as they are configured. */
export function createPinnedReads(
  ledger: Pick<
    Ledger,
    | 'pinStripeAccount'
    | 'parkProvider'
    | 'unparkProvider'
    | 'pinHyperswitch'
    | 'knownPayment'
    | 'hyperswitchIsOurs'
    | 'profilesOfOrders'
  >,
  { stripe, hyperswitch }: { readonly stripe: Stripe | undefined; readonly hyperswitch: Hyperswitch | undefined },
): PinnedReads {
  return {
    stripe: stripe && pinnedStripe(stripe, createStripeAccountCheck({ ledger, stripe })),
    hyperswitch: hyperswitch && pinnedHyperswitch(hyperswitch, createHyperswitchAccount({ ledger, hyperswitch })),
  };
}
