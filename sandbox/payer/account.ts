import { keccak256, toBytes } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';

/** A buyer of the sandbox: an ATXP account and a wallet under one name. */
export interface PayerAccount {
  readonly name: string;
  /** ATXP account id; the auth server keeps its ATXP balance under it. */
  readonly accountId: string;
  /** Wallet for x402 and MPP; the auth server keeps its balance under the address in lower case. */
  readonly wallet: PrivateKeyAccount;
}

/** The same name is always the same buyer. The key is derived from the name: play money only. */
export function payerAccount(name: string): PayerAccount {
  const wallet = privateKeyToAccount(keccak256(toBytes(`makegood sandbox payer ${name}`)));
  return { name, accountId: `atxp_acct_${name}`, wallet };
}

/** The name under which the auth server keeps what this buyer pays by `protocol`. */
export const payerOnLedger = (account: PayerAccount, protocol: 'atxp' | 'x402' | 'mpp'): string =>
  protocol === 'atxp' ? account.accountId : account.wallet.address.toLowerCase();
