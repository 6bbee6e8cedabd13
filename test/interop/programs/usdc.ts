/** What the programs of this folder are paid in. */
export const usdc = {
  asset: '0x833589fCD6eDb6E08f4c7C32D4F71b54bdA02913',
  decimals: 6,
  network: 'eip155:8453',
  payTo: '0x209693Bc6afc0C5328bA36FaF03C514EF312287C',
} as const;
