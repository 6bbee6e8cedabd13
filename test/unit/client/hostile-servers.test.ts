import fc from 'fast-check';
import { type ChannelStore, createChannelStore, Fetch, tempo } from 'mppx/client';
import type { Hex } from 'viem';
import { expect, it } from 'vitest';
import { createMemoryChannelStore, createSessionFetch, SessionPaymentError } from '../../../src/client.js';
import {
  CHAIN,
  channelIdOf,
  descriptorOf,
  ESCROW,
  PAYER,
  paymentIn,
  paymentRequired,
  receiptHeader,
  request,
  type SignedPayload,
  STRANGER,
  shownVoucher,
  stubChain,
  TOKEN,
} from '../../support/sessions/session-world.js';

const sameHex = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
const OURS = descriptorOf();
const ID = channelIdOf(OURS);
const OTHER_ID = channelIdOf(descriptorOf({ salt: `0x${'0a'.repeat(32)}` }));
const MAX_DEPOSIT = 5000n;
const MOST = 2n ** 96n - 1n;

/** How a number is forged, from what is true. */
const forgery = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: -30n, max: 60n }).map((by) => (truth: bigint) => truth + by) },
  { weight: 2, arbitrary: fc.constantFrom(0n, 1n, 999n, MAX_DEPOSIT, MOST).map((value) => () => value) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: MOST }).map((value) => () => value) },
);
const forged = (forge: (truth: bigint) => bigint, truth: bigint): string => {
  const value = forge(truth);
  return (value < 0n ? 0n : value > MOST ? MOST : value).toString();
};

type Answer = 'ask' | 'serve' | 'gone' | 'fail';
const moveOf = (...answers: readonly Answer[]) =>
  fc.record({
    answer: fc.constantFrom(...answers),
    /** Whether a transaction that this answers is sent at once, or kept back: it may still be sent at the end. */
    sends: fc.constantFrom(true, true, false),
    amount: fc.bigInt({ min: 1n, max: 40n }),
    required: forgery,
    accepted: forgery,
    spent: forgery,
    deposit: forgery,
    settled: forgery,
    suggested: forgery,
    tells: fc.constantFrom('nothing', 'flat', 'snapshot', 'both'),
    channel: fc.constantFrom(ID, ID, ID, OTHER_ID, `0x${'77'.repeat(32)}`),
    voucher: fc.constantFrom('highest', 'lower', 'last seen', 'raised', 'of a stranger', 'of another channel', 'none'),
    payee: fc.constantFrom(OURS.payee, OURS.payee, OURS.payee, STRANGER.address),
    chainId: fc.constantFrom(CHAIN, CHAIN, CHAIN, 4217),
  });
const move = moveOf('ask', 'ask', 'ask', 'ask', 'serve', 'gone', 'fail');
/** Of a server that would have one channel after the other opened. */
const losing = moveOf('ask', 'ask', 'gone');
type Move = typeof move extends fc.Arbitrary<infer One> ? One : never;

const world = fc.record({
  /** What this payer has signed on the channel so far, in this process or another. */
  signed: fc.bigInt({ min: 0n, max: 500n }),
  settledShare: fc.integer({ min: 0, max: 4 }),
  /** What of it is on record here; undefined: nothing is known of the channel. */
  known: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
  deposit: fc.bigInt({ min: 500n, max: 2000n }),
  /** The record may stem from a client that took a server's word for the deposit. */
  recordedDeposit: fc.constantFrom(0n, 500n, MOST),
  moves: fc.oneof(fc.array(move, { minLength: 2, maxLength: 8 }), fc.array(losing, { minLength: 6, maxLength: 12 })),
});
type World = typeof world extends fc.Arbitrary<infer One> ? One : never;

type Pays = (url: string) => Promise<Response>;
interface Tools {
  readonly chain: ReturnType<typeof stubChain>;
  readonly fetch: typeof globalThis.fetch;
  /** The payer's record, if it has one. */
  readonly recorded: bigint | undefined;
  readonly deposit: bigint;
}
type Client = (tools: Tools) => Promise<Pays>;

const entryOf = ({ recorded = 0n, deposit }: Tools) => ({
  channelId: ID,
  cumulativeAmount: recorded,
  deposit,
  descriptor: OURS,
  escrow: ESCROW,
  chainId: CHAIN,
  opened: true,
});

