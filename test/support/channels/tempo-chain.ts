import { Session } from 'mppx/tempo';
import {
  type Account,
  type Address,
  createClient,
  encodeFunctionData,
  type Hex,
  http,
  parseEventLogs,
  zeroAddress,
} from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { sendTransaction, waitForTransactionReceipt } from 'viem/actions';
import { tempoModerato } from 'viem/chains';
import { SANDBOX_CURRENCY } from '../../../sandbox/tempo/defaults.js';

export const TOKEN = SANDBOX_CURRENCY as Address;
const { Voucher } = Session.Precompile;
export const { Chain, Constants, escrowAbi } = Session.Precompile;
export type Descriptor = Parameters<typeof Chain.settleOnChain>[1];

/** A client of the chain as stock programs make it, with the account's name on what it sends. */
export const chainClient = (url: string, account: Account) =>
  createClient({ account, chain: tempoModerato, transport: http(url, { retryCount: 0 }), pollingInterval: 20 });
export type ChainClient = ReturnType<typeof chainClient>;

export const newAccount = () => privateKeyToAccount(generatePrivateKey());

export interface OpenOptions {
  readonly payee: Address;
  readonly deposit?: bigint;
  readonly operator?: Address;
  readonly authorizedSigner?: Address;
  readonly salt?: Hex;
}

export interface OpenedChannel {
  readonly channelId: Hex;
  readonly descriptor: Descriptor;
  readonly txHash: Hex;
}

/** Opens a channel with mppx's ABI; the payer's client sends. @throws with the chain's refusal */
export async function openChannel(payer: ChainClient, options: OpenOptions): Promise<OpenedChannel> {
  const { payee, deposit = 1_000_000n, operator = zeroAddress, authorizedSigner = zeroAddress } = options;
  const args = [payee, operator, TOKEN, deposit, options.salt ?? generatePrivateKey(), authorizedSigner] as const;
  const data = encodeFunctionData({ abi: escrowAbi, functionName: 'open', args });
  const hash = await sendTransaction(payer, { to: Constants.tip20ChannelEscrow, data, nonceKey: 'expiring' } as never);
  const receipt = await waitForTransactionReceipt(payer, { hash });
  const [event] = parseEventLogs({ abi: escrowAbi, eventName: 'ChannelOpened', logs: receipt.logs });
  if (!event) throw new Error(`the open transaction ${hash} ended ${receipt.status} without ChannelOpened`);
  const { channelId, deposit: _deposit, ...descriptor } = event.args;
  return { channelId, descriptor, txHash: hash };
}

/** A voucher's signature, by mppx's own code. */
export const signVoucher = (signer: ChainClient, channelId: Hex, cumulativeAmount: bigint): Promise<Hex> =>
  Voucher.signVoucher(
    signer,
    signer.account,
    { channelId, cumulativeAmount },
    Constants.tip20ChannelEscrow,
    tempoModerato.id,
  );

export const stateOf = (client: ChainClient, channelId: Hex) => Chain.getChannelState(client, channelId);
