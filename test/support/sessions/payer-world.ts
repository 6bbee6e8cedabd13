import type { LocalAccount } from 'viem';
import { type ChannelEntry, createMemoryChannelStore, createSessionFetch } from '../../../src/client.js';
import {
  CHAIN,
  channelIdOf,
  descriptorOf,
  ESCROW,
  PAYEE,
  PAYER,
  type shownVoucher,
  stubChain,
  TOKEN,
} from './session-world.js';
import { stubSessionServer } from './stub-session-server.js';

export const SHOP = 'https://shop.test/paid';
const KEY = `${PAYEE}:${TOKEN}:${ESCROW}:${CHAIN}`;
export const CHANNEL = channelIdOf(descriptorOf());

/** What is on record of the payer's channel after 50 were signed on it. */
export const entryOf = (change: Partial<ChannelEntry> = {}): ChannelEntry => ({
  channelId: CHANNEL,
  cumulativeAmount: 50n,
  deposit: 1000n,
  depositFromChain: true,
  descriptor: descriptorOf(),
  escrow: ESCROW,
  chainId: CHAIN,
  opened: true,
  ...change,
});

/** A payer, a node and an honest shop, all in this process and on a clock that can be moved. */
export function payerWorld() {
  const chain = stubChain();
  const shop = stubSessionServer(chain);
  const store = createMemoryChannelStore();
  const clock = { now: Date.now(), nowMs: () => clock.now };
  const client = (channelStore = store, account: LocalAccount = PAYER) =>
    createSessionFetch({
      account,
      getClient: () => chain.client,
      maxDeposit: 5000n,
      channelStore,
      fetch: (input, init) => shop.fetch(input, init),
      clock,
    });
  return {
    chain,
    shop,
    store,
    clock,
    client,
    recorded: async () => store.get(KEY),
    /** A channel opened earlier, of which the shop has accepted and served `accepted`. */
    opened: (accepted: bigint, state: { deposit?: bigint; settled?: bigint; closing?: boolean } = {}): void => {
      chain.put(descriptorOf(), { deposit: 1000n, ...state });
      shop.channels.set(CHANNEL.toLowerCase(), { accepted, spent: accepted });
    },
    /** `paid`, or the code of the error, or the text of one that is not ours. */
    outcome: (pays = client(), init: RequestInit = {}): Promise<string> =>
      pays(SHOP, init).then(
        () => 'paid',
        (error: { readonly code?: unknown; readonly message: string }) =>
          typeof error.code === 'string' ? error.code : error.message,
      ),
    deposit: () => chain.channels.get(CHANNEL.toLowerCase())?.deposit,
  };
}

/** Method details in which the server proves, by our own signature, what we have signed. */
export function proving(highestVoucher: Awaited<ReturnType<typeof shownVoucher>>, required: bigint) {
  return {
    sessionSnapshot: {
      acceptedCumulative: highestVoucher.cumulativeAmount,
      spent: highestVoucher.cumulativeAmount,
      deposit: '1000',
      settled: '0',
      requiredCumulative: required.toString(),
      channelId: highestVoucher.channelId,
      chainId: CHAIN,
      escrow: ESCROW,
      descriptor: descriptorOf(),
      highestVoucher,
    },
  };
}
