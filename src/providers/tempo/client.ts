import type { Address, Hex } from 'viem';
import { isAddressEqual, WaitForTransactionReceiptTimeoutError } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { Channel as Reserve } from 'viem/tempo';
import { assertNever } from '../../domain/assert-never.js';
import type { Answer } from '../../domain/calls/answers.js';
import type { Clock } from '../../domain/clock.js';
import type { JsonObject } from '../../domain/json.js';
import { failureAnswer, misdirected, NO_RESERVE, refused, revertMeaning, revertOf, unclear } from './answers.js';
import {
  type CapturedOnChain,
  type ChainClient,
  type ChannelState,
  captureOf,
  chainClient,
  readCaptures,
  readChainId,
  readState,
  receiptNow,
  sendTransaction,
  signCapture,
  waitForReceipt,
} from './escrow.js';
import { type FrozenCapture, readCapture, readLookup } from './frozen-capture.js';
import { rpcFailure, rpcTransport } from './rpc.js';

export interface TempoSettings {
  /** May hold a key of the node's provider: it is part of no text. */
  readonly rpcUrl: string;
  readonly chainId: number;
  /** Private key of the account that channels pay. */
  readonly payeeKey: string;
  readonly clock: Clock;
  readonly fetch?: typeof fetch;
}

export interface CaptureCall {
  /** The frozen bytes. */
  readonly body: string;
  /** Idempotency key, never empty; on chain the cumulative amount itself keeps a repeat from capturing twice. */
  readonly key: string;
  readonly timeoutMs: number;
  /**
   * The node is asked several things before the transaction leaves, and a person may pause the chain meanwhile: asked once more
   * immediately before. @returns why nothing may leave any more; undefined: it may
   */
  readonly stopped?: () => Promise<string | undefined>;
}

/** What the chain shows of a capture. */
export type CaptureSeen =
  | { readonly kind: 'captured'; readonly txHash: string | null }
  | { readonly kind: 'not_captured' | 'unanswered'; readonly detail: string };

export interface Tempo {
  /**
   * Captures what a voucher allows, with one transaction unless the chain shows that it is captured already.
   * @throws Error for an empty key, before anything is sent
   */
  settle(call: CaptureCall): Promise<Answer>;
  /** Reads whether a capture is on chain; moves nothing. */
  lookUp(lookup: JsonObject, timeoutMs: number): Promise<CaptureSeen>;
}

/**
 * The chain as a provider. Whatever is lost on the way, nothing is captured twice, because every amount is cumulative: of two
 * transactions that race, the first sets `settled` to the voucher's amount (or ends the channel), and the second either reverts
 * (AmountNotIncreasing, ChannelNotFound) or captures only the difference. Both together never take more than the highest
 * cumulative amount that the payer signed and we froze.
 */
export function createTempo(settings: TempoSettings): Tempo {
  const account = privateKeyToAccount(settings.payeeKey as Hex);
  const attemptWithin = (timeoutMs: number): Attempt => {
    const endMs = performance.now() + timeoutMs;
    const leftMs = () => endMs - performance.now();
    const transport = rpcTransport({ url: settings.rpcUrl, fetch: settings.fetch ?? fetch, leftMs });
    return { client: chainClient(settings.chainId, account, transport), leftMs, payee: account.address, settings };
  };
  return {
    async settle({ body, key, timeoutMs, stopped }) {
      if (key === '') throw new Error('a capture without a key is not sent');
      const capture = readCapture(body);
      if (capture === undefined) return refused('the frozen body is no capture that can be sent; nothing was sent');
      const attempt: Sending = { ...attemptWithin(timeoutMs), stopped };
      return await orFailure(attempt, false, async () => {
        const wrong = await misconfigured(attempt, capture);
        return wrong ?? (await captureOnce(attempt, capture, 'read again'));
      });
    },

    async lookUp(lookup, timeoutMs) {
      const wanted = readLookup(lookup);
      if (wanted?.chainId !== settings.chainId)
        return { kind: 'unanswered', detail: `this is no capture on chain ${settings.chainId}` };
      const attempt = attemptWithin(timeoutMs);
      try {
        const found = await readChainId(attempt.client);
        if (found !== settings.chainId) return { kind: 'unanswered', detail: wrongChain(found, settings.chainId) };
        const { client } = attempt;
        const state = await readState(client, wanted);
        const seen = await findCapture(client, wanted, state);
        return seen ?? { kind: 'not_captured', detail: notCaptured(wanted.captureAmount, state) };
      } catch (error) {
        const failure = rpcFailure(error);
        if (failure === undefined) throw error;
        const answer = failureAnswer(failure, false, settings.clock.nowMs());
        return { kind: 'unanswered', detail: answer.kind === 'done' ? '' : answer.detail };
      }
    },
  };
}

interface Attempt {
  readonly client: ChainClient;
  readonly leftMs: () => number;
  readonly payee: Address;
  readonly settings: TempoSettings;
}

interface Sending extends Attempt {
  readonly stopped: CaptureCall['stopped'];
}

/** What is not this capture's fault: then nothing of ours can be captured here, and it waits for better settings. */
async function misconfigured(
  { client, payee, settings }: Attempt,
  { chainId, descriptor, channelId }: FrozenCapture,
): Promise<Answer | undefined> {
  if (chainId !== settings.chainId)
    return misdirected(`the channel is on chain ${chainId}, and TEMPO_CHAIN_ID is ${settings.chainId}`);
  const found = await readChainId(client);
  if (found !== chainId) return misdirected(wrongChain(found, chainId));
  if (![descriptor.payee, descriptor.operator].some((each) => isAddressEqual(each, payee)))
    return misdirected(`the channel pays ${descriptor.payee}, and TEMPO_PAYEE_KEY is of ${payee}`);
  return Reserve.computeId(descriptor, { chainId }).toLowerCase() === channelId.toLowerCase()
    ? undefined
    : refused('the descriptor is not of this channel; nothing was sent');
}

