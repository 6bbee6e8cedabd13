import { createChannelStore, createJsonChannelStore, type ChannelStore as StockStore } from 'mppx/client';

type Hex = `0x${string}`;
type StockEntry = Parameters<StockStore['set']>[0];

/** The seven facts that a channel's id is the hash of. */
export type ChannelDescriptor = StockEntry['descriptor'];

/** What the server says of a channel, in digits. Shown to people, compared in tests, never a reason to sign more. */
export interface Mirrors {
  readonly accepted?: string;
  readonly spent?: string;
  readonly deposit?: string;
}

/** A signed transaction whose outcome is not known; while it could still land, these very bytes are sent again. */
export interface PendingTransaction {
  readonly action: 'open' | 'topUp';
  readonly transaction: Hex;
  /** The deposit of the channel once it has landed, in digits. */
  readonly depositAfter: string;
  /** Unix seconds; the chain does not take it from then on. */
  readonly validBefore: number;
}

/**
 * One channel as its payer knows it. It is mppx's entry, so that a stock client's store can be used as it is, and more:
 * `cumulativeAmount` is the highest amount ever signed, on record before the voucher leaves.
 */
export interface ChannelEntry extends StockEntry {
  readonly mirrors?: Mirrors;
  /** `deposit` was read on chain by us, not taken from a server's word. */
  readonly depositFromChain?: boolean;
  readonly pending?: PendingTransaction;
  /** Not paid with any more: its server says that it does not know it, or was asked to close it. */
  readonly left?: 'gone' | 'closing';
  /** Others of the same payee that were left, until the chain says that their deposits came back. */
  readonly leftBefore?: readonly LeftChannel[];
}

/** With amounts in digits: stores of npm mppx keep only the outer entry's as numbers. */
export interface LeftChannel extends Omit<ChannelEntry, 'cumulativeAmount' | 'deposit' | 'leftBefore'> {
  readonly cumulativeAmount: string;
  readonly deposit: string;
  /** What the payee has taken of it, as last read on chain. */
  readonly settled?: string;
}

/**
 * Where the payer's own record lives. It must have kept an entry before `set` resolves: a record that is lost after its
 * voucher left would let the next one be signed too low. One store for each account.
 */
export interface ChannelStore {
  get(key: string): ChannelEntry | undefined | Promise<ChannelEntry | undefined>;
  set(entry: ChannelEntry): void | Promise<void>;
  delete(key: string): void | Promise<void>;
}

/** Strings by key, as Redis, a browser's storage or a folder of files keep them. */
export interface ChannelTexts {
  get(key: string): string | undefined | Promise<string | undefined>;
  set(key: string, value: string): void | Promise<void>;
  delete(key: string): void | Promise<void>;
}

/** Forgets everything when the process ends; the next one finds its channel on chain, by the server's hint. */
export const createMemoryChannelStore = (): ChannelStore => createChannelStore();

export const createTextChannelStore = (texts: ChannelTexts): ChannelStore => createJsonChannelStore(texts);

export interface ChannelScope {
  readonly payee: Hex;
  readonly token: Hex;
  readonly escrow: Hex;
  readonly chainId: number;
}

/** `payee:token:escrow:chainId`, as mppx names entries. */
export const channelKey = ({ payee, token, escrow, chainId }: ChannelScope): string =>
  `${payee.toLowerCase()}:${token.toLowerCase()}:${escrow.toLowerCase()}:${chainId}`;

export const sameHex = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
