import { assertNever } from '../assert-never.js';
import { type Certainty, mayHaveMoved } from '../calls/certainty.js';
import type { Captured } from '../marketplace/captured.js';
import type { DisputeFunds, DisputeStatus } from '../marketplace/disputes.js';
import type { Reversal, SellerTransfer } from '../marketplace/marketplace.js';
import type { PaymentStatus, RefundStatus, ReversalStatus, TransferStatus } from '../marketplace/marketplace-status.js';
import type { Debt } from '../marketplace/offsets.js';
import { type SettlementProvider, TEMPO } from '../settlements/settlement-providers.js';
import type { SettlementStatus } from '../settlements/settlement-status.js';

/** With whom money can be; `platform` is our balance at Stripe, `nobody` that none has been promised or taken yet. */
export const PLACES = ['buyer', 'platform', 'seller', 'auth_server', 'chain', 'nobody'] as const;
export type Place = (typeof PLACES)[number];

/** What of an item says where its money is. */
export type MoneyFacts =
  | {
      readonly kind: 'settlement';
      readonly status: SettlementStatus;
      readonly certainty: Certainty;
      readonly provider: SettlementProvider;
    }
  | { readonly kind: 'payment'; readonly status: PaymentStatus; readonly captured: Captured }
  | {
      readonly kind: 'refund';
      readonly status: RefundStatus;
      readonly certainty: Certainty;
      /** The platform's balance is too low for it. */
      readonly waiting?: object | null;
    }
  | {
      readonly kind: 'transfer';
      readonly status: TransferStatus;
      readonly certainty: Certainty;
      readonly amount: bigint;
      readonly amountReversed: bigint;
      readonly conversion?: SellerTransfer['conversion'];
    }
  | {
      readonly kind: 'reversal';
      readonly status: ReversalStatus;
      readonly certainty: Certainty;
      readonly counted: bigint;
      /** Left out or null: it is asked of Stripe. */
      readonly debt?: Debt | null;
      readonly conversion?: Reversal['conversion'];
      readonly seller?: Reversal['seller'];
    }
  | { readonly kind: 'dispute'; readonly status: DisputeStatus; readonly funds: DisputeFunds; readonly out: bigint };

export interface WhereMoneyIs {
  /** One place; several where nobody knows which of them, or where each has a part. */
  readonly with: readonly Place[];
  readonly words: string;
}

export function whereMoneyIs(facts: MoneyFacts): WhereMoneyIs {
  switch (facts.kind) {
    case 'settlement':
      return ofSettlement(facts);
    case 'payment':
      return ofPayment(facts);
    case 'refund':
      return ofRefund(facts);
    case 'transfer':
      return and(ofTransfer(facts), sentAs(facts));
    case 'reversal':
      return and(ofReversal(facts), takenAs(facts));
    case 'dispute':
      return ofDispute(facts);
    default:
      return assertNever(facts);
  }
}

type Of<Kind extends MoneyFacts['kind']> = Extract<MoneyFacts, { kind: Kind }>;

const at = (words: string, ...places: readonly Place[]): WhereMoneyIs => ({ with: places, words });

const and = ({ words, ...where }: WhereMoneyIs, more: string): WhereMoneyIs => ({ ...where, words: `${words}${more}` });

/** Beside the order's currency: what it is at Stripe. */
const sentAs = ({ conversion }: Of<'transfer'>): string =>
  conversion
    ? `; at Stripe it is ${conversion.amount} ${conversion.currency} (minor units)${conversion.exchangeRate === null ? '' : `, at a rate of ${conversion.exchangeRate}`}`
    : '';

const takenAs = ({ conversion, seller }: Of<'reversal'>): string =>
  (conversion ? `; at Stripe it is ${conversion.amount} ${conversion.currency} (minor units)` : '') +
  (seller
    ? `; of the seller's own balance ${seller.gave} ${seller.currency} were taken, where this part had brought him ${seller.got}`
    : '');

function ofSettlement({ status, certainty, provider }: Of<'settlement'>): WhereMoneyIs {
  const isCapture = provider === TEMPO;
  const collected = isCapture
    ? at('on the chain: it was captured to our payee address', 'chain')
    : at('with the auth server, which has confirmed that it collected it for us', 'auth_server');
  switch (status) {
    case 'open':
      return at('nobody yet: the response is being served, and what it costs is not fixed', 'nobody');
    case 'released':
      return at('nobody: the response cost nothing, so nothing is charged', 'nobody');
    case 'settled':
      return collected;
    case 'pending':
    case 'needs_attention':
    case 'written_off':
      if (certainty === 'done') return collected;
      if (isCapture)
        return mayHaveMoved(certainty)
          ? at("on the chain either way: in the channel's escrow, or at our payee address already", 'chain')
          : at("on the chain, in the channel's escrow: it is not captured", 'chain');
      return mayHaveMoved(certainty)
        ? at('nobody knows: still with the payer, or with the auth server already', 'buyer', 'auth_server')
        : at('still with the payer: the auth server has not collected it', 'buyer');
    default:
      return assertNever(status);
  }
}

