import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';

/** A fixed key of its own: clients of x402 are handed the account that their own viem has made. Play money only. */
export const stockWallet: PrivateKeyAccount = privateKeyToAccount(`0x${'5c'.repeat(32)}`);
