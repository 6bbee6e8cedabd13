import { type Address, type Hex, isAddressEqual, keccak256, toHex } from 'viem';
import { Channel as Reserve } from 'viem/tempo';
import type { Clock } from '../../../src/domain/clock.js';
import type { Journal } from '../../stand-in/journal.js';
import { execute } from '../escrow/escrow.js';
import { Reverted } from '../escrow/reverted.js';
import { readTransaction } from '../http/raw-transaction.js';
import { RpcRefused } from '../http/rpc-error.js';
import { type ChainState, createChainState, type Draft } from './chain-state.js';
import type { Call, Log, Mined, Transaction } from './records.js';

/** What becomes of a transaction that enters: in the next block, there but undone, or kept in the pool. */
export type Fate = 'mined' | 'reverted' | 'pending';

/** One chain with one escrow; every transaction is a block of its own. */
export interface Chain {
  readonly chainId: number;
  readonly state: ChainState;
  blockNumber(): number;
  /** Unix seconds. */
  timestamp(): number;
  /** The same bytes are carried out once. @throws RpcRefused when a node would not let it into its pool */
  submit(transaction: Transaction, fate: Fate): void;
  /** Carries out what waits in the pool and is still valid. */
  minePool(): void;
  mined(hash: string): Mined | undefined;
  pooled(hash: string): Transaction | undefined;
  pool(): readonly Transaction[];
  blocks(): readonly Mined[];
  /** Number of ordinary transactions of the account so far. */
  nonceOf(account: Address): number;
  /** Resolves once everything that happened so far survives a kill -9; nothing may be answered before. */
  durable(): Promise<void>;
  /** What a call would do now. @throws Reverted */
  simulate(sender: Address, calls: readonly Call[]): void;
  setBalance(token: Address, owner: Address, balance: bigint): void;
  replay(entry: Readonly<Record<string, unknown>>): Promise<void>;
  clear(): void;
}

export interface ChainDependencies {
  readonly chainId: number;
  readonly clock: Clock;
  readonly journal: Journal;
}

const EXPIRING_NONCE_KEY = 2n ** 256n - 1n;
const NO_HASH: Hex = `0x${'0'.repeat(64)}`;
export const ESCROW = Reserve.address as Address;

export const blockHash = (number: number): Hex => keccak256(toHex(`sandbox block ${number}`));

export function createChain({ chainId, clock, journal }: ChainDependencies): Chain {
  const state = createChainState();
  const byHash = new Map<string, Mined>();
  const blocks: Mined[] = [];
  const pool = new Map<string, Transaction>();
  const nonces = new Map<string, number>();
  const timestamp = (): number => Math.floor(clock.nowMs() / 1000);
  const nonceOf = (account: Address): number => nonces.get(account.toLowerCase()) ?? 0;

  const mine = (transaction: Transaction, at: number, undone: boolean): void => {
    const { hash, from, nonceKey } = transaction;
    const frame = { chainId, sender: from, timestamp: at, expiringNonceHash: transaction.expiringNonceHash };
    const outcome = undone ? UNDONE : carryOut(state, (draft) => runCalls(draft, frame, transaction.calls));
    const mined = { transaction, blockNumber: blocks.length + 1, timestamp: at, ...outcome };
    blocks.push(mined);
    byHash.set(hash, mined);
    pool.delete(hash);
    if (!isExpiring(nonceKey)) nonces.set(from.toLowerCase(), nonceOf(from) + 1);
  };
  let written = Promise.resolve();
  const write = (entry: object): void => {
    written = journal.append(entry);
    // Whoever is answered waits for it, and is told of the failure.
    written.catch(() => undefined);
  };
  const mineNow = (transaction: Transaction, undone: boolean): void => {
    const at = timestamp();
    mine(transaction, at, undone);
    write({ t: 'transaction', raw: transaction.raw, at, undone });
  };
  const refusal = (transaction: Transaction): string | undefined => {
    const now = timestamp();
    if (now >= transaction.validBefore) return 'transaction expired: its validBefore has passed';
    if (now < transaction.validAfter) return 'transaction not yet valid';
    if (isExpiring(transaction.nonceKey) || transaction.nonce === nonceOf(transaction.from)) return undefined;
    return transaction.nonce < nonceOf(transaction.from) ? 'nonce too low' : 'nonce too high';
  };
  return {
    chainId,
    state,
    blockNumber: () => blocks.length,
    timestamp,
    durable: () => written,
    submit(transaction, fate) {
      if (byHash.has(transaction.hash) || pool.has(transaction.hash)) return;
      const refused = refusal(transaction);
      if (refused !== undefined) throw new RpcRefused(-32_000, refused);
      if (fate === 'pending') pool.set(transaction.hash, transaction);
      else mineNow(transaction, fate === 'reverted');
    },
    minePool() {
      for (const transaction of Array.from(pool.values())) {
        pool.delete(transaction.hash);
        if (refusal(transaction) === undefined) mineNow(transaction, false);
      }
    },
    mined: (hash) => byHash.get(hash.toLowerCase()),
    pooled: (hash) => pool.get(hash.toLowerCase()),
    pool: () => Array.from(pool.values()),
    blocks: () => blocks,
    nonceOf,
    simulate(sender, calls) {
      const frame = { chainId, sender, timestamp: timestamp(), expiringNonceHash: NO_HASH };
      state.simulate((draft) => runCalls(draft, frame, calls));
    },
    setBalance(token, owner, balance) {
      state.setBalance(token, owner, balance);
      write({ t: 'balance', token, owner, balance: balance.toString() });
    },
    async replay(entry) {
      if (entry.t === 'transaction') {
        mine(await readTransaction(entry.raw, chainId), Number(entry.at), entry.undone === true);
      } else if (entry.t === 'balance') {
        state.setBalance(String(entry.token) as Address, String(entry.owner) as Address, BigInt(String(entry.balance)));
      }
    },
    clear() {
      blocks.length = 0;
      for (const map of [byHash, pool, nonces, state]) map.clear();
    },
  };
}

const isExpiring = (nonceKey: bigint | undefined): boolean => nonceKey === EXPIRING_NONCE_KEY;

const UNDONE = { logs: [], revertedWith: 'undone by a fault' } as const;

function carryOut(state: ChainState, work: (draft: Draft) => readonly Log[]): Pick<Mined, 'logs' | 'revertedWith'> {
  try {
    return { logs: state.commit(work), revertedWith: null };
  } catch (error) {
    if (error instanceof Reverted) return { logs: [], revertedWith: error.reason };
    throw error;
  }
}

function runCalls(draft: Draft, frame: Parameters<typeof execute>[1], calls: readonly Call[]): readonly Log[] {
  return calls.flatMap((call) => (isEscrow(call.to) ? execute(draft, frame, call) : []));
}

export const isEscrow = (to: string): boolean => to.length === 42 && isAddressEqual(to as Address, ESCROW);