const ourClient: Client = async (tools) => {
  const channelStore = createMemoryChannelStore();
  if (tools.recorded !== undefined) await channelStore.set(entryOf(tools));
  const { chain, fetch } = tools;
  return createSessionFetch({
    account: PAYER,
    getClient: () => chain.client,
    maxDeposit: MAX_DEPOSIT,
    channelStore,
    fetch,
  });
};

/** mppx pull request 260 ("flat session hints") to the letter, upon the stock client: whatever the server requires is what is signed. */
const literalClient: Client = async (tools) => {
  const channelStore: ChannelStore = createChannelStore();
  if (tools.recorded !== undefined) await channelStore.set(entryOf(tools));
  const method = tempo.session({ account: PAYER, getClient: () => tools.chain.client, channelStore });
  const { createCredential } = method;
  method.createCredential = async (parameters) => {
    const { amount, methodDetails } = parameters.challenge.request as unknown as {
      amount: string;
      methodDetails: { requiredCumulative?: string };
    };
    const { requiredCumulative } = methodDetails;
    if (requiredCumulative !== undefined && tools.recorded !== undefined)
      await channelStore.set({ ...entryOf(tools), cumulativeAmount: BigInt(requiredCumulative) - BigInt(amount) });
    return createCredential(parameters);
  };
  return Fetch.from({ fetch: tools.fetch, methods: [method] });
};

/**
 * Plays a server that says what it likes, and judges everything that the client signs for it.
 * @returns what the client should not have signed
 */
async function play(
  client: Client,
  onSigned: () => void,
  { signed, settledShare, known, deposit, recordedDeposit, moves }: World,
): Promise<string[]> {
  const wrong: string[] = [];
  const chain = stubChain();
  const settled = (signed * BigInt(settledShare)) / 4n;
  chain.put(OURS, { deposit, settled });
  const provable = new Map<string, bigint>([[ID.toLowerCase(), signed]]);
  const seen: SignedPayload[] = [];
  /** As it will be when everything that was kept back was sent. */
  const atLast = stubChain();
  if (known !== undefined) atLast.put(OURS, { deposit, settled });
  const signedTransactions = new Set<string>();
  const script = [...moves];
  let asked: Move | undefined;

  const judge = ({ payload, challenge }: NonNullable<ReturnType<typeof paymentIn>>) => {
    const asks = challenge.request as { amount: string; recipient: string; methodDetails: { chainId: number } };
    const id = payload.channelId.toLowerCase();
    const { payer, payee, token } = payload.descriptor;
    const holds = (chain.channels.get(id) ?? atLast.channels.get(id))?.deposit ?? 0n;
    const before = provable.get(id) ?? 0n;
    const cumulative = BigInt(payload.cumulativeAmount ?? '0');
    if (!sameHex(payer, PAYER.address) || !sameHex(token, TOKEN)) wrong.push('for another payer or token');
    if (!sameHex(payee, asks.recipient)) wrong.push('for another payee');
    if (asks.methodDetails.chainId !== CHAIN) wrong.push('for another chain');
    const locked = [...atLast.channels.values()].filter(({ descriptor }) => sameHex(descriptor.payee, payee));
    const all = locked.reduce((sum, channel) => sum + channel.deposit - channel.settled, 0n);
    if (all > MAX_DEPOSIT) wrong.push(`${all} locked up`);
    if (cumulative > before + BigInt(asks.amount)) wrong.push(`${cumulative} upon ${before}`);
    if (cumulative > holds || cumulative > MAX_DEPOSIT) wrong.push(`${cumulative} of a deposit of ${holds}`);
    provable.set(id, cumulative > before ? cumulative : before);
    onSigned();
    if (payload.cumulativeAmount !== undefined) seen.push(payload);
  };

  const fetch: typeof globalThis.fetch = async (_input, init) => {
    const payment = paymentIn(init);
    if (payment !== undefined) {
      const { transaction, channelId } = payment.payload;
      if (channelId === ID && !atLast.channels.has(ID)) atLast.put(OURS, { deposit, settled });
      // A top-up or an opening is carried out before it is judged: its deposit is what limits the voucher.
      if (transaction !== undefined && script[0]?.sends !== false) chain.execute(payment.payload);
      if (transaction !== undefined && !signedTransactions.has(transaction)) atLast.execute(payment.payload);
      if (transaction !== undefined) signedTransactions.add(transaction);
      judge(payment);
      if (payment.payload.action === 'topUp') return new Response(null, { status: 204 });
    }
    const next = script.shift();
    if (next === undefined || next.answer === 'serve') return served(next ?? asked, payment?.payload);
    if (next.answer === 'gone') return new Response('', { status: 410 });
    if (next.answer === 'fail') return new Response('', { status: 500 });
    asked = next;
    return ask(next, { signed: provable.get(ID.toLowerCase()) ?? 0n, settled, deposit, last: seen.at(-1) });
  };

  const recorded = known === undefined ? undefined : (signed * BigInt(known)) / 4n;
  const pays = await client({ chain, fetch, recorded, deposit: recordedDeposit });
  // What counts is what was signed; a refusal only has to say why.
  while (script.length > 0)
    await pays('https://hostile.test/').catch((error: unknown) => {
      if (client === ourClient && !(error instanceof SessionPaymentError))
        wrong.push(`an error without a code: ${String(error)}`);
    });
  return wrong;
}

