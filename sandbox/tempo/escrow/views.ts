import { type Address, decodeFunctionData, encodeFunctionResult, type Hex } from 'viem';
import { Abis, Channel as Reserve } from 'viem/tempo';
import { assertNever } from '../../../src/domain/assert-never.js';
import { type Chain, isEscrow } from '../state/chain.js';
import type { Channel } from '../state/records.js';
import { channelIdOf } from './escrow.js';
import { Reverted } from './reverted.js';

/**
 * Answers a call that only reads: of the precompile, or of a token's `balanceOf` and `decimals`. A channel that is
 * closed or was never opened reads as zeros. Anything else is empty, as at an address without code.
 * @throws Reverted for a function the precompile does not have
 */
export function readView(chain: Chain, to: string, data: Hex): Hex {
  return isEscrow(to) ? readEscrow(chain, data) : readToken(chain, to as Address, data);
}

const stateOf = (channel: Channel | undefined) => ({
  settled: channel?.settled ?? 0n,
  deposit: channel?.deposit ?? 0n,
  closeRequestedAt: channel?.closeRequestedAt ?? 0,
});

function readEscrow(chain: Chain, data: Hex): Hex {
  const abi = Abis.tip20ChannelReserve;
  const { state, chainId } = chain;
  const call = decode(data);
  switch (call.functionName) {
    case 'getChannelState':
      return encodeFunctionResult({
        abi,
        functionName: 'getChannelState',
        result: stateOf(state.channel(call.args[0])),
      });
    case 'getChannelStatesBatch': {
      const result = call.args[0].map((id) => stateOf(state.channel(id)));
      return encodeFunctionResult({ abi, functionName: 'getChannelStatesBatch', result });
    }
    case 'getChannel': {
      const [descriptor] = call.args;
      const result = { descriptor, state: stateOf(state.channel(channelIdOf(descriptor, chainId))) };
      return encodeFunctionResult({ abi, functionName: 'getChannel', result });
    }
    case 'computeChannelId': {
      const [payer, payee, operator, token, salt, authorizedSigner, expiringNonceHash] = call.args;
      const descriptor = { payer, payee, operator, token, salt, authorizedSigner, expiringNonceHash };
      return encodeFunctionResult({ abi, functionName: 'computeChannelId', result: channelIdOf(descriptor, chainId) });
    }
    case 'getVoucherDigest': {
      const [channelId, cumulativeAmount] = call.args;
      const result = Reserve.getVoucherSignPayload({ chainId, channelId, cumulativeAmount });
      return encodeFunctionResult({ abi, functionName: 'getVoucherDigest', result });
    }
    case 'domainSeparator':
      return Reserve.domainSeparator({ chainId });
    case 'VOUCHER_TYPEHASH':
      return Reserve.voucherTypehash;
    case 'CLOSE_GRACE_PERIOD':
      return encodeFunctionResult({ abi, functionName: 'CLOSE_GRACE_PERIOD', result: Reserve.closeGracePeriod });
    // Their only output is the id of a channel, which depends on the transaction.
    case 'open':
    case 'topUp':
    case 'settle':
    case 'close':
    case 'requestClose':
    case 'withdraw':
      return '0x';
    default:
      return assertNever(call);
  }
}

function decode(data: Hex) {
  try {
    return decodeFunctionData({ abi: Abis.tip20ChannelReserve, data });
  } catch {
    throw new Reverted('UnknownFunctionSelector');
  }
}

function readToken({ state }: Chain, token: Address, data: Hex): Hex {
  const abi = Abis.tip20;
  try {
    const call = decodeFunctionData({ abi, data });
    if (call.functionName === 'balanceOf') {
      return encodeFunctionResult({ abi, functionName: 'balanceOf', result: state.balance(token, call.args[0]) });
    }
    if (call.functionName === 'decimals') return encodeFunctionResult({ abi, functionName: 'decimals', result: 6 });
  } catch {
    return '0x';
  }
  return '0x';
}
