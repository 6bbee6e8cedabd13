import type { Credential } from 'mppx';
import { Errors } from 'mppx';
import { Session } from 'mppx/tempo';
import { type Hex, isAddressEqual } from 'viem';
import { Transaction } from 'viem/tempo';
import type { ChannelTerms } from '../../domain/channels/channel.js';

type Descriptor = Session.Precompile.SessionDescriptor;

interface SignedPayload {
  readonly action?: unknown;
  readonly channelId?: unknown;
  readonly cumulativeAmount?: unknown;
  readonly descriptor?: unknown;
  readonly signature?: unknown;
  readonly transaction?: unknown;
}

const ZERO = '0x0000000000000000000000000000000000000000';

/**
 * Whether the payer of the channel has signed what a credential carries: the voucher, or the transaction of a top-up. A
 * channel's id is made of its descriptor, so the credential itself says whose signature it must be: neither the ledger nor
 * the chain is asked, and nobody waits for one who only names a channel.
 *
 * @throws Errors.PaymentError when he has not
 */
export function assertSignedByPayer(credential: Credential.Credential, terms: ChannelTerms): void {
  const payload = credential.payload as SignedPayload;
  const { action, channelId } = payload;
  if (typeof channelId !== 'string') throw new Errors.InvalidPayloadError();
  const descriptor = ownDescriptor(payload.descriptor, channelId, terms);
  if (action === 'topUp' || action === 'open') assertSentByPayer(payload.transaction, descriptor);
  if (action === 'topUp') return;
  // Others may leave out who pays; npm mppx wants a voucher to say it.
  if (action === 'voucher' && credential.source === undefined)
    throw verificationFailed('credential source does not match channel');
  const cumulativeAmount = uint96(payload.cumulativeAmount);
  const { signature } = payload;
  if (typeof signature !== 'string') throw new Errors.InvalidPayloadError();
  const voucher = { channelId: channelId as Hex, cumulativeAmount, signature: signature as Hex };
  if (!isSigned(voucher, descriptor, terms))
    throw new Errors.InvalidSignatureError({ reason: 'invalid voucher signature' });
}

/**
 * The descriptor of a channel that pays us: its id follows from it, which also binds escrow and chain.
 * @throws Errors.PaymentError
 */
export function ownDescriptor(stated: unknown, channelId: string, terms: ChannelTerms): Descriptor {
  const { chainId, escrow, payee, token } = terms;
  const descriptor = stated as Descriptor;
  let computed: string | undefined;
  try {
    computed = Session.Precompile.Channel.computeId({ ...descriptor, chainId, escrow: escrow as Hex });
  } catch {
    throw verificationFailed('invalid session credential descriptor');
  }
  if (computed.toLowerCase() !== channelId.toLowerCase())
    throw verificationFailed('channel descriptor does not match channelId');
  if (descriptor.payee.toLowerCase() !== payee || descriptor.token.toLowerCase() !== token)
    throw verificationFailed('the channel pays somebody else or in another token');
  if (descriptor.operator.toLowerCase() !== ZERO)
    throw verificationFailed('channel descriptor operator does not match server operator');
  return descriptor;
}

export function uint96(digits: unknown): bigint {
  if (typeof digits !== 'string' || !/^[0-9]{1,29}$/.test(digits) || BigInt(digits) >= 2n ** 96n)
    throw verificationFailed('invalid session credential cumulativeAmount');
  return BigInt(digits);
}

export const verificationFailed = (reason: string) => new Errors.VerificationFailedError({ reason });

function isSigned(
  voucher: { channelId: Hex; cumulativeAmount: bigint; signature: Hex },
  descriptor: Descriptor,
  { chainId, escrow }: ChannelTerms,
): boolean {
  try {
    const signer = Session.Precompile.Channel.resolveAuthorizedSigner(descriptor);
    return Session.Precompile.Voucher.verifyVoucher(escrow as Hex, chainId, voucher, signer);
  } catch {
    return false;
  }
}

/** The chain takes these transactions from the payer alone; one that says nothing of its sender is left to the chain. */
function assertSentByPayer(transaction: unknown, { payer }: Descriptor): void {
  let sender: Hex | undefined;
  try {
    ({ from: sender } = Transaction.deserialize(transaction as Parameters<typeof Transaction.deserialize>[0]) as {
      from?: Hex;
    });
  } catch {
    throw verificationFailed('the transaction of the credential is not readable');
  }
  if (sender !== undefined && !isAddressEqual(sender, payer))
    throw verificationFailed('the transaction of the credential is not signed by the payer of the channel');
}
