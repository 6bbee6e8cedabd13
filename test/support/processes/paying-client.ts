import { createClient, type Hex, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { tempoModerato } from 'viem/chains';
import { createFileChannelStore, createSessionFetch } from '../../../src/client.js';

/** What the process is to do, as JSON in its first argument. */
export interface PayingOrder {
  readonly shop: string;
  readonly node: string;
  readonly folder: string;
  readonly key: Hex;
  /** Requests to pay; the last one is where it dies. */
  readonly requests: number;
  readonly dies: 'before its payment leaves' | 'after its payment was answered' | 'never';
}

/** A paying client in a process of its own, which is killed at a moment that is not its choice. */
const order = JSON.parse(process.argv[2] ?? '') as PayingOrder;
const account = privateKeyToAccount(order.key);
let payments = 0;

const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
};

const pays = createSessionFetch({
  account,
  getClient: () => createClient({ account, chain: tempoModerato, transport: http(order.node), pollingInterval: 20 }),
  maxDeposit: '5',
  channelStore: createFileChannelStore(order.folder),
  async fetch(input, init) {
    const paid = new Headers(init?.headers).has('Authorization');
    payments += paid ? 1 : 0;
    const last = paid && payments === order.requests;
    if (last && order.dies === 'before its payment leaves') return die();
    const response = await fetch(input, init);
    return last && order.dies === 'after its payment was answered' ? die() : response;
  },
});

for (let request = 0; request < order.requests; request += 1) {
  const response = await pays(order.shop);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
}
