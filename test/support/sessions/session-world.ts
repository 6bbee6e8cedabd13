import { Challenge, Credential } from 'mppx';
import { Session } from 'mppx/tempo';
import {
  type Client,
  createClient,
  custom,
  decodeFunctionData,
  encodeAbiParameters,
  encodeEventTopics,
  encodeFunctionResult,
  type Hex,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { tempoModerato } from 'viem/chains';
import { Transaction } from 'viem/tempo';

const { Channel, Constants, Voucher, escrowAbi } = Session.Precompile;

export const ESCROW: Hex = Constants.tip20ChannelEscrow;
export const CHAIN = tempoModerato.id;
export const TOKEN: Hex = '0x20c0000000000000000000000000000000000001';
export const PAYER = privateKeyToAccount(`0x${'a1'.repeat(32)}`);
export const STRANGER = privateKeyToAccount(`0x${'b2'.repeat(32)}`);
export const PAYEE: Hex = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const NOBODY: Hex = `0x${'0'.repeat(40)}`;

export type Descriptor = Omit<Parameters<typeof Channel.computeId>[0], 'chainId' | 'escrow'>;

export interface StubChannel {
  readonly descriptor: Descriptor;
  deposit: bigint;
  settled: bigint;
  closing: boolean;
}

export const descriptorOf = (change: Partial<Descriptor> = {}): Descriptor => ({
  payer: PAYER.address,
  payee: PAYEE,
  operator: NOBODY,
  token: TOKEN,
  salt: `0x${'01'.repeat(32)}`,
  authorizedSigner: PAYER.address,
  expiringNonceHash: `0x${'02'.repeat(32)}`,
  ...change,
});

export const channelIdOf = (descriptor: Descriptor): Hex =>
  Channel.computeId({ ...descriptor, chainId: CHAIN, escrow: ESCROW });

/** The escrow as one payer's node shows it: what was read, and what a server has sent to it. */
export function stubChain() {
  const channels = new Map<string, StubChannel>();
  const calls: string[] = [];
  const down = { now: false, logs: false };
  const client: Client = createClient({
    chain: tempoModerato,
    transport: custom(
      {
        async request({ method, params }: { method: string; params: readonly unknown[] }) {
          calls.push(method);
          if (down.now || (down.logs && method === 'eth_getLogs')) throw new Error('the node is down');
          return answer(channels, method, params);
        },
      },
      { retryCount: 0 },
    ),
  });
  return {
    channels,
    calls,
    down,
    client,
    put(descriptor: Descriptor, state: Partial<StubChannel> = {}): Hex {
      const id = channelIdOf(descriptor);
      channels.set(id.toLowerCase(), { descriptor, deposit: 0n, settled: 0n, closing: false, ...state });
      return id;
    },
    /** As the escrow does it: of a closed channel nothing is left. */
    close(id: Hex) {
      const channel = channels.get(id.toLowerCase());
      if (channel) Object.assign(channel, { deposit: 0n, settled: 0n, closing: false });
    },
    /** What a server does with the transaction of a credential. */
    execute(payload: SignedPayload) {
      const { calls: inside } = Transaction.deserialize(payload.transaction as Transaction.TransactionSerializedTempo);
      const { functionName, args } = decodeFunctionData({ abi: escrowAbi, data: inside?.at(-1)?.data ?? '0x' });
      if (functionName === 'open') this.put(payload.descriptor, { deposit: args[3] });
      const channel = channels.get(payload.channelId.toLowerCase());
      if (functionName === 'topUp' && channel) channel.deposit += args[1];
    },
  };
}

function answer(channels: ReadonlyMap<string, StubChannel>, method: string, params: readonly unknown[]): unknown {
  switch (method) {
    case 'eth_chainId':
      return `0x${CHAIN.toString(16)}`;
    case 'eth_getTransactionCount':
      return '0x0';
    case 'eth_estimateGas':
      return '0x100000';
    case 'eth_maxPriorityFeePerGas':
    case 'eth_gasPrice':
      return '0x1';
    case 'eth_getBlockByNumber':
      return { baseFeePerGas: '0x1', number: '0x1', timestamp: '0x1', hash: `0x${'01'.repeat(32)}`, transactions: [] };
    case 'eth_call':
      return stateOf(channels, (params[0] as { data: Hex }).data);
    case 'eth_getLogs':
      return logsOf(channels, (params[0] as { topics: readonly (Hex | null)[] }).topics);
    default:
      throw new Error(`the stub chain does not know ${method}`);
  }
}

function stateOf(channels: ReadonlyMap<string, StubChannel>, data: Hex): Hex {
  const { functionName, args } = decodeFunctionData({ abi: escrowAbi, data });
  if (functionName !== 'getChannelState') throw new Error(`the stub chain does not know ${functionName}`);
  const { settled = 0n, deposit = 0n, closing = false } = channels.get(args[0].toLowerCase()) ?? {};
  return encodeFunctionResult({
    abi: escrowAbi,
    functionName,
    result: { settled, deposit, closeRequestedAt: closing ? 1 : 0 },
  });
}

function logsOf(channels: ReadonlyMap<string, StubChannel>, topics: readonly (Hex | null)[]): unknown[] {
  const { descriptor, deposit } = channels.get(topics[1]?.toLowerCase() ?? '') ?? {};
  if (descriptor === undefined) return [];
  const { payer, payee, operator, token, authorizedSigner, salt, expiringNonceHash } = descriptor;
  const logged = encodeEventTopics({
    abi: escrowAbi,
    eventName: 'ChannelOpened',
    args: { channelId: channelIdOf(descriptor), payer, payee },
  });
  if (topics.some((topic, index) => topic !== null && topic?.toLowerCase() !== logged[index]?.toString().toLowerCase()))
    return [];
  const types = ['address', 'address', 'address', 'bytes32', 'bytes32', 'uint96'].map((type) => ({ type }));
  const values = [operator, token, authorizedSigner, salt, expiringNonceHash, deposit];
  return [
    {
      address: ESCROW,
      topics: logged,
      data: encodeAbiParameters(types, values),
      blockHash: `0x${'01'.repeat(32)}`,
      blockNumber: '0x1',
      logIndex: '0x0',
      transactionIndex: '0x0',
      transactionHash: `0x${'03'.repeat(32)}`,
      removed: false,
    },
  ];
}

/** A voucher as a snapshot shows it. */
export async function shownVoucher(channelId: Hex, cumulative: bigint, signer = PAYER) {
  const client = createClient({ chain: tempoModerato, transport: custom({ request: async () => null }) });
  const voucher = { channelId, cumulativeAmount: cumulative };
  const signature = await Voucher.signVoucher(client, signer, voucher, ESCROW, CHAIN);
  return { channelId, cumulativeAmount: cumulative.toString(), signature };
}

type Fields = Record<string, unknown>;

export const request = (details: Fields = {}, change: Fields = {}): Fields => ({
  amount: '10',
  currency: TOKEN,
  recipient: PAYEE,
  unitType: 'request',
  suggestedDeposit: '1000',
  methodDetails: { chainId: CHAIN, escrowContract: ESCROW, sessionProtocol: 'v2', ...details },
  ...change,
});

interface ChallengeChange {
  readonly method?: string;
  readonly intent?: string;
  readonly realm?: string;
  readonly header?: string;
  readonly expires?: string;
}

export const challengeHeader = (asked: Fields, change: ChallengeChange = {}): string =>
  Challenge.serialize(
    Challenge.from({
      secretKey: 'k'.repeat(32),
      realm: 'api.test',
      method: 'tempo',
      intent: 'session',
      request: asked,
      ...change,
    }),
  );

export const paymentRequired = (asked: Fields, detail = 'payment required', expires?: string): Response =>
  new Response(JSON.stringify({ detail }), {
    status: 402,
    headers: { 'WWW-Authenticate': challengeHeader(asked, { expires }) },
  });

export interface SignedPayload {
  readonly action: 'open' | 'voucher' | 'topUp' | 'close';
  readonly channelId: Hex;
  readonly descriptor: Descriptor;
  readonly cumulativeAmount?: string;
  readonly transaction?: Hex;
  readonly signature?: Hex;
}

/** The payment in a request, if it carries one. */
export function paymentIn(init: RequestInit | undefined) {
  const header = new Headers(init?.headers).get('Authorization');
  if (header?.startsWith('Payment ') !== true) return undefined;
  return Credential.deserialize<SignedPayload>(header);
}

export const receiptHeader = (channelId: Hex, accepted: string, spent: string): string =>
  Buffer.from(
    JSON.stringify({
      method: 'tempo',
      intent: 'session',
      status: 'success',
      timestamp: '2026-01-01T00:00:00.000Z',
      reference: channelId,
      challengeId: 'x',
      channelId,
      acceptedCumulative: accepted,
      spent,
    }),
  ).toString('base64url');
