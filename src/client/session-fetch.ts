import { type Account, type Client, parseUnits } from 'viem';
import { type Clock, systemClock } from '../domain/clock.js';
import { createKeyedQueue } from '../domain/keyed-queue.js';
import { sessionTerms } from './challenge.js';
import { clientFor } from './channel-on-chain.js';
import { type ChannelStore, createMemoryChannelStore } from './channel-store.js';
import { closeChannel, closingTerms } from './close-channel.js';
import { createCredentialSigner } from './credentials.js';
import { SessionPaymentError } from './errors.js';
import { createExchange, type Fetch } from './exchange.js';
import { pay } from './pay.js';
import { keysOf, type Payer } from './payer.js';
import type { SessionReceipt } from './receipt.js';
import { recordReceipt } from './record-receipt.js';

export interface SessionFetchOptions {
  /** Pays and signs; it owns the channels. */
  readonly account: Account;
  /** A viem client of the chain asked for; its node is what deposits are read from. */
  readonly getClient: (wanted: { chainId: number }) => Client | Promise<Client>;
  /**
   * The most that all channels of one payee may hold at once: a bigint in atomic units, or a text in whole tokens with up
   * to six decimals, as npm mppx takes it. A deposit counts until the chain shows that it came back.
   */
  readonly maxDeposit: bigint | string;
  /** Default: in memory. Use createFileChannelStore, or a store of your own, to keep channels from one process to the next. */
  readonly channelStore?: ChannelStore;
  readonly fetch?: Fetch;
  readonly clock?: Clock;
}

/** As fetch, and pays. */
export interface SessionFetch extends Fetch {
  /**
   * Closes the channel that pays this address, and those that were left before it; the rest of their deposits comes back
   * to the account. Each stays on record until the chain shows that it is closed.
   * @returns the receipt, or undefined where there was no channel or the server sent no receipt
   * @throws SessionPaymentError `close_failed` also where the server does not know a channel that holds a deposit on chain
   */
  close(url: string | URL): Promise<SessionReceipt | undefined>;
}

/** TIP-20 tokens count in millionths. */
const DECIMALS = 6;

/**
 * A fetch that pays MPP tempo sessions. It signs at most one price above what is provably signed already, whatever a server
 * says: docs/client.md has the table.
 * @throws SessionPaymentError for options that cannot be used; the fetch itself throws them for what it refuses to pay
 */
export function createSessionFetch(options: SessionFetchOptions): SessionFetch {
  const { fetch = globalThis.fetch } = options;
  const payer = payerOf(options);
  // Vouchers of one channel must reach the server in the order of their amounts: a lower one that arrives late is refused.
  // So the next one is signed when the answer to the one before has begun.
  const queue = createKeyedQueue();
  /** The channel last used at an origin: naming it lets the server say in its challenge what it knows of it. */
  const lastUsed = new Map<string, { readonly key: string; readonly channelId: string }>();

  const paying: Fetch = async (input, init) => {
    const exchange = createExchange(fetch, input, init);
    const { origin } = exchange.url;
    const known = lastUsed.get(origin);
    const asked = await exchange.ask(known?.channelId);
    const terms = asked.status === 402 ? sessionTerms(asked.headers) : undefined;
    if (terms === undefined) {
      // In turn, or what a payment records meanwhile would be overwritten; and not waited for, because nothing is paid here.
      if (known !== undefined) void queue.run(known.key, () => recordReceipt(payer, known.key, asked));
      return asked;
    }
    exchange.requirePayable(asked);
    await asked.body?.cancel();
    const { response, channelId } = await queue.run(terms.key, () => pay(payer, exchange, terms));
    if (response.ok && channelId !== undefined) lastUsed.set(origin, { key: terms.key, channelId });
    return response;
  };
  const close = async (url: string | URL) => {
    const exchange = createExchange(fetch, url, { method: 'POST' });
    const terms = await closingTerms(exchange);
    return queue.run(terms.key, () => closeChannel(payer, exchange, terms));
  };
  return Object.assign(paying, { close });
}

function payerOf({ account, getClient, maxDeposit, channelStore, clock = systemClock }: SessionFetchOptions): Payer {
  const clientOf = (chainId: number) => clientFor(getClient, chainId);
  return {
    keys: keysOf(account),
    maxDeposit: atomic(maxDeposit),
    store: channelStore ?? createMemoryChannelStore(),
    signer: createCredentialSigner(account, clientOf),
    clientOf,
    clock,
  };
}

function atomic(maxDeposit: bigint | string): bigint {
  const amount =
    typeof maxDeposit === 'string' && /^\d{1,22}(?:\.\d{1,6})?$/.test(maxDeposit)
      ? parseUnits(maxDeposit, DECIMALS)
      : maxDeposit;
  if (typeof amount === 'bigint' && amount > 0n) return amount;
  throw new SessionPaymentError(
    'invalid_option',
    `maxDeposit must be a bigint in atomic units (5000000n) or a text in tokens ('5'), and is ${String(maxDeposit)}`,
  );
}
