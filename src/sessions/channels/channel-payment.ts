import { assertNever } from '../../domain/assert-never.js';
import type { Channel, VoucherStanding } from '../../domain/channels/channel.js';
import type { ChannelRefusal } from '../../domain/channels/channel-problems.js';
import type { FairTurns } from '../../domain/fair-turns.js';
import type { KeyedQueue } from '../../domain/keyed-queue.js';
import { NO_LEDGER } from '../session-ledger.js';
import { type ChainFreshness, OLDEST_CHAIN_READ_MS } from './chain-freshness.js';
import type { ChannelLedger, ChannelPayment, ChannelVerifier, PayOutcome } from './channel-ledger.js';
import { type ChannelProof, proofOf } from './channel-proof.js';
import type { ChannelCredential, MatchedCredential } from './match-channel.js';

export interface ChannelPaymentDependencies {
  readonly ledger: ChannelLedger;
  readonly verifier: ChannelVerifier;
  readonly freshness: ChainFreshness;
  /** A signature takes this process some milliseconds: whoever sends many of them waits for himself. */
  readonly turns: FairTurns;
  /**
   * A channel is a row that each of its requests locks: they wait for each other here, with one connection to the ledger in
   * use, instead of all together in Postgres, where they would hold up everybody else's.
   */
  readonly queue: KeyedQueue;
}

export type Paid =
  | { readonly kind: 'paid'; readonly channel: Channel; readonly txHash: string | null }
  | { readonly kind: 'done'; readonly channel: Channel; readonly txHash: string | null }
  | { readonly kind: 'closing'; readonly channel: Channel }
  | { readonly kind: 'refused'; readonly refusal: ChannelRefusal; readonly proof?: ChannelProof | undefined }
  /** Nothing was decided: the same credential may be sent again. */
  | { readonly kind: 'unavailable'; readonly why: string }
  /** Nor here: too many answers cost this payer nothing, and there is room again after so long. */
  | { readonly kind: 'limited'; readonly forMs: number };

export interface PaymentRequest extends Omit<ChannelPayment, 'voucher' | 'oldestChainReadMs'> {
  /** Where the request comes from. */
  readonly address: string;
}

const NO_CHAIN = { kind: 'unavailable', why: 'the chain cannot be reached' } as const;

/**
 * What a channel credential asks for, from its verification to the reservation. Requests on one channel wait for each other,
 * but only those that its payer has signed: what a stranger says about a channel costs its payer nothing.
 */
export async function payByChannel(
  { credential, kind }: MatchedCredential,
  request: PaymentRequest,
  dependencies: ChannelPaymentDependencies,
): Promise<Paid> {
  const { queue, verifier, turns, ledger } = dependencies;
  const unsigned = await turns.run(request.address, () => verifier.checkSigned(credential.raw));
  if (unsigned !== undefined) return { kind: 'refused', refusal: unsigned };
  // It waits for the chain, which may take long, and no voucher waits for it.
  if (credential.action === 'topUp')
    return kind === 'expired'
      ? EXPIRED
      : queue.run(`top-up of ${credential.channelId}`, () => topUp(credential, dependencies));
  const standing = await ledger.standingOf(credential);
  const proof = proofOf(credential, standing);
  const payment = { credential, request, standing, proven: proof !== undefined || isOwner(request, standing) };
  const paid =
    (kind === 'expired' ? EXPIRED : refusedAtOnce(payment)) ??
    (await queue.run(credential.channelId, () => payInTurn(payment, dependencies)));
  return paid.kind === 'refused' ? { ...paid, proof } : paid;
}

/** A credential whose payer signed it. */
interface SignedPayment {
  readonly credential: ChannelCredential;
  readonly request: PaymentRequest;
  /** Undefined: the ledger does not know the channel. */
  readonly standing: VoucherStanding | undefined;
  /** It is the payer who sends it, or who the application says the channel belongs to. */
  readonly proven: boolean;
}

const isOwner = ({ identity }: PaymentRequest, standing: VoucherStanding | undefined): boolean =>
  identity !== null && standing !== undefined && identity === standing.channel.identity;

/** What no waiting can change. A voucher that anybody can have read on chain would otherwise keep the channel busy for nothing. */
function refusedAtOnce({ credential, request, standing, proven }: SignedPayment): Paid | undefined {
  const { action, cumulative } = credential;
  if (standing === undefined) {
    return action === 'open'
      ? undefined
      : refused('session/channel-not-found', 'This server does not know the channel; open one.');
  }
  if (action === 'close') return undefined;
  const { channel, used } = standing;
  if (request.reservation === null)
    return proven
      ? undefined
      : refused('verification-failed', 'The voucher was sent for capture; it hands in nothing.');
  if (used) return VOUCHER_USED;
  if (channel.settled > 0n && cumulative <= channel.settled)
    return refused('verification-failed', 'The voucher is captured already; sign a higher one.');
  return undefined;
}

function payInTurn(payment: SignedPayment, dependencies: ChannelPaymentDependencies): Promise<Paid> {
  const { action } = payment.credential;
  switch (action) {
    case 'voucher':
      return payWithVoucher(payment, dependencies);
    case 'open':
      return payWithOpen(payment, dependencies);
    case 'close':
      return close(payment, dependencies);
    case 'topUp':
      throw new Error('a top-up waits in no queue of vouchers');
    default:
      return assertNever(action);
  }
}

async function payWithVoucher(payment: SignedPayment, dependencies: ChannelPaymentDependencies): Promise<Paid> {
  const outcome = await payFresh(payment, dependencies);
  if (outcome === undefined) return NO_CHAIN;
  if (outcome.kind !== 'unknown_channel') return paidOf(outcome, null);
  return refused('session/channel-not-found', 'This server does not know the channel; open one.');
}