function served(told: Move | undefined, payload: SignedPayload | undefined): Response {
  if (told === undefined || payload === undefined) return new Response('served');
  const truth = BigInt(payload.cumulativeAmount ?? '0');
  const id: Hex = told.channel === ID ? payload.channelId : told.channel;
  const receipt = receiptHeader(id, forged(told.accepted, truth), forged(told.spent, truth));
  return new Response('served', { headers: { 'Payment-Receipt': receipt } });
}

interface Truth {
  readonly signed: bigint;
  readonly settled: bigint;
  readonly deposit: bigint;
  readonly last: SignedPayload | undefined;
}

async function ask(told: Move, truth: Truth): Promise<Response> {
  const amounts = {
    requiredCumulative: forged(told.required, truth.signed),
    acceptedCumulative: forged(told.accepted, truth.signed),
    spent: forged(told.spent, truth.signed),
    deposit: forged(told.deposit, truth.deposit),
  };
  const flat = { channelId: told.channel, ...amounts };
  const sessionSnapshot = {
    ...flat,
    chainId: told.chainId,
    escrow: ESCROW,
    descriptor: { ...OURS, payee: told.payee },
    settled: forged(told.settled, truth.settled),
    highestVoucher: await voucherOf(told, truth),
  };
  const details = {
    chainId: told.chainId,
    ...((told.tells === 'flat' || told.tells === 'both') && flat),
    ...((told.tells === 'snapshot' || told.tells === 'both') && { sessionSnapshot }),
  };
  return paymentRequired(
    request(details, {
      amount: told.amount.toString(),
      recipient: told.payee,
      suggestedDeposit: forged(told.suggested, 500n),
    }),
  );
}

/** The highest voucher that the payer has signed, or something that is said to be one. */
async function voucherOf(told: Move, { signed, last }: Truth) {
  const genuine = await shownVoucher(ID, signed);
  switch (told.voucher) {
    case 'highest':
      return genuine;
    case 'lower':
      return shownVoucher(ID, signed / 2n);
    case 'last seen':
      return last?.signature === undefined || last.cumulativeAmount === undefined
        ? genuine
        : { channelId: last.channelId, cumulativeAmount: last.cumulativeAmount, signature: last.signature };
    case 'raised':
      return { ...genuine, cumulativeAmount: (signed + 1000n).toString() };
    case 'of a stranger':
      return shownVoucher(ID, signed + 1000n, STRANGER);
    case 'of another channel':
      return { ...(await shownVoucher(OTHER_ID, signed + 1000n)), channelId: ID };
    case 'none':
      return undefined;
  }
}

const signsAtMostOnePriceMore = (client: Client, onSigned: () => void = () => undefined) =>
  fc.asyncProperty(world, async (one) => {
    expect(await play(client, onSigned, one)).toEqual([]);
  });

it('no server, whatever it says, is signed more than one price above what was provably signed, or above a limit', async () => {
  let judged = 0;
  await fc.assert(
    signsAtMostOnePriceMore(ourClient, () => (judged += 1)),
    { numRuns: 100 },
  );
  // A property of payments that are never made would hold as well.
  expect(judged).toBeGreaterThan(50);
}, 60_000);

it('a client that signs what it is asked for does not keep that promise', async () => {
  const judged = await fc.check(signsAtMostOnePriceMore(literalClient), { numRuns: 100, endOnFailure: true });
  expect(judged.failed).toBe(true);
}, 60_000);
