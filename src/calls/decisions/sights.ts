import { isLive, type PaymentFacts, type ReadAnswer, type RefundFacts } from '../../domain/calls/provider-answers.js';
import type { DecidableKind } from '../../domain/decisions/decisions.js';
import type { LiveSight, LookedItem } from '../../domain/explanations/live-reading.js';
import type { OrderId, PaymentId, SettlementId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import { capturedInWords, capturedOf } from '../../domain/marketplace/captured.js';
import type {
  Dispute,
  Order,
  Payment,
  Refund,
  Reversal,
  SellerTransfer,
} from '../../domain/marketplace/marketplace.js';
import {
  liveReversalOf,
  madeSince,
  reversalAtStripe,
  transferAtStripe,
  transfersOf,
} from '../../domain/marketplace/ours-at-stripe.js';
import { TEMPO } from '../../domain/settlements/settlement-providers.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { AuthorizationReader } from '../../providers/evm/authorizations.js';
import { type ChainReader, LOOK_LIMIT_MS } from './ask-chain.js';
import type { StripeReader } from './ask-stripe.js';
import { type NoWord, whyNoWord } from './no-word.js';

/** Who can be asked about an item; undefined: not set here. */
export interface Readers {
  readonly stripe: StripeReader | undefined;
  readonly hyperswitch?: HyperswitchReader | undefined;
  readonly chain: ChainReader | undefined;
  readonly authorizations?: Pick<AuthorizationReader, 'readUsed'> | undefined;
}

export interface HyperswitchReader {
  readPayment(hyperswitchPaymentId: string, id: PaymentId): Promise<ReadAnswer<PaymentFacts>>;
  /** Left out: refunds are not read here. */
  readRefund?(hyperswitchRefundId: string): Promise<ReadAnswer<RefundFacts>>;
}

export interface SightDependencies extends Readers {
  readonly ledger: Pick<Ledger, 'findOrder' | 'findSettlement' | 'settlementLookup' | 'heldAuthorization'>;
}

/** What the provider shows of an item at this moment, beside the row. @throws when the item, or the ledger, is away */
export async function sightOf(
  { kind, id, orderId }: Omit<LookedItem, 'statements'>,
  given: SightDependencies,
): Promise<LiveSight> {
  if (kind === 'settlement') return await settlementSight(id as SettlementId, given);
  const order = await given.ledger.findOrder(orderId as OrderId);
  const sight = order && (await partSight({ kind, id }, order, given));
  if (!sight) throw new Error(`${kind} ${id} is gone from the ledger`);
  return sight;
}

async function partSight(
  { kind, id }: { readonly kind: Exclude<DecidableKind, 'settlement'>; readonly id: string },
  order: Order,
  readers: Readers,
): Promise<LiveSight | undefined> {
  const own = <Part extends { readonly id: string }>(parts: readonly Part[]) => parts.find((part) => part.id === id);
  switch (kind) {
    case 'transfer': {
      const transfer = own(order.transfers);
      return transfer && transferSight(transfer, readers);
    }
    case 'reversal': {
      const reversal = own(order.reversals);
      return reversal && reversalSight(reversal, readers);
    }
    case 'payment':
      if (order.payment?.id !== id) return undefined;
      return order.payment.provider === 'stripe'
        ? await paymentAtStripe(order.payment, readers)
        : await paymentSight(order.payment, readers);
    case 'refund': {
      const refund = own(order.refunds);
      const at = order.payment?.provider === 'stripe' ? order.payment.stripePaymentId : null;
      return refund && (at === null ? refundSight(refund, readers) : refundAtStripe(refund, at, readers));
    }
    case 'dispute': {
      const dispute = own(order.disputes);
      return dispute && disputeSight(dispute, readers);
    }
  }
}

type Provider = LiveSight['provider'];

/** Beside what the row says, what became of a question to its provider. */
const seenAt = (provider: Provider, ours: JsonObject) => ({
  shown: (words: string, facts: JsonObject): LiveSight => ({ provider, answer: 'shown', words, facts, ours }),
  absent: (words: string): LiveSight => ({ provider, answer: 'absent', words, facts: null, ours }),
  notAsked: (words: string): LiveSight => ({ provider, answer: 'not_asked', words, facts: null, ours }),
  away: (answer: NoWord): LiveSight => ({
    provider,
    answer: 'away',
    words: `nothing is known of now, since ${whyNoWord('it', answer)}`,
    facts: null,
    ours,
  }),
});

const money = ({ amount, currency }: { readonly amount: bigint; readonly currency: string }): string =>
  `${amount} ${currency} (minor units)`;

const NO_STRIPE = 'Stripe cannot be asked here: STRIPE_SECRET_KEY is not set';
const NO_HYPERSWITCH = 'Hyperswitch cannot be asked here: HYPERSWITCH_BASE_URL and HYPERSWITCH_API_KEY are not set';

async function transferSight(transfer: SellerTransfer, { stripe }: Readers): Promise<LiveSight> {
  const { id, sellerAccount, stripeTransferId, createdAt, amountReversed, currency } = transfer;
  const at = seenAt('stripe', {
    stripe_transfer_id: stripeTransferId,
    amount: money(transferAtStripe(transfer)),
    amount_reversed: money({ amount: amountReversed, currency }),
    seller_account: sellerAccount,
  });
  if (!stripe) return at.notAsked(NO_STRIPE);
  const calls = stripe.inLane(sellerAccount);
  let name = stripeTransferId;
  if (name === null) {
    const sent = await calls.transfersTo(sellerAccount, madeSince(createdAt));
    if (sent.kind !== 'found' && sent.kind !== 'missing') return at.away(sent);
    name = transfersOf(id, sent.kind === 'found' ? sent.value : [])[0]?.stripeTransferId ?? null;
    if (name === null) return at.absent(`Stripe shows no transfer of this one on the way to ${sellerAccount}`);
  }
  const read = await calls.readTransfer(name);
  if (read.kind === 'missing') return at.absent(`Stripe has no transfer ${name}`);
  if (read.kind !== 'found') return at.away(read);
  const { transfer: held, reversals } = read.value;
  return at.shown(`Stripe has ${name}, made ${held.createdAt}`, {
    stripe_transfer_id: name,
    amount: money(held),
    amount_reversed: money({ amount: held.amountReversed, currency: held.currency }),
    seller_account: held.destination,
    reversals: reversals.map((one) => `${one.stripeReversalId}: ${money(one)}, ${one.state}`),
  });
}

async function reversalSight(reversal: Reversal, { stripe }: Readers): Promise<LiveSight> {
  const { id, stripeTransferId, stripeReversalId, sellerAccount } = reversal;
  const at = seenAt('stripe', {
    stripe_transfer_id: stripeTransferId,
    stripe_reversal_id: stripeReversalId,
    amount: money(reversalAtStripe(reversal)),
  });
  if (!stripe) return at.notAsked(NO_STRIPE);
  if (stripeTransferId === null)
    return at.notAsked('its transfer has no id at Stripe, so there is nothing by which it could be read');
  const read = await stripe.inLane(sellerAccount).readTransfer(stripeTransferId);
  if (read.kind === 'missing') return at.absent(`Stripe has no transfer ${stripeTransferId}, and so no reversal of it`);
  if (read.kind !== 'found') return at.away(read);
  const { transfer, reversals } = read.value;
  const named = reversals.find((one) => one.stripeReversalId === stripeReversalId);
  const held = named ?? liveReversalOf(id, reversals);
  const others = reversals.filter((one) => one !== held && isLive(one));
  const of = {
    stripe_transfer_id: stripeTransferId,
    transfer_reversed: `${transfer.amountReversed} of ${money(transfer)}`,
    other_reversals: others.map((one) => `${one.stripeReversalId}: ${money(one)}, ${one.state}`),
  };
  return held
    ? at.shown(`Stripe has ${held.stripeReversalId} for it, ${held.state}`, {
        ...of,
        stripe_reversal_id: held.stripeReversalId,
        amount: money(held),
        state: held.state,
      })
    : { ...at.absent(`Stripe has ${stripeTransferId}, and no reversal of ours for this share of it`), facts: of };
}

async function paymentSight(payment: Payment, { hyperswitch }: Readers): Promise<LiveSight> {
  const { id, hyperswitchPaymentId, providerStatus, status, captured } = payment;
  const at = seenAt('hyperswitch', {
    hyperswitch_payment_id: hyperswitchPaymentId,
    amount: money(payment),
    status,
    provider_status: providerStatus,
    captured_in_words: capturedInWords(captured),
  });
  if (!hyperswitch) return at.notAsked(NO_HYPERSWITCH);
  if (hyperswitchPaymentId === null)
    return at.notAsked('it has no id at Hyperswitch yet, so there is nothing by which it could be read');
  const read = await hyperswitch.readPayment(hyperswitchPaymentId, id);
  if (read.kind === 'missing') return at.absent(`Hyperswitch has no payment ${hyperswitchPaymentId}`);
  if (read.kind !== 'found') return at.away(read);
  const { value } = read;
  return at.shown(`Hyperswitch calls it ${value.providerStatus}`, {
    hyperswitch_payment_id: value.hyperswitchPaymentId,
    amount: money(value),
    status: value.status,
    provider_status: value.providerStatus,
    captured_in_words: capturedInWords(capturedOf(payment, value)),
    connector: value.connector,
    connector_transaction_id: value.connectorTransactionId,
  });
}

async function paymentAtStripe(payment: Payment, { stripe }: Readers): Promise<LiveSight> {
  const { stripePaymentId: name, providerStatus, status } = payment;
  const at = seenAt('stripe', {
    stripe_payment_id: name,
    amount: money(payment),
    status,
    provider_status: providerStatus,
  });
  const calls = stripe?.inLane('persons');
  if (!calls?.readPayment) return at.notAsked(NO_STRIPE);
  if (name === null) return at.notAsked('it has no id at Stripe yet, so there is nothing by which it could be read');
  const read = await calls.readPayment(name);
  if (read.kind === 'missing') return at.absent(`Stripe has no payment ${name}`);
  if (read.kind !== 'found') return at.away(read);
  const { amount, captured, currency, status: word } = read.value;
  return at.shown(`Stripe calls it ${word}`, {
    stripe_payment_id: name,
    amount: money({ amount, currency }),
    captured: money({ amount: captured, currency }),
    provider_status: word,
  });
}

async function refundAtStripe(refund: Refund, payment: string, { stripe }: Readers): Promise<LiveSight> {
  const { stripeRefundId: name, status } = refund;
  const at = seenAt('stripe', { stripe_refund_id: name, amount: money(refund), status });
  const calls = stripe?.inLane('persons');
  if (!calls?.refundsOf) return at.notAsked(NO_STRIPE);
  const read = await calls.refundsOf(payment);
  if (read.kind !== 'found' && read.kind !== 'missing') return at.away(read);
  const held =
    read.kind === 'found'
      ? read.value.find((one) => (name === null ? one.mark === refund.id : one.stripeRefundId === name))
      : undefined;
  return held
    ? at.shown(`Stripe calls it ${held.status}`, {
        stripe_refund_id: held.stripeRefundId,
        amount: money(held),
        provider_status: held.status,
      })
    : at.absent(`Stripe has no refund ${name ?? 'of ours'} of ${payment}`);
}

async function refundSight(refund: Refund, { hyperswitch }: Readers): Promise<LiveSight> {
  const { hyperswitchRefundId, status } = refund;
  const at = seenAt('hyperswitch', { hyperswitch_refund_id: hyperswitchRefundId, amount: money(refund), status });
  if (!hyperswitch?.readRefund) return at.notAsked(NO_HYPERSWITCH);
  if (hyperswitchRefundId === null)
    return at.notAsked('it has no id at Hyperswitch, so there is nothing by which it could be read');
  const read = await hyperswitch.readRefund(hyperswitchRefundId);
  if (read.kind === 'missing') return at.absent(`Hyperswitch has no refund ${hyperswitchRefundId}`);
  if (read.kind !== 'found') return at.away(read);
  const { value } = read;
  return at.shown(`Hyperswitch calls it ${value.providerStatus}`, {
    hyperswitch_refund_id: value.hyperswitchRefundId,
    amount: money(value),
    status: value.status,
    provider_status: value.providerStatus,
    connector_refund_id: value.connectorRefundId,
  });
}

async function disputeSight(dispute: Dispute, { stripe }: Readers): Promise<LiveSight> {
  const { connector, providerDisputeId, providerStatus, out, currency } = dispute;
  const at = seenAt('stripe', {
    provider_dispute_id: providerDisputeId,
    amount: money(dispute),
    provider_status: providerStatus,
    out: money({ amount: out, currency }),
  });
  if (connector !== 'stripe') return at.notAsked(`nothing here can read the record of ${connector}`);
  if (!stripe) return at.notAsked(NO_STRIPE);
  const read = await stripe.inLane('disputes').readDispute(providerDisputeId);
  if (read.kind === 'missing') return at.absent(`Stripe has no dispute ${providerDisputeId}`);
  if (read.kind !== 'found') return at.away(read);
  const { value } = read;
  return at.shown(`Stripe calls it ${value.status}`, {
    provider_dispute_id: value.stripeDisputeId,
    amount: money(value),
    provider_status: value.status,
    moved: value.movements.map((one) => `${one.id}: ${money(one)} at ${one.at}`),
  });
}

async function settlementSight(id: SettlementId, given: SightDependencies): Promise<LiveSight> {
  const { ledger, chain, authorizations } = given;
  const settlement = await ledger.findSettlement(id);
  if (!settlement) throw new Error(`settlement ${id} is gone from the ledger`);
  const { status, txHash } = settlement;
  const ours = { status, tx_hash: txHash };
  if (settlement.provider === TEMPO) {
    const at = seenAt('tempo', ours);
    if (!chain) return at.notAsked('the chain cannot be asked here: TEMPO_RPC_URL and what goes with it are not set');
    const seen = await chain.lookUp((await ledger.settlementLookup(id)) ?? {}, LOOK_LIMIT_MS);
    if (seen.kind === 'unanswered') return at.away({ kind: 'unanswered', detail: seen.detail });
    return seen.kind === 'captured'
      ? at.shown('the chain has it captured', { captured: true, tx_hash: seen.txHash })
      : at.absent(`the chain does not have it captured: ${seen.detail}`);
  }
  const signed = await ledger.heldAuthorization(id);
  if (!signed)
    return seenAt('auth-server', ours).notAsked(
      'auth servers and facilitators have no call by which a charge can be asked for: its last answer is all there is',
    );
  const at = seenAt('chain', { ...ours, network: signed.network, nonce: signed.nonce });
  if (!authorizations) return at.notAsked('the chain cannot be asked here: X402_RPC_URLS is not set');
  const read = await authorizations.readUsed(signed);
  if (read.kind === 'missing') return at.absent(read.detail);
  if (read.kind !== 'found') return at.away(read);
  const words = read.value
    ? "the payer's authorization is used on chain, or was cancelled by the payer: the chain tells the two not apart"
    : "the payer's authorization is unused on chain";
  return at.shown(words, { network: signed.network, nonce: signed.nonce, used: read.value });
}