/** Opened first, if it is not open already; an open that is presented again is its voucher. */
async function payWithOpen(payment: SignedPayment, dependencies: ChannelPaymentDependencies): Promise<Paid> {
  const { ledger, verifier } = dependencies;
  const known = await payFresh(payment, dependencies);
  if (known === undefined) return NO_CHAIN;
  if (known.kind !== 'unknown_channel') return paidOf(known, null);
  const opened = await verifier.open(payment.credential.raw, ledger.atomicStore);
  if (opened.kind === 'unavailable') return NO_CHAIN;
  const outcome = await payFresh(payment, dependencies);
  // Refused, and yet there: another server has opened it with the same credential.
  if (opened.kind === 'refused' && outcome?.kind === 'unknown_channel') return opened;
  if (outcome === undefined) return NO_CHAIN;
  if (outcome.kind === 'unknown_channel') throw new Error('a channel that was opened is not in the ledger');
  return paidOf(outcome, opened.kind === 'done' ? opened.txHash : null);
}

async function topUp(credential: ChannelCredential, { ledger, verifier }: ChannelPaymentDependencies): Promise<Paid> {
  const answer = await verifier.topUp(credential.raw, ledger.atomicStore);
  if (answer.kind === 'unavailable') return NO_CHAIN;
  if (answer.kind === 'refused') return answer;
  const channel = await ledger.findChannel(credential.channelId);
  if (channel === undefined) throw new Error('a channel that was topped up is not in the ledger');
  return { kind: 'done', channel, txHash: answer.txHash };
}

async function close(
  { credential, proven }: SignedPayment,
  { ledger, verifier }: ChannelPaymentDependencies,
): Promise<Paid> {
  const outcome = await ledger.requestClose(credential, proven, (store) => verifier.judgeClose(credential, store));
  switch (outcome.kind) {
    case 'closing':
      return { kind: 'closing', channel: outcome.channel };
    case 'unknown_channel':
      return refused('session/channel-not-found', 'This server does not know the channel.');
    case 'gone':
      return refused('session/channel-finalized', 'The channel is closed already, or its close is under way.');
    case 'unproven':
      return refused('session/close-unproven', CLOSE_UNPROVEN);
    case 'refused':
      return { kind: 'refused', refusal: outcome.refusal };
    default:
      return assertNever(outcome);
  }
}

/** A close that the chain told of is asked about again by whoever pays, no more often. */
const CLOSE_READ_AGAIN_MS = 5_000;

/**
 * Pays on what is known of the chain. The chain is asked first where that is too old, and once more where it may have changed
 * its mind: a deposit that is too low may have been raised, and with it a close that was asked for there was taken back.
 *
 * @returns undefined when the chain had to be asked and did not answer
 */
async function payFresh(
  { credential, request }: SignedPayment,
  { ledger, verifier, freshness }: ChannelPaymentDependencies,
): Promise<PayOutcome | undefined> {
  const { identity, reservation } = request;
  const payment = { identity, reservation, voucher: credential, oldestChainReadMs: OLDEST_CHAIN_READ_MS };
  const pay = () =>
    ledger.payFromChannel(payment, (store) =>
      credential.action === 'open' ? verifier.judgeOpened(credential, store) : verifier.judgeVoucher(credential, store),
    );
  const outcome = await pay();
  if (outcome.kind === 'paid') freshness.refreshWhenOld(credential.channelId, outcome.channel.chainAgeMs);
  const old = outcome.kind === 'stale';
  const perhapsOpen =
    outcome.kind === 'gone' &&
    !outcome.channel.finalized &&
    !outcome.channel.closedHere &&
    outcome.channel.chainAgeMs >= CLOSE_READ_AGAIN_MS;
  const perhapsRaised = outcome.kind === 'refused' && outcome.refusal.problem === 'session/amount-exceeds-deposit';
  if (!old && !perhapsRaised && !perhapsOpen) return outcome;
  if (await freshness.refresh(credential.channelId)) return pay();
  return old || perhapsOpen ? undefined : outcome;
}

function paidOf(outcome: Exclude<PayOutcome, { kind: 'unknown_channel' }>, txHash: string | null): Paid {
  switch (outcome.kind) {
    case 'paid':
      return { kind: 'paid', channel: outcome.channel, txHash };
    case 'refused':
      return { kind: 'refused', refusal: outcome.refusal };
    case 'gone':
      return refused(
        'session/channel-finalized',
        'The channel is closed, or its close is under way; open another one.',
      );
    case 'voucher_used':
      return VOUCHER_USED;
    case 'insufficient':
      return refused('session/insufficient-balance', insufficient(outcome.channel));
    case 'stale':
      return NO_CHAIN;
    case 'lease_lost':
      return NO_LEDGER;
    case 'limited':
      return outcome;
    default:
      return assertNever(outcome);
  }
}

const CLOSE_UNPROVEN =
  'The voucher of this close was captured, so anybody can have it. Close with one above everything captured, or answer ' +
  'the challenge that the channel was last paid with.';

const insufficient = ({ accepted, spent }: Channel): string =>
  `The vouchers of the channel allow ${accepted}, of which ${spent} is spent: too little is left for this request.`;

const refused = (problem: ChannelRefusal['problem'], detail: string): Paid => ({
  kind: 'refused',
  refusal: { problem, detail },
});
const EXPIRED = refused(
  'payment-expired',
  'The challenge of the credential has expired; answer the one in this response.',
);
const VOUCHER_USED = refused('session/voucher-used', 'The voucher has paid for an earlier request; sign a higher one.');
