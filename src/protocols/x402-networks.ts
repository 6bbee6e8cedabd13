/**
 * x402 v1 names its networks, v2 uses CAIP-2. Source: the v1 tables of npm `@x402/evm` and `@x402/svm` (names that the
 * v1 facilitators settle), and three widespread names that can mean only one chain.
 */
const EVM_CHAINS: ReadonlyMap<string, number> = new Map([
  ['abstract', 2741],
  ['abstract-testnet', 11124],
  ['arbitrum', 42161],
  ['arbitrum-sepolia', 421614],
  ['avalanche', 43114],
  ['avalanche-fuji', 43113],
  ['base', 8453],
  ['base-sepolia', 84532],
  ['celo', 42220],
  ['educhain', 41923],
  ['ethereum', 1],
  ['flare', 14],
  ['iotex', 4689],
  ['megaeth', 4326],
  ['monad', 143],
  ['monad-testnet', 10143],
  ['optimism', 10],
  ['peaq', 3338],
  ['polygon', 137],
  ['polygon-amoy', 80002],
  ['sei', 1329],
  ['sei-testnet', 1328],
  ['sepolia', 11155111],
  ['skale-base-sepolia', 324705682],
  ['stable', 988],
  ['stable-testnet', 2201],
  ['story', 1514],
]);

/** The EVM networks that clients of x402 v1 know by name: one that is foreign to them makes them reject a whole 402. */
const NAMED_BY_V1 = [
  'abstract',
  'abstract-testnet',
  'avalanche',
  'avalanche-fuji',
  'base',
  'base-sepolia',
  'educhain',
  'iotex',
  'peaq',
  'polygon',
  'polygon-amoy',
  'sei',
  'sei-testnet',
  'skale-base-sepolia',
  'story',
];
const V1_NAMES: ReadonlyMap<string, string> = new Map(
  NAMED_BY_V1.map((name) => [`eip155:${EVM_CHAINS.get(name)}`, name]),
);

/**
 * What x402 v1 calls a network (npm `x402` 1.2.0, `NetworkSchema`).
 *
 * @param network CAIP-2
 * @returns undefined where its clients know no name for it
 */
export const v1NetworkName = (network: string): string | undefined => V1_NAMES.get(network);

const SOLANA_CLUSTERS: ReadonlyMap<string, string> = new Map([
  ['solana', 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp'],
  ['solana-devnet', 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1'],
  ['solana-testnet', 'solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z'],
]);

/**
 * CAIP-2 of an x402 network in either version's spelling. A name nobody knows stays as it is, in lower case: it equals
 * only itself, so it can match no offer made in CAIP-2.
 */
export function canonicalNetwork(network: string): string {
  const evm = /^eip155:0*([0-9]{1,20})$/i.exec(network);
  if (evm) return `eip155:${evm[1]}`;
  if (network.includes(':')) return network;
  const name = network.toLowerCase();
  const chain = EVM_CHAINS.get(name);
  return chain === undefined ? (SOLANA_CLUSTERS.get(name) ?? name) : `eip155:${chain}`;
}
