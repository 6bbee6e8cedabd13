const SHARED = { decimals: 6, payTo: '0xde30000000000000000000000000000000000402' } as const;

/** What a route is paid in, and to whom: USDC on Base Sepolia. */
export const IN_USDC = {
  ...SHARED,
  asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
  network: 'eip155:84532',
} as const;
/** The same by vouchers of a payment channel on Tempo. */
export const BY_VOUCHERS = {
  ...SHARED,
  asset: '0x20c0000000000000000000000000000000000001',
  network: 'eip155:42431',
  protocols: ['mpp'],
} as const;
