import type { Address, Hex } from 'viem';
import type { Channel } from './records.js';

/** Channels and balances as one transaction sees them. */
export interface EscrowState {
  channel(id: Hex): Channel | undefined;
  balance(token: Address, owner: Address): bigint;
}

/** Changes of one transaction: all of them are kept, or none. */
export interface Draft extends EscrowState {
  put(channel: Channel): void;
  remove(id: Hex): void;
  move(token: Address, owner: Address, delta: bigint): void;
}

export interface ChainState extends EscrowState {
  channels(): readonly Channel[];
  balances(): readonly { readonly token: string; readonly owner: string; readonly balance: bigint }[];
  setBalance(token: Address, owner: Address, balance: bigint): void;
  /** Runs `work` on a draft and keeps its changes unless it throws. */
  commit<T>(work: (draft: Draft) => T): T;
  /** Runs `work` on a draft and keeps nothing. */
  simulate<T>(work: (draft: Draft) => T): T;
  clear(): void;
}

/** What an owner has who was never given a balance: 1,000,000.00. */
const DEFAULT_BALANCE = 1_000_000_000_000n;

export function createChainState(): ChainState {
  const channels = new Map<string, Channel>();
  const balances = new Map<string, bigint>();
  const channel = (id: Hex) => channels.get(lower(id));
  const balance = (token: Address, owner: Address) => balances.get(keyOf(token, owner)) ?? DEFAULT_BALANCE;

  const run = <T>(work: (draft: Draft) => T): { result: T; keep: () => void } => {
    const changed = new Map<string, Channel | undefined>();
    const moved = new Map<string, bigint>();
    const draft: Draft = {
      channel: (id) => (changed.has(lower(id)) ? changed.get(lower(id)) : channel(id)),
      balance: (token, owner) => moved.get(keyOf(token, owner)) ?? balance(token, owner),
      put: (given) => void changed.set(lower(given.id), given),
      remove: (id) => void changed.set(lower(id), undefined),
      move: (token, owner, delta) => void moved.set(keyOf(token, owner), draft.balance(token, owner) + delta),
    };
    const result = work(draft);
    return {
      result,
      keep() {
        for (const [id, given] of changed) {
          if (given === undefined) channels.delete(id);
          else channels.set(id, given);
        }
        for (const [key, amount] of moved) balances.set(key, amount);
      },
    };
  };
  return {
    channel,
    balance,
    channels: () => Array.from(channels.values()),
    balances: () =>
      Array.from(balances, ([key, amount]) => {
        const [token = '', owner = ''] = key.split(' ');
        return { token, owner, balance: amount };
      }),
    setBalance: (token, owner, amount) => void balances.set(keyOf(token, owner), amount),
    commit(work) {
      const { result, keep } = run(work);
      keep();
      return result;
    },
    simulate: (work) => run(work).result,
    clear() {
      channels.clear();
      balances.clear();
    },
  };
}

const lower = (text: string): string => text.toLowerCase();
const keyOf = (token: Address, owner: Address): string => `${lower(token)} ${lower(owner)}`;
