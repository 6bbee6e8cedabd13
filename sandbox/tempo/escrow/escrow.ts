import { decodeFunctionData, type Hex, isAddressEqual, zeroAddress } from 'viem';
import { Abis, Channel as Reserve } from 'viem/tempo';
import { assertNever } from '../../../src/domain/assert-never.js';
import type { Draft } from '../state/chain-state.js';
import type { Call, Channel, Descriptor, Log } from '../state/records.js';
import { escrowLog } from './events.js';
import { Reverted } from './reverted.js';
import { isSigned } from './vouchers.js';

/** In whose name a call runs, and when. */
export interface Frame {
  readonly chainId: number;
  readonly sender: Hex;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Of the transaction; part of the id of a channel it opens. */
  readonly expiringNonceHash: Hex;
}

const UINT96_MAX = 2n ** 96n - 1n;
/** Seconds between a payer's requestClose and withdraw. */
const CLOSE_GRACE_SECONDS = 900;

/**
 * Carries out one call at the channel reserve precompile (TIP-1034) on a draft.
 * @throws Reverted with the precompile's own error
 */
export function execute(draft: Draft, frame: Frame, { data }: Call): readonly Log[] {
  const call = decode(data);
  switch (call.functionName) {
    case 'open':
      return open(draft, frame, call.args);
    case 'topUp':
      return topUp(draft, frame, call.args);
    case 'settle':
      return settle(draft, frame, call.args);
    case 'close':
      return close(draft, frame, call.args);
    case 'requestClose':
      return requestClose(draft, frame, call.args);
    case 'withdraw':
      return withdraw(draft, frame, call.args);
    // Views: as transactions they change nothing.
    case 'CLOSE_GRACE_PERIOD':
    case 'VOUCHER_TYPEHASH':
    case 'computeChannelId':
    case 'domainSeparator':
    case 'getChannel':
    case 'getChannelState':
    case 'getChannelStatesBatch':
    case 'getVoucherDigest':
      return [];
    default:
      return assertNever(call);
  }
}

export const channelIdOf = (descriptor: Descriptor, chainId: number): Hex => Reserve.computeId(descriptor, { chainId });

function decode(data: Hex) {
  try {
    return decodeFunctionData({ abi: Abis.tip20ChannelReserve, data });
  } catch {
    throw new Reverted('UnknownFunctionSelector');
  }
}

type Decoded = ReturnType<typeof decode>;
type Args<Name extends Decoded['functionName']> = Extract<Decoded, { functionName: Name }>['args'];

function open(draft: Draft, frame: Frame, args: Args<'open'>): readonly Log[] {
  const [payee, operator, token, deposit, salt, authorizedSigner] = args;
  const { sender: payer, expiringNonceHash, chainId } = frame;
  const descriptor: Descriptor = { payer, payee, operator, token, salt, authorizedSigner, expiringNonceHash };
  const id = channelIdOf(descriptor, chainId);
  refuseIf(isAddressEqual(payee, zeroAddress), 'InvalidPayee');
  refuseIf(deposit === 0n, 'ZeroDeposit');
  refuseIf(draft.channel(id) !== undefined, 'ChannelAlreadyExists');
  take(draft, descriptor, deposit);
  draft.put({ id, descriptor, deposit, settled: 0n, closeRequestedAt: 0 });
  return [
    escrowLog(
      'ChannelOpened',
      { id, descriptor },
      { operator, token, authorizedSigner, salt, expiringNonceHash, deposit },
    ),
  ];
}

function topUp(draft: Draft, frame: Frame, [descriptor, additionalDeposit]: Args<'topUp'>): readonly Log[] {
  const channel = find(draft, frame, descriptor);
  refuseIf(!isAddressEqual(frame.sender, descriptor.payer), 'NotPayer');
  refuseIf(additionalDeposit === 0n, 'ZeroDeposit');
  const deposit = channel.deposit + additionalDeposit;
  refuseIf(deposit > UINT96_MAX, 'DepositOverflow');
  take(draft, descriptor, additionalDeposit);
  draft.put({ ...channel, deposit, closeRequestedAt: 0 });
  const log = escrowLog('TopUp', channel, { additionalDeposit, newDeposit: deposit });
  return channel.closeRequestedAt === 0 ? [log] : [log, escrowLog('CloseRequestCancelled', channel)];
}