const wrongChain = (found: number, wanted: number): string =>
  `the node of TEMPO_RPC_URL is on chain ${found}, not on ${wanted}`;

/** Reads first; sends only what the chain does not have yet. `onContradiction`: what to do where it changed meanwhile. */
async function captureOnce(
  attempt: Sending,
  capture: FrozenCapture,
  onContradiction: 'read again' | 'stop',
): Promise<Answer> {
  const { client } = attempt;
  const state = await readState(client, capture);
  const seen = await findCapture(client, capture, state);
  if (seen) return { kind: 'done', alreadySettled: true, txHash: seen.txHash };
  if (state.deposit === 0n) return refused(notCaptured(capture.captureAmount, state));
  // A close below what is captured would be refused; what is captured cannot be given back, so naming it moves nothing more.
  const amount = capture.captureAmount > state.settled ? capture.captureAmount : state.settled;
  try {
    return await captureNow(attempt, capture, amount);
  } catch (error) {
    const reverted = revertName(error);
    if (reverted === undefined) throw error;
    const { meaning, detail } = revertMeaning(reverted);
    switch (meaning) {
      case 'misdirected':
        return misdirected(detail);
      case 'refused':
        return refused(detail);
      case 'contradicted':
        return onContradiction === 'stop' ? refused(detail) : await captureOnce(attempt, capture, 'stop');
      default:
        return assertNever(meaning);
    }
  }
}

function revertName(error: unknown): string | undefined {
  const failure = rpcFailure(error);
  return failure && failure.reply === undefined ? revertOf(failure) : undefined;
}

type Wanted = Pick<FrozenCapture, 'kind' | 'escrow' | 'channelId' | 'captureAmount'>;
type Seen = Extract<CaptureSeen, { kind: 'captured' }>;

/**
 * The capture as the chain shows it, whoever sent the transaction: money of a channel can only go to its payee. A channel that
 * is closed reads as zeros, so its logs are asked.
 */
async function findCapture(client: ChainClient, wanted: Wanted, state: ChannelState): Promise<Seen | undefined> {
  const open = state.deposit > 0n;
  if (open && (wanted.kind === 'close' || state.settled < wanted.captureAmount)) return undefined;
  let last: CapturedOnChain | undefined;
  try {
    last = await readCaptures(client, wanted);
  } catch (error) {
    // The state of an open channel is proof enough; its logs only add the transaction.
    if (open) return { kind: 'captured', txHash: null };
    throw error;
  }
  if (open) return { kind: 'captured', txHash: last?.txHash ?? null };
  return last?.closed && last.amount >= wanted.captureAmount ? { kind: 'captured', txHash: last.txHash } : undefined;
}

function notCaptured(wanted: bigint, { settled, deposit }: ChannelState): string {
  return deposit === 0n
    ? `the channel is closed or was never opened on this chain, and ${wanted} is not captured of it`
    : `of this channel ${settled} is captured on chain, not ${wanted}`;
}

/** One transaction, and what became of it. @throws where it was not sent */
async function captureNow(attempt: Sending, capture: FrozenCapture, amount: bigint): Promise<Answer> {
  const transaction = await signCapture(attempt.client, capture, amount);
  const why = await attempt.stopped?.().catch(() => 'the ledger did not say whether it may leave');
  if (why !== undefined)
    return { kind: 'busy', executed: 'no', retryAfterMs: null, detail: `${why}: the capture was not sent` };
  return await orFailure(attempt, true, async () => {
    const receipt = await arrived(attempt, transaction);
    const captured = receipt.status === 'success' ? captureOf(receipt, capture.channelId) : undefined;
    // Our own close names its amount; of a settle the event tells it.
    if (captured && (captured.closed || captured.amount >= capture.captureAmount))
      return { kind: 'done', alreadySettled: false, txHash: receipt.transactionHash };
    const state = await readState(attempt.client, capture);
    const seen = await findCapture(attempt.client, capture, state);
    if (seen) return { kind: 'done', alreadySettled: true, txHash: seen.txHash };
    return unclear(
      'server_error',
      `transaction ${receipt.transactionHash} was undone by the chain: it captured nothing`,
    );
  });
}

/** Sends, and waits for the block. An answer that was lost may hide a success: the hash is known before, so it is looked for. */
async function arrived({ client, leftMs }: Attempt, transaction: Awaited<ReturnType<typeof signCapture>>) {
  try {
    await sendTransaction(client, transaction);
  } catch (error) {
    const receipt = await receiptNow(client, transaction.hash);
    if (receipt) return receipt;
    throw error;
  }
  return await waitForReceipt(client, transaction.hash, Math.max(leftMs(), 1));
}

/** Every failure is an answer: a throw would leave the attempt without a record of how it ended. */
async function orFailure({ settings }: Attempt, sent: boolean, work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    const failure = rpcFailure(error);
    if (failure) return failureAnswer(failure, sent, settings.clock.nowMs());
    if (error instanceof WaitForTransactionReceiptTimeoutError) return unclear('no_answer', NOT_IN_TIME);
    if (error instanceof Error && /zero ?data/i.test(`${error.name} ${String(error.cause)}`))
      return misdirected(NO_RESERVE);
    return unclear('unreadable', `the Tempo node's answer does not read; ${sent ? NOT_READ : 'nothing was sent'}`);
  }
}

const NOT_IN_TIME = 'the transaction was in no block within the time limit; the chain is read before the next attempt';
const NOT_READ = 'the chain is read before the next attempt';
