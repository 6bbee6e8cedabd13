import { assertNever } from '../domain/assert-never.js';
import type { Channel } from '../domain/channel.js';
import type { ChannelRefusal } from '../domain/channel-problems.js';
import type { KeyedQueue } from '../domain/keyed-queue.js';
import { type ChainFreshness, OLDEST_CHAIN_READ_MS } from './chain-freshness.js';
import type { ChannelLedger, ChannelPayment, ChannelVerifier, PayOutcome } from './channel-ledger.js';
import type { ChannelCredential } from './match-channel.js';

export interface ChannelPaymentDependencies {
  readonly ledger: ChannelLedger;
  readonly verifier: ChannelVerifier;
  readonly freshness: ChainFreshness;
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
  | { readonly kind: 'refused'; readonly refusal: ChannelRefusal }
  /** Nothing was decided: the same credential may be sent again. */
  | { readonly kind: 'unavailable'; readonly why: string };

type Reserve = Omit<ChannelPayment, 'voucher' | 'oldestChainReadMs'>;

const NO_LEDGER = { kind: 'unavailable', why: 'this server cannot reach its ledger' } as const;
const NO_CHAIN = { kind: 'unavailable', why: 'the chain cannot be reached' } as const;

/** What a channel credential asks for, from its verification to the reservation; requests on one channel wait for each other. */
export function payByChannel(
  credential: ChannelCredential,
  reserve: Reserve,
  dependencies: ChannelPaymentDependencies,
): Promise<Paid> {
  return dependencies.queue.run(credential.channelId, () => {
    switch (credential.action) {
      case 'voucher':
        return payWithVoucher(credential, reserve, dependencies);
      case 'open':
        return payWithOpen(credential, reserve, dependencies);
      case 'topUp':
        return topUp(credential, dependencies);
      case 'close':
        return close(credential, dependencies);
      default:
        return assertNever(credential.action);
    }
  });
}

async function payWithVoucher(
  credential: ChannelCredential,
  reserve: Reserve,
  dependencies: ChannelPaymentDependencies,
): Promise<Paid> {
  const outcome = await payFresh(credential, reserve, dependencies);
  if (outcome === undefined) return NO_CHAIN;
  if (outcome.kind !== 'unknown_channel') return paidOf(outcome, null);
  return gone('session/channel-not-found', 'This server does not know the channel; open one.');
}

/** Opened first, if it is not open already; an open that is presented again is its voucher. */
async function payWithOpen(
  credential: ChannelCredential,
  reserve: Reserve,
  dependencies: ChannelPaymentDependencies,
): Promise<Paid> {
  const { ledger, verifier } = dependencies;
  const known = await payFresh(credential, reserve, dependencies);
  if (known === undefined) return NO_CHAIN;
  if (known.kind !== 'unknown_channel') return paidOf(known, null);
  const opened = await verifier.open(credential.raw, ledger.atomicStore);
  if (opened.kind === 'unavailable') return NO_CHAIN;
  const outcome = await payFresh(credential, reserve, dependencies);
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

async function close(credential: ChannelCredential, { ledger, verifier }: ChannelPaymentDependencies): Promise<Paid> {
  const outcome = await ledger.requestClose(credential, (store) => verifier.judgeClose(credential.raw, store));
  switch (outcome.kind) {
    case 'closing':
      return { kind: 'closing', channel: outcome.channel };
    case 'unknown_channel':
      return gone('session/channel-not-found', 'This server does not know the channel.');
    case 'gone':
      return gone('session/channel-finalized', 'The channel is closed already, or its close is under way.');
    case 'refused':
      return { kind: 'refused', refusal: outcome.refusal };
    default:
      return assertNever(outcome);
  }
}

/**
 * Pays on what is known of the chain. The chain is asked first where that is too old, and once more where a voucher is
 * above the deposit, which somebody may have raised.
 *
 * @returns undefined when the chain had to be asked and did not answer
 */
async function payFresh(
  credential: ChannelCredential,
  reserve: Reserve,
  { ledger, verifier, freshness }: ChannelPaymentDependencies,
): Promise<PayOutcome | undefined> {
  const pay = () =>
    ledger.payFromChannel({ ...reserve, voucher: credential, oldestChainReadMs: OLDEST_CHAIN_READ_MS }, (store) =>
      credential.action === 'open'
        ? verifier.judgeOpened(credential.raw, store)
        : verifier.judgeVoucher(credential.raw, store),
    );
  const outcome = await pay();
  if (outcome.kind === 'paid') freshness.refreshWhenOld(credential.channelId, outcome.channel.chainAgeMs);
  const old = outcome.kind === 'stale';
  const perhapsRaised = outcome.kind === 'refused' && outcome.refusal.problem === 'session/amount-exceeds-deposit';
  if (!old && !perhapsRaised) return outcome;
  if (await freshness.refresh(credential.channelId)) return pay();
  return old ? undefined : outcome;
}

function paidOf(outcome: Exclude<PayOutcome, { kind: 'unknown_channel' }>, txHash: string | null): Paid {
  switch (outcome.kind) {
    case 'paid':
      return { kind: 'paid', channel: outcome.channel, txHash };
    case 'refused':
      return { kind: 'refused', refusal: outcome.refusal };
    case 'gone':
      return gone('session/channel-finalized', 'The channel is closed, or its close is under way; open another one.');
    case 'voucher_used':
      return refused('session/voucher-used', 'The voucher has paid for an earlier request; sign a higher one.');
    case 'insufficient':
      return refused('session/insufficient-balance', insufficient(outcome.channel));
    case 'stale':
      return NO_CHAIN;
    case 'lease_lost':
      return NO_LEDGER;
    default:
      return assertNever(outcome);
  }
}

const insufficient = ({ accepted, spent }: Channel): string =>
  `The vouchers of the channel allow ${accepted}, of which ${spent} is spent: too little is left for this request.`;

const refused = (problem: ChannelRefusal['problem'], detail: string): Paid => ({
  kind: 'refused',
  refusal: { problem, detail },
});
const gone = refused;
