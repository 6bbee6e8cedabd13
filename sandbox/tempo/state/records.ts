import type { Address, Hex } from 'viem';

/** The seven fields a channel's id is made of (TIP-1034). */
export interface Descriptor {
  readonly payer: Address;
  readonly payee: Address;
  readonly operator: Address;
  readonly token: Address;
  readonly salt: Hex;
  readonly authorizedSigner: Address;
  readonly expiringNonceHash: Hex;
}

/** A channel that is open; amounts are atomic units of its token. */
export interface Channel {
  readonly id: Hex;
  readonly descriptor: Descriptor;
  readonly deposit: bigint;
  readonly settled: bigint;
  /** Unix seconds; 0: the payer has not asked for it. */
  readonly closeRequestedAt: number;
}

export interface Log {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

/** A call of a transaction, or of a simulation. */
export interface Call {
  readonly to: Address;
  readonly data: Hex;
}

export interface Transaction {
  readonly hash: Hex;
  readonly raw: Hex;
  readonly from: Address;
  readonly calls: readonly Call[];
  readonly nonce: number;
  /** Undefined: the account's ordinary sequence. */
  readonly nonceKey: bigint | undefined;
  /** Unix seconds: the transaction is valid from the first and before the second. */
  readonly validAfter: number;
  readonly validBefore: number;
  /** Of a channel that it opens. */
  readonly expiringNonceHash: Hex;
}

/** What a block holds: exactly one transaction. */
export interface Mined {
  readonly transaction: Transaction;
  readonly blockNumber: number;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly logs: readonly Log[];
  /** Name of the error it reverted with; null: it succeeded. */
  readonly revertedWith: string | null;
}
