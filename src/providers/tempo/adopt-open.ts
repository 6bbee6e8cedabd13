import { type Credential, Errors } from 'mppx';
import { Session } from 'mppx/tempo';
import type { Hex } from 'viem';
import type { ChainState } from '../../domain/channels/chain-answers.js';
import type { AtomicStore, ChannelTerms } from '../../domain/channels/channel.js';
import { ownDescriptor, uint96, verificationFailed } from './channel-signatures.js';

interface OpenPayload {
  readonly channelId?: unknown;
  readonly cumulativeAmount?: unknown;
  readonly descriptor?: unknown;
  readonly signature?: unknown;
}

/**
 * Takes over a channel that is open on chain already, because the answer to its opening was lost on the way to us. Its
 * id follows from the descriptor, and its voucher was verified before.
 *
 * @throws Errors.PaymentError when the credential does not open this channel
 */
export async function adoptOpenChannel(
  credential: Credential.Credential,
  {
    store,
    terms,
    onChain,
  }: {
    readonly store: AtomicStore;
    readonly terms: ChannelTerms;
    readonly onChain: ChainState;
  },
) {
  const payload = credential.payload as OpenPayload;
  const channelId = String(payload.channelId).toLowerCase() as Hex;
  const cumulativeAmount = uint96(payload.cumulativeAmount);
  const descriptor = ownDescriptor(payload.descriptor, channelId, terms);
  if (onChain.closeRequestedAtMs !== null)
    throw new Errors.ChannelClosedError({ reason: 'channel has a pending close request' });
  if (cumulativeAmount > onChain.deposit)
    throw new Errors.AmountExceedsDepositError({ reason: 'voucher amount exceeds on-chain deposit' });
  if (cumulativeAmount <= onChain.settled)
    throw verificationFailed('voucher cumulativeAmount is below on-chain settled amount');
  const authorizedSigner = Session.Precompile.Channel.resolveAuthorizedSigner(descriptor);
  const signature = String(payload.signature) as Hex;
  const voucher = { channelId, cumulativeAmount, signature };
  const opened = {
    ...descriptor,
    authorizedSigner,
    backend: 'precompile',
    chainId: terms.chainId,
    channelId,
    closeRequestedAt: 0n,
    createdAt: new Date().toISOString(),
    deposit: onChain.deposit,
    descriptor,
    escrowContract: terms.escrow,
    finalized: false,
    highestVoucher: voucher,
    highestVoucherAmount: cumulativeAmount,
    settledOnChain: onChain.settled,
    spent: onChain.settled,
    units: 0,
  };
  await store.update(channelId, (current) =>
    current === null ? { op: 'set', value: opened, result: undefined } : { op: 'noop', result: undefined },
  );
  return { method: 'tempo', reference: channelId, status: 'success' as const, timestamp: opened.createdAt };
}
