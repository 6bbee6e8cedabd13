import { createClient, http } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { tempoModerato } from 'viem/chains';
import type { ChannelStore } from '../../src/client/channel-store.js';
import type { createSessionFetch, SessionFetch } from '../../src/client/session-fetch.js';
import { plural } from '../../src/domain/plural.js';
import type { Stack } from '../stack/stack.js';
import type { LedgerView } from '../tempo/control/ledger-view.js';
import type { Narrator } from './narrator.js';
import { untilHolds } from './until-holds.js';

/** 0.01 USDC, what a request to /demo/channel costs. */
const PRICE = 10_000n;
const BOUGHT = 20;

/** `makegood/client`, handed in as an application would import it. */
export interface PayingClient {
  readonly createSessionFetch: typeof createSessionFetch;
  createMemoryChannelStore(): ChannelStore;
}

interface Story {
  readonly stack: Stack;
  readonly narrator: Narrator;
  readonly client: PayingClient;
}

/** A channel opened and used; a machine left behind; the node of the chain down; the channel closed, captured once. */
export async function tellOfChannels(story: Story): Promise<void> {
  const machines = await aChannel(story);
  await leftBehind(story, machines);
  await theNodeIsDown(story, machines);
  await theChain(story);
}

/** One machine of the buyer, and what it has paid with. */
interface Buyer {
  readonly pays: SessionFetch;
  readonly vouchers: string[];
}

interface Machines {
  readonly first: Buyer;
  readonly second: Buyer;
}

async function aChannel({ stack, narrator, client }: Story): Promise<Machines> {
  narrator.chapter(`Payment channels: a buyer opens one on the chain and buys ${BOUGHT} times, one voucher each.`);
  const machines = buyerOf(stack, client);
  const bought = await buy(stack, machines.first, BOUGHT);
  narrator.check(
    'every request was served and has its receipt',
    bought.every(({ status, spent }) => status === 200 && spent !== undefined),
    `${bought.length} answers, spent ${bought.at(-1)?.spent ?? '-'}`,
  );
  const { channels, transactions } = await chainOf(stack);
  narrator.check(
    'the chain saw one transaction, the opening',
    channels.length === 1 && transactions.length === 1,
    `${transactions.length} transaction`,
  );
  return machines;
}

async function leftBehind({ stack, narrator }: Story, { first, second }: Machines): Promise<void> {
  narrator.chapter(`A second machine of the buyer was away: its record of the channel is ${BOUGHT - 1} requests old.`);
  const before = second.vouchers.length;
  const [answer] = await buy(stack, second, 1);
  narrator.check(
    'its first voucher shows whose channel it is, the answer brings it up to date: it pays with its second',
    answer?.status === 200 && second.vouchers.length === before + 2,
    `spent ${answer?.spent ?? '-'}`,
  );
  const [again] = await buy(stack, first, 1);
  narrator.check('and the first machine goes on', again?.status === 200, `spent ${again?.spent ?? '-'}`);
}

async function theNodeIsDown({ stack, narrator }: Story, { first }: Machines): Promise<void> {
  narrator.chapter('The node of the chain goes down, and the buyer goes on.');
  await control(stack, 'down', { down: true });
  const bought = await buy(stack, first, 3);
  narrator.check(
    'requests stay 200',
    bought.every(({ status }) => status === 200),
    `${bought.length} answers, spent ${bought.at(-1)?.spent ?? '-'}`,
  );
  narrator.chapter('The buyer closes the channel. The node is back, and loses the answer to what it has carried out.');
  await control(stack, 'faults', { rules: [{ kinds: ['reset_after_commit'], times: 1 }] });
  await control(stack, 'down', { down: false });
  const before = await newestSettlement(stack);
  await first.pays.close(at(stack));
  const settled = await untilHolds(async () => {
    const newest = await newestSettlement(stack);
    return newest?.id !== before?.id && newest?.status === 'settled';
  });
  const capture = await newestSettlement(stack);
  narrator.check(
    'the close is settled on the chain, by nobody but the workflow, which looks before it sends again',
    settled,
    plural(capture?.attempts ?? 0, 'attempt'),
  );
}

async function theChain({ stack, narrator }: Story): Promise<void> {
  const { channels } = await chainOf(stack);
  const [channel] = channels;
  const requests = BigInt(BOUGHT + 5);
  narrator.check(
    'what was earned was captured once, to the last digit, and the buyer has the rest of his deposit back',
    channel !== undefined &&
      channel.captures.length === 1 &&
      BigInt(channel.settled) === requests * PRICE &&
      BigInt(channel.refunded) === BigInt(channel.deposit) - requests * PRICE,
    `${channel?.settled ?? '-'} of ${channel?.deposit ?? '-'}`,
  );
}

/** One account on two machines; the second took a copy of the record after the first purchase. */
function buyerOf(stack: Stack, client: PayingClient): Machines {
  const account = privateKeyToAccount(generatePrivateKey());
  const own = client.createMemoryChannelStore();
  const copy = client.createMemoryChannelStore();
  let copied = false;
  const recording: ChannelStore = {
    ...own,
    async set(entry) {
      await own.set(entry);
      if (!copied) await copy.set(entry);
      copied = entry.opened;
    },
  };
  const machine = (channelStore: ChannelStore): Buyer => {
    const vouchers: string[] = [];
    const pays = client.createSessionFetch({
      account,
      getClient: () =>
        createClient({
          account,
          chain: tempoModerato,
          transport: http(stack.endpoints.chainRpc, { retryCount: 0 }),
          pollingInterval: 50,
        }),
      maxDeposit: '5',
      channelStore,
      fetch: (input, init) => {
        const paid = new Headers(init?.headers).get('authorization');
        if (paid !== null) vouchers.push(paid);
        return fetch(input, init);
      },
    });
    return { pays, vouchers };
  };
  return { first: machine(recording), second: machine(copy) };
}

const at = (stack: Stack): string => `${stack.endpoints.server}/demo/channel`;

interface Answer {
  readonly status: number;
  /** Of the receipt. */
  readonly spent: string | undefined;
}

async function buy(stack: Stack, { pays }: Buyer, times: number): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (let nth = 0; nth < times; nth += 1) {
    const response = await pays(at(stack));
    await response.text();
    const receipt = response.headers.get('payment-receipt');
    const { spent } = receipt === null ? {} : (JSON.parse(Buffer.from(receipt, 'base64url').toString()) as Answer);
    answers.push({ status: response.status, spent });
  }
  return answers;
}

const chainOf = async (stack: Stack): Promise<LedgerView> =>
  (await (await fetch(`${stack.endpoints.chainRpc}/control/ledger`)).json()) as LedgerView;

interface Settlement {
  readonly id: string;
  readonly status: string;
  readonly attempts: number;
}

/** Of the protocol that channels belong to. */
async function newestSettlement({ endpoints }: Stack): Promise<Settlement | undefined> {
  const answer = await fetch(`${endpoints.server}/api/v1/settlements?protocol=mpp&limit=1`, {
    headers: { Authorization: `Bearer ${endpoints.tokens.viewer}` },
  });
  return ((await answer.json()) as { readonly items: readonly Settlement[] }).items[0];
}

async function control(stack: Stack, path: string, body: object): Promise<void> {
  const answer = await fetch(`${stack.endpoints.chainRpc}/control/${path}`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`the chain’s node refused to be switched: ${await answer.text()}`);
}
