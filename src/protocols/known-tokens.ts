/** What a token contract says of itself. */
export interface KnownToken {
  /** Its symbol. */
  readonly currency: string;
  readonly decimals: number;
  /** The EIP-712 domain of its authorizations: whoever signs over another one has signed nothing that can be settled. */
  readonly domain: { readonly name: string; readonly version: string };
}

const DECIMALS = 6;
const VERSION = '2';

/**
 * CAIP-2 network → address → symbol and name in the domain, of tokens that Circle issues: one and the same token is named
 * otherwise from chain to chain. Sources: the tables of npm `@x402/evm` and `x402`, for addresses also `viem/tokens`;
 * test/interop compares.
 */
export const KNOWN_TOKENS: Readonly<
  Record<string, Readonly<Record<string, readonly [currency: string, name: string]>>>
> = {
  'eip155:1': { '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48': ['USDC', 'USD Coin'] },
  'eip155:137': { '0x3c499c542cef5e3811e1192ce70d8cc03d5c3359': ['USDC', 'USD Coin'] },
  'eip155:143': { '0x754704bc059f8c67012fed69bc8a327a5aafb603': ['USDC', 'USDC'] },
  'eip155:1328': { '0x4fcf1784b31630811181f670aea7a7bef803eaed': ['USDC', 'USDC'] },
  'eip155:1329': { '0xe15fc38f6d8c56af07bbcbe3baf5708a2bf42392': ['USDC', 'USDC'] },
  'eip155:8453': {
    '0x833589fcd6edb6e08f4c7c32d4f71b54bda02913': ['USDC', 'USD Coin'],
    '0x60a3e35cc302bfa44cb288bc5a4f316fdb1adb42': ['EURC', 'EURC'],
  },
  'eip155:42161': { '0xaf88d065e77c8cc2239327c5edb3a432268e5831': ['USDC', 'USD Coin'] },
  'eip155:42220': { '0xceba9300f2b948710d2653dd7b07f33a8b32118c': ['USDC', 'USDC'] },
  'eip155:43113': { '0x5425890298aed601595a70ab815c96711a31bc65': ['USDC', 'USD Coin'] },
  'eip155:43114': { '0xb97ef9ef8734c71904d8002f8b6bc66dd9c48a6e': ['USDC', 'USD Coin'] },
  'eip155:80002': { '0x41e94eb019c0762f9bfcf9fb1e58725bfb0e7582': ['USDC', 'USDC'] },
  'eip155:84532': {
    '0x036cbd53842c5426634e7929541ec2318f3dcf7e': ['USDC', 'USDC'],
    '0x808456652fdb597867f38412077a9182bf77359f': ['EURC', 'EURC'],
  },
  'eip155:421614': { '0x75faf114eafb1bdbe2f0316df893fd58ce46aa4d': ['USDC', 'USD Coin'] },
};

/** @param network CAIP-2 */
export function knownToken(network: string, asset: string): KnownToken | undefined {
  const [currency, name] = KNOWN_TOKENS[network]?.[asset.toLowerCase()] ?? [];
  if (currency === undefined || name === undefined) return undefined;
  return { currency, decimals: DECIMALS, domain: { name, version: VERSION } };
}
