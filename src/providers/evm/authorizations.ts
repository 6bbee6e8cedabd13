import { BaseError, ContractFunctionZeroDataError, createClient, isAddress, isHex } from 'viem';
import { getChainId, readContract } from 'viem/actions';
import type { ReadAnswer } from '../../domain/calls/provider-answers.js';
import { rpcFailure, rpcTransport } from '../tempo/rpc.js';

/** An authorization of EIP-3009, as its token knows it. */
export interface Authorization {
  /** CAIP-2: `eip155:8453`. */
  readonly network: string;
  readonly asset: string;
  readonly from: string;
  readonly nonce: string;
}

export interface AuthorizationReader {
  /** CAIP-2, of the nodes that are configured. */
  readonly networks: readonly string[];
  /**
   * Whether its token has it as used, or as cancelled by its payer: EIP-3009 tells the two not apart. `missing`: what it names
   * is no such token, whenever it is asked.
   */
  readUsed(authorization: Authorization): Promise<ReadAnswer<boolean>>;
}

const ABI = [
  {
    type: 'function',
    name: 'authorizationState',
    stateMutability: 'view',
    inputs: [
      { name: 'authorizer', type: 'address' },
      { name: 'nonce', type: 'bytes32' },
    ],
    outputs: [{ name: '', type: 'bool' }],
  },
] as const;

const TIMEOUT_MS = 10_000;

/**
 * Reads only, of nodes that may be anybody's: nothing is concluded of a node that says it is of another chain.
 *
 * @param rpcUrls by network
 */
export function createAuthorizationReader(
  rpcUrls: ReadonlyMap<string, string>,
  fetcher: typeof fetch = fetch,
): AuthorizationReader {
  return {
    networks: [...rpcUrls.keys()],
    async readUsed({ network, asset, from, nonce }) {
      const url = rpcUrls.get(network);
      if (url === undefined) return { kind: 'unclear', detail: `no node of ${network} is set (X402_RPC_URLS)` };
      if (!isAddress(asset, { strict: false }) || !isAddress(from, { strict: false }) || !isHex(nonce)) {
        return { kind: 'missing', detail: 'what was signed names no token, payer or nonce of an EVM chain' };
      }
      const endMs = performance.now() + TIMEOUT_MS;
      const client = createClient({
        transport: rpcTransport({ url, fetch: fetcher, leftMs: () => endMs - performance.now() }),
      });
      try {
        const chainId = await getChainId(client);
        if (network !== `eip155:${chainId}`) {
          return {
            kind: 'misdirected',
            scope: 'provider',
            detail: `the node set for ${network} is of chain ${chainId}`,
          };
        }
        const value = await readContract(client, {
          address: asset,
          abi: ABI,
          functionName: 'authorizationState',
          args: [from, nonce],
        });
        return { kind: 'found', value };
      } catch (error) {
        if (isNoSuchToken(error)) return { kind: 'missing', detail: `${asset} on ${network} knows no authorizations` };
        // No text of the node's is quoted: its address may hold a key.
        return { kind: 'unclear', detail: `the node of ${network} does not tell of ${nonce}` };
      }
    },
  };
}

const EXECUTION_REVERTED = 3;

/** The node has answered, and its answer stays the same: nothing is there, or what is there refuses the question. */
function isNoSuchToken(error: unknown): boolean {
  if (error instanceof BaseError && error.walk((each) => each instanceof ContractFunctionZeroDataError)) return true;
  const failure = rpcFailure(error);
  return failure?.code === EXECUTION_REVERTED || failure?.message.includes('execution reverted') === true;
}