function ofPayment({ status, captured: { surely, known } }: Of<'payment'>): WhereMoneyIs {
  if (!known)
    return at(
      'with us in part or in whole: more may have been captured than we know, the rest is with the buyer',
      'platform',
      'buyer',
    );
  const captured = surely > 0n;
  switch (status) {
    case 'pending':
    case 'processing':
      return captured
        ? at('in our Stripe balance as far as it is captured, the rest with the buyer', 'platform', 'buyer')
        : at('still with the buyer: nothing is captured', 'buyer');
    case 'succeeded':
      return at(
        'the buyer has paid: it came into our Stripe balance, less what went on to sellers and back to the buyer',
        'platform',
      );
    case 'failed':
    case 'cancelled':
      return captured
        ? at('in our Stripe balance as far as it was captured, although the payment has ended', 'platform')
        : at('with the buyer: the payment has ended and nothing was captured', 'buyer');
    default:
      return assertNever(status);
  }
}

function ofRefund({ status, certainty }: Of<'refund'>): WhereMoneyIs {
  switch (status) {
    case 'pending':
    case 'review':
      if (certainty === 'done')
        return at('on its way: its provider has taken the refund and has not called it final', 'platform', 'buyer');
      return mayHaveMoved(certainty)
        ? at('nobody knows: still in our Stripe balance, or on its way to the buyer', 'platform', 'buyer')
        : at('in our Stripe balance: the refund is not with its provider', 'platform');
    case 'succeeded':
      return at('with the buyer, who has the refund', 'buyer');
    case 'failed':
      return at('in our Stripe balance: the refund has failed, and the buyer has not got it', 'platform');
    default:
      return assertNever(status);
  }
}

function ofTransfer({ status, certainty, amount, amountReversed }: Of<'transfer'>): WhereMoneyIs {
  switch (status) {
    case 'held':
    case 'waiting_platform_balance':
    case 'waiting_seller':
      return at('in our Stripe balance, or on its way into it: it was surely not sent', 'platform');
    case 'pending':
    case 'failed':
      return unsent(certainty);
    case 'cancelled':
      return at('with the buyer or his bank: what was given back left nothing of this share to send', 'buyer');
    case 'completed':
      return at('with the seller', 'seller');
    case 'reversal_pending':
    case 'partially_reversed':
      return at(
        `${amount - amountReversed} with the seller, ${amountReversed} back in our Stripe balance`,
        'seller',
        'platform',
      );
    case 'reversed':
      return at('back in our Stripe balance, taken back from the seller', 'platform');
    case 'permanently_failed':
      return certainty === 'done'
        ? at(
            `${amount - amountReversed} with the seller, of whom it could not be taken back; ${amountReversed} in our Stripe balance`,
            'seller',
            'platform',
          )
        : unsent(certainty);
    default:
      return assertNever(status);
  }
}

const unsent = (certainty: Certainty): WhereMoneyIs =>
  mayHaveMoved(certainty)
    ? at('nobody knows: still in our Stripe balance, or with the seller', 'platform', 'seller')
    : at('in our Stripe balance: it has not been sent to the seller', 'platform');

function ofDebt({ state, transferId }: Debt): WhereMoneyIs {
  switch (state) {
    case 'open':
      return at('with the seller, who owes it: it is kept of his next transfers', 'seller');
    case 'on_its_way':
      return at(
        `kept of transfer ${transferId}, which is on its way to the seller for so much less`,
        'seller',
        'platform',
      );
    case 'taken':
      return at(`in our Stripe balance: transfer ${transferId} was sent for so much less`, 'platform');
    default:
      return assertNever(state);
  }
}

function ofReversal({ status, certainty, counted, debt }: Of<'reversal'>): WhereMoneyIs {
  if (debt) return ofDebt(debt);
  const others = counted > 0n ? `; ${counted} of it was taken back by somebody else's reversal` : '';
  switch (status) {
    case 'reversed':
      return at(`back in our Stripe balance${others}`, 'platform');
    case 'pending':
    case 'waiting_balance':
    case 'permanently_failed':
    case 'written_off':
      return mayHaveMoved(certainty)
        ? at(`nobody knows: still with the seller, or back in our Stripe balance${others}`, 'seller', 'platform')
        : at(`with the seller: it has not been taken back${others}`, 'seller');
    default:
      return assertNever(status);
  }
}

function ofDispute({ status, funds, out }: Of<'dispute'>): WhereMoneyIs {
  switch (funds) {
    case 'none':
      return status === 'inquiry'
        ? at("in our Stripe balance or with the sellers: the buyer's bank asks, and has taken nothing", 'platform')
        : at("in our Stripe balance or with the sellers: no funds are known to be with the buyer's bank", 'platform');
    case 'out':
      return at(`${out} with the buyer's bank, which took it out of our Stripe balance`, 'buyer');
    case 'back':
      return at('back in our Stripe balance: the bank has returned what it took', 'platform');
    default:
      return assertNever(funds);
  }
}
