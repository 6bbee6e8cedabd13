import {
  type Account,
  type CustomTransport,
  createClient,
  encodeFunctionData,
  getAbiItem,
  type Hex,
  keccak256,
  parseEventLogs,
  type TransactionReceipt,
} from 'viem';
import {
  getChainId,
  getLogs,
  getTransactionReceipt,
  prepareTransactionRequest,
  readContract,
  sendRawTransaction,
  signTransaction,
  waitForTransactionReceipt,
} from 'viem/actions';
import { tempoModerato } from 'viem/chains';
import { Abis } from 'viem/tempo';
import type { FrozenCapture } from './frozen-capture.js';

const ABI = Abis.tip20ChannelReserve;
/** A block a second; a receipt is looked for this often. */
const POLL_MS = 250;

/** One attempt's view of the chain. Any Tempo network serialises alike, so only the id differs from the one viem ships. */
export const chainClient = (chainId: number, account: Account, transport: CustomTransport) =>
  createClient({
    account,
    chain: { ...tempoModerato, id: chainId },
    transport,
    pollingInterval: POLL_MS,
    cacheTime: 0,
  });
export type ChainClient = ReturnType<typeof chainClient>;

export interface ChannelState {
  readonly settled: bigint;
  readonly deposit: bigint;
}

/** Where to look; what was captured of the channel is compared with `captureAmount`. */
export type ChannelAddress = Pick<FrozenCapture, 'escrow' | 'channelId'>;

/** Zeros where the channel is closed, or was never opened. */
export const readState = (client: ChainClient, { escrow, channelId }: ChannelAddress): Promise<ChannelState> =>
  readContract(client, { address: escrow, abi: ABI, functionName: 'getChannelState', args: [channelId] });

export const readChainId = (client: ChainClient): Promise<number> => getChainId(client);

/** The newest capture of the channel that its logs show. */
export interface CapturedOnChain {
  readonly closed: boolean;
  /** Cumulative. */
  readonly amount: bigint;
  readonly txHash: Hex;
}

/** What the channel's logs say was captured of it; undefined: nothing. */
export async function readCaptures(
  client: ChainClient,
  { escrow, channelId }: ChannelAddress,
): Promise<CapturedOnChain | undefined> {
  const range = { address: escrow, args: { channelId }, fromBlock: 'earliest', toBlock: 'latest' } as const;
  const [settled, closed] = await Promise.all([
    getLogs(client, { ...range, event: getAbiItem({ abi: ABI, name: 'Settled' }) }),
    getLogs(client, { ...range, event: getAbiItem({ abi: ABI, name: 'ChannelClosed' }) }),
  ]);
  const captures = [...settled, ...closed].flatMap((log) => captureIn([log], channelId, log.transactionHash) ?? []);
  const last = captures.at(-1);
  // Whether a close tells the whole amount or only its own part: so much was captured in any case.
  return last && { ...last, amount: captures.reduce((most, { amount }) => (amount > most ? amount : most), 0n) };
}

/** What a receipt says was captured of the channel; undefined: its transaction captured nothing of it. */
export const captureOf = (receipt: TransactionReceipt, channelId: Hex): CapturedOnChain | undefined =>
  captureIn(receipt.logs, channelId, receipt.transactionHash);

function captureIn(logs: TransactionReceipt['logs'], channelId: Hex, txHash: Hex): CapturedOnChain | undefined {
  return parseEventLogs({ abi: ABI, eventName: ['Settled', 'ChannelClosed'], logs })
    .filter(({ args }) => args.channelId.toLowerCase() === channelId.toLowerCase())
    .map((log): CapturedOnChain => {
      if (log.eventName === 'Settled') return { closed: false, amount: log.args.newSettled, txHash };
      return { closed: true, amount: log.args.settledToPayee, txHash };
    })
    .at(-1);
}

export interface SignedTransaction {
  readonly raw: Hex;
  readonly hash: Hex;
}

/**
 * Makes the transaction and signs it; the node simulates it for that, so what it would refuse throws here, before anything was
 * sent. Its nonce expires within half a minute: a transaction that was lost on the way cannot turn up later.
 */
export async function signCapture(
  client: ChainClient,
  capture: FrozenCapture,
  amount: bigint,
): Promise<SignedTransaction> {
  const request = { to: capture.escrow, data: dataOf(capture, amount), nonceKey: 'expiring' };
  const prepared = await prepareTransactionRequest(client, request as never);
  const raw = await signTransaction(client, prepared as never);
  return { raw, hash: keccak256(raw) };
}

function dataOf({ kind, descriptor, cumulativeAmount, signature }: FrozenCapture, amount: bigint): Hex {
  return kind === 'settle'
    ? encodeFunctionData({ abi: ABI, functionName: 'settle', args: [descriptor, cumulativeAmount, signature] })
    : encodeFunctionData({ abi: ABI, functionName: 'close', args: [descriptor, cumulativeAmount, amount, signature] });
}

export async function sendTransaction(client: ChainClient, { raw }: SignedTransaction): Promise<void> {
  await sendRawTransaction(client, { serializedTransaction: raw });
}

export const waitForReceipt = (client: ChainClient, hash: Hex, timeoutMs: number): Promise<TransactionReceipt> =>
  waitForTransactionReceipt(client, { hash, timeout: timeoutMs, checkReplacement: false, retryCount: 0 });

/** Without waiting; undefined: it is in no block, as far as the node can say. */
export const receiptNow = (client: ChainClient, hash: Hex): Promise<TransactionReceipt | undefined> =>
  getTransactionReceipt(client, { hash }).catch(() => undefined);
