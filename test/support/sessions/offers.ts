import type { PaidSessionOptions } from '../../../src/sessions/index.js';

const SHARED = { decimals: 6, payTo: '0xde30000000000000000000000000000000000402' } as const;

/** What a route is paid in, and to whom: USDC on Base Sepolia. */
export const IN_USDC = {
  ...SHARED,
  asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
  network: 'eip155:84532',
} as const;
export const BASE = 'eip155:8453';
export const POLYGON = 'eip155:137';
export const BASE_USDC = '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913';
export const BASE_EURC = '0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42';
export const POLYGON_USDC = '0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359';

/** Two currencies on two networks: 0.01 USDC on Base or Polygon, or 0.0092 EURC on Base. */
export const IN_THREE_TOKENS = {
  ...SHARED,
  price: '10000',
  asset: BASE_USDC,
  network: BASE,
  protocols: [
    'x402',
    { protocol: 'x402', network: 'polygon', asset: POLYGON_USDC },
    { protocol: 'x402', asset: BASE_EURC, price: '9200' },
  ],
} as const satisfies PaidSessionOptions;

/** The same by vouchers of a payment channel on Tempo. */
export const BY_VOUCHERS = {
  ...SHARED,
  asset: '0x20c0000000000000000000000000000000000001',
  network: 'eip155:42431',
  protocols: ['mpp'],
} as const;