function settle(draft: Draft, frame: Frame, args: Args<'settle'>): readonly Log[] {
  const [descriptor, cumulativeAmount, signature] = args;
  const channel = find(draft, frame, descriptor);
  refuseUnlessPayee(frame, descriptor);
  refuseIf(cumulativeAmount > channel.deposit, 'AmountExceedsDeposit');
  refuseIf(cumulativeAmount <= channel.settled, 'AmountNotIncreasing');
  refuseIf(
    !isSigned(frame.chainId, descriptor, { channelId: channel.id, cumulativeAmount, signature }),
    'InvalidSignature',
  );
  const deltaPaid = cumulativeAmount - channel.settled;
  draft.move(descriptor.token, descriptor.payee, deltaPaid);
  draft.put({ ...channel, settled: cumulativeAmount });
  return [escrowLog('Settled', channel, { cumulativeAmount, deltaPaid, newSettled: cumulativeAmount })];
}

function close(draft: Draft, frame: Frame, args: Args<'close'>): readonly Log[] {
  const [descriptor, cumulativeAmount, captureAmount, signature] = args;
  const channel = find(draft, frame, descriptor);
  refuseUnlessPayee(frame, descriptor);
  refuseIf(captureAmount < channel.settled || captureAmount > cumulativeAmount, 'CaptureAmountInvalid');
  refuseIf(captureAmount > channel.deposit, 'AmountExceedsDeposit');
  refuseIf(
    !isSigned(frame.chainId, descriptor, { channelId: channel.id, cumulativeAmount, signature }),
    'InvalidSignature',
  );
  draft.move(descriptor.token, descriptor.payee, captureAmount - channel.settled);
  return end(draft, channel, captureAmount);
}

function requestClose(draft: Draft, frame: Frame, [descriptor]: Args<'requestClose'>): readonly Log[] {
  const channel = find(draft, frame, descriptor);
  refuseIf(!isAddressEqual(frame.sender, descriptor.payer), 'NotPayer');
  if (channel.closeRequestedAt !== 0) return [];
  draft.put({ ...channel, closeRequestedAt: frame.timestamp });
  return [escrowLog('CloseRequested', channel, { closeGraceEnd: BigInt(frame.timestamp + CLOSE_GRACE_SECONDS) })];
}

function withdraw(draft: Draft, frame: Frame, [descriptor]: Args<'withdraw'>): readonly Log[] {
  const channel = find(draft, frame, descriptor);
  refuseIf(!isAddressEqual(frame.sender, descriptor.payer), 'NotPayer');
  const { closeRequestedAt } = channel;
  refuseIf(closeRequestedAt === 0 || frame.timestamp < closeRequestedAt + CLOSE_GRACE_SECONDS, 'CloseNotReady');
  return end(draft, channel, channel.settled);
}

/** The rest of the deposit goes back, and the channel is forgotten: what is closed reads as if it had never been. */
function end(draft: Draft, channel: Channel, settledToPayee: bigint): readonly Log[] {
  const refundedToPayer = channel.deposit - settledToPayee;
  draft.move(channel.descriptor.token, channel.descriptor.payer, refundedToPayer);
  draft.remove(channel.id);
  return [escrowLog('ChannelClosed', channel, { settledToPayee, refundedToPayer })];
}

function find(draft: Draft, { chainId }: Frame, descriptor: Descriptor): Channel {
  const channel = draft.channel(channelIdOf(descriptor, chainId));
  if (channel === undefined) throw new Reverted('ChannelNotFound');
  return channel;
}

function take(draft: Draft, { token, payer }: Descriptor, amount: bigint): void {
  refuseIf(draft.balance(token, payer) < amount, 'InsufficientBalance');
  draft.move(token, payer, -amount);
}

function refuseUnlessPayee({ sender }: Frame, { payee, operator }: Descriptor): void {
  const isOperator = !isAddressEqual(operator, zeroAddress) && isAddressEqual(sender, operator);
  refuseIf(!isAddressEqual(sender, payee) && !isOperator, 'NotPayeeOrOperator');
}

function refuseIf(condition: boolean, reason: Reverted['reason']): void {
  if (condition) throw new Reverted(reason);
}
