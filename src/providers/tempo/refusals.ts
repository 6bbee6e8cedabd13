import { Errors } from 'mppx';
import { BaseError } from 'viem';
import type { ChainAnswer } from '../../domain/channels/chain-answers.js';
import {
  CHANNEL_PROBLEMS,
  type ChannelProblem,
  type ChannelRefusal,
  problemType,
} from '../../domain/channels/channel-problems.js';

/** JSON-RPC says with these that it did not get to the question; everything else is an answer to it. */
const RPC_UNAVAILABLE: ReadonlySet<number> = new Set([-32603, -32005, -32002, 429]);
/** Errors of npm viem that mean no answer. */
const NO_ANSWER: ReadonlySet<string> = new Set([
  'HttpRequestError',
  'TimeoutError',
  'SocketClosedError',
  'WebSocketRequestError',
  'WaitForTransactionReceiptTimeoutError',
  'TransactionReceiptNotFoundError',
  'TransactionNotFoundError',
  'BlockNotFoundError',
]);

/** What went wrong while no chain was asked: it is the credential's fault, and sent again it will be refused again. */
export function channelRefusalOf(error: unknown): ChannelRefusal {
  if (error instanceof Errors.PaymentError) return { problem: problemOf(error), detail: error.message };
  return { problem: 'invalid-payload', detail: 'The payload of the credential is not readable.' };
}

/** The same where the chain was asked: no answer is not a no. */
export function answerOf(error: unknown): ChainAnswer {
  if (error instanceof Errors.InternalPaymentError) return { kind: 'unavailable', detail: error.message };
  if (error instanceof Errors.PaymentError) return { kind: 'refused', refusal: channelRefusalOf(error) };
  if (error instanceof BaseError) {
    const silent = error.walk((cause) => cause instanceof Error && isNoAnswer(cause));
    if (silent instanceof Error) return { kind: 'unavailable', detail: silent.name };
    return {
      kind: 'refused',
      refusal: { problem: 'verification-failed', detail: 'The chain refuses the transaction of the credential.' },
    };
  }
  return { kind: 'refused', refusal: channelRefusalOf(error) };
}

function isNoAnswer(cause: Error): boolean {
  if (NO_ANSWER.has(cause.name)) return true;
  return 'code' in cause && typeof cause.code === 'number' && RPC_UNAVAILABLE.has(cause.code);
}

const BY_TYPE: ReadonlyMap<string, ChannelProblem> = new Map(
  CHANNEL_PROBLEMS.map((problem) => [problemType(problem), problem]),
);

/** What a later version of the library may add is still a refusal of this credential. */
const problemOf = (error: Errors.PaymentError): ChannelProblem => BY_TYPE.get(error.type) ?? 'verification-failed';
