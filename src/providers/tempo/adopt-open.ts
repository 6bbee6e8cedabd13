import { type Credential, Errors } from 'mppx';
import { Session } from 'mppx/tempo';
import type { Hex } from 'viem';
import type { ChainState } from '../../domain/chain-answers.js';
import type { AtomicStore, ChannelTerms } from '../../domain/channel.js';
import { assertSameChannel, refused, uint96 } from './channel-vouchers.js';

const ZERO = '0x0000000000000000000000000000000000000000';

interface OpenPayload {
  readonly action?: unknown;
  readonly channelId?: unknown;
  readonly cumulativeAmount?: unknown;
  readonly descriptor?: unknown;
  readonly signature?: unknown;
}

/**
 * Takes over a channel that is open on chain already, because the answer to its opening was lost on the way to us. Its
 * id follows from the descriptor, so only the voucher has to be verified.
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
  assertSameChannel(payload.descriptor, channelId, terms);
  const descriptor = payload.descriptor as Session.Precompile.SessionDescriptor;
  if (descriptor.payee.toLowerCase() !== terms.payee || descriptor.token.toLowerCase() !== terms.token)
    throw refused('the channel pays somebody else or in another token');
  if (descriptor.operator.toLowerCase() !== ZERO)
    throw refused('channel descriptor operator does not match server operator');
  if (onChain.closeRequestedAtMs !== null)
    throw new Errors.ChannelClosedError({ reason: 'channel has a pending close request' });
  if (cumulativeAmount > onChain.deposit)
    throw new Errors.AmountExceedsDepositError({ reason: 'voucher amount exceeds on-chain deposit' });
  if (cumulativeAmount <= onChain.settled) throw refused('voucher cumulativeAmount is below on-chain settled amount');
  const authorizedSigner = Session.Precompile.Channel.resolveAuthorizedSigner(descriptor);
  const signature = String(payload.signature) as Hex;
  const voucher = { channelId, cumulativeAmount, signature };
  if (!Session.Precompile.Voucher.verifyVoucher(terms.escrow as Hex, terms.chainId, voucher, authorizedSigner))
    throw new Errors.InvalidSignatureError({ reason: 'invalid voucher signature' });
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
