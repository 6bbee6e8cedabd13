import { ExactEvmScheme } from '@x402/evm/exact/client';
import { wrapFetchWithPayment as wrapFetchV2, x402Client } from '@x402/fetch';
import { createChannelStore, Fetch, tempo } from 'mppx/client';
import { wrapFetchWithPayment as wrapFetchV1 } from 'x402-fetch';
import { chainClient, newAccount } from '../../support/channels/tempo-chain.js';
import { stockWallet } from './stock-wallet.js';

/** What runs in the page that buys: published clients, bundled as they are. `/rpc` of the page's own server is a chain. */

const node = `${(globalThis as { location?: { origin: string } }).location?.origin ?? ''}/rpc`;
const payer = newAccount();

const CLIENTS = {
  fetch: (input, init) => fetch(input, init),
  '@x402/fetch': wrapFetchV2(fetch, new x402Client().register('eip155:*', new ExactEvmScheme(stockWallet))),
  'x402-fetch': wrapFetchV1(fetch, stockWallet) as typeof fetch,
  mppx: Fetch.from({
    methods: [
      tempo.session({
        account: payer,
        getClient: () => chainClient(node, payer),
        maxDeposit: '5',
        channelStore: createChannelStore(),
      }),
    ],
  }) as typeof fetch,
} as const satisfies Record<string, typeof fetch>;

export type PageClient = keyof typeof CLIENTS;

/** All that the page was let see of an answer. */
export interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}
/** As the browser tells a page that it may not read an answer. */
export interface Blocked {
  readonly error: string;
}

export interface Asking {
  readonly client: PageClient;
  readonly url: string;
  readonly init?: RequestInit;
}

async function ask({ client, url, init }: Asking): Promise<Seen | Blocked> {
  try {
    const answer = await CLIENTS[client](url, init);
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json() };
  } catch (error) {
    return { error: String(error) };
  }
}

Object.assign(globalThis, { ask });
