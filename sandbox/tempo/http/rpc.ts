import { type Address, type Hex, toHex, zeroAddress } from 'viem';
import { z } from 'zod';
import { Reverted } from '../escrow/reverted.js';
import { readView } from '../escrow/views.js';
import { blockHash, type Chain, ESCROW, type Fate } from '../state/chain.js';
import { findLogs } from './logs.js';
import { readTransaction } from './raw-transaction.js';
import { receiptOf, transactionOf } from './receipts.js';
import { RpcRefused } from './rpc-error.js';

type Method = (chain: Chain, params: readonly unknown[], fate: Fate) => unknown;

const address = z.custom<Address>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value));
const hexData = z.custom<Hex>((value) => typeof value === 'string' && /^0x(?:[0-9a-fA-F]{2})*$/.test(value));
const callSchema = z.object({
  from: address.default(zeroAddress),
  to: address.nullish(),
  data: hexData.optional(),
  input: hexData.optional(),
  /** Tempo: several calls in one transaction. */
  calls: z.array(z.object({ to: address.nullish(), data: hexData.optional(), input: hexData.optional() })).optional(),
});
const hashSchema = z.string().regex(/^0x[0-9a-fA-F]{64}$/);

/** Everything this node answers; what viem and mppx ask of a node, and logs. */
const METHODS = {
  eth_chainId: ({ chainId }) => toHex(chainId),
  net_version: ({ chainId }) => String(chainId),
  web3_clientVersion: () => 'makegood-sandbox-tempo',
  eth_blockNumber: (chain) => toHex(chain.blockNumber()),
  eth_gasPrice: () => '0x1',
  eth_maxPriorityFeePerGas: () => '0x1',
  eth_getBalance: () => '0x0',
  eth_getCode: () => '0x',
  eth_getTransactionCount: (chain, [account]) => toHex(chain.nonceOf(read(address, account))),
  eth_getBlockByNumber: (chain, [tag]) => block(chain, blockOf(chain, tag)),
  eth_getLogs: (chain, [filter]) => findLogs(chain, filter),
  eth_call: ethCall,
  eth_estimateGas: (chain, params) => {
    simulate(chain, params);
    return '0x186a0';
  },
  eth_getTransactionReceipt: (chain, [hash]) => {
    const mined = chain.mined(read(hashSchema, hash));
    return mined === undefined ? null : receiptOf(mined);
  },
  eth_getTransactionByHash: (chain, [given]) => {
    const hash = read(hashSchema, given);
    const mined = chain.mined(hash);
    const transaction = mined?.transaction ?? chain.pooled(hash);
    return transaction === undefined ? null : transactionOf(transaction, chain.chainId, mined);
  },
  eth_sendRawTransaction: async (chain, [raw], fate) => {
    const transaction = await readTransaction(raw, chain.chainId);
    chain.submit(transaction, fate);
    return transaction.hash;
  },
  eth_sendRawTransactionSync: async (chain, [raw], fate) => {
    const transaction = await readTransaction(raw, chain.chainId);
    chain.submit(transaction, fate);
    const mined = chain.mined(transaction.hash);
    if (mined === undefined) throw new RpcRefused(4, 'the transaction was added to the pool and is not mined yet');
    return receiptOf(mined);
  },
} as const satisfies Record<string, Method>;
export type MethodName = keyof typeof METHODS;
export const METHOD_NAMES = Object.keys(METHODS) as readonly MethodName[] as readonly [MethodName, ...MethodName[]];
/** The methods that may change something. */
export const SENDING: readonly MethodName[] = ['eth_sendRawTransaction', 'eth_sendRawTransactionSync'];

const isMethod = (name: string): name is MethodName => Object.hasOwn(METHODS, name);

/** @throws RpcRefused with what a node would answer */
export async function callMethod(
  chain: Chain,
  call: { method: string; params: readonly unknown[] },
  fate: Fate,
): Promise<unknown> {
  const { method, params } = call;
  // -32601 is what makes clients fall back from methods that only some nodes have (eth_fillTransaction).
  if (!isMethod(method)) throw new RpcRefused(-32_601, `the method ${method} does not exist here`);
  const run: Method = METHODS[method];
  try {
    const result = await run(chain, params, fate);
    await chain.durable();
    return result;
  } catch (error) {
    if (error instanceof Reverted) throw new RpcRefused(3, error.message, error.data);
    throw error;
  }
}

function ethCall(chain: Chain, params: readonly unknown[]): Hex {
  const { to, data, input, calls } = read(callSchema, params[0]);
  blockOf(chain, params[1] ?? 'latest');
  if (calls !== undefined || to === undefined || to === null) {
    simulate(chain, params);
    return '0x';
  }
  return readView(chain, to, data ?? input ?? '0x');
}

function simulate(chain: Chain, [request]: readonly unknown[]): void {
  const { from, to, data, input, calls } = read(callSchema, request);
  const all = calls ?? [{ to, data, input }];
  chain.simulate(
    from,
    all.map((call) => ({ to: call.to ?? zeroAddress, data: call.data ?? call.input ?? '0x' })),
  );
}

/** State is kept of now only; asking for an older block gets the present one, for one to come an error. */
function blockOf(chain: Chain, tag: unknown): number {
  if (typeof tag !== 'string' || !/^0x[0-9a-f]+$/i.test(tag)) return chain.blockNumber();
  const number = Number(BigInt(tag));
  if (number > chain.blockNumber()) throw new RpcRefused(-32_001, 'header not found');
  return number;
}

function block(chain: Chain, number: number) {
  const mined = chain.blocks()[number - 1];
  return {
    number: toHex(number),
    hash: blockHash(number),
    parentHash: blockHash(number - 1),
    timestamp: toHex(mined?.timestamp ?? chain.timestamp()),
    baseFeePerGas: '0x1',
    gasLimit: '0x1c9c380',
    gasUsed: '0x0',
    miner: ESCROW,
    transactions: mined === undefined ? [] : [mined.transaction.hash],
  };
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new RpcRefused(-32_602, `invalid params: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
