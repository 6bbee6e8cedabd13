import { decodeErrorResult, isHex } from 'viem';
import { Abis } from 'viem/tempo';
import type { Answer, UnclearClass } from '../../domain/calls/answers.js';
import { type Reply, retryAfterMs } from '../reply.js';
import type { RpcFailed } from './rpc.js';

type Refused = Extract<Answer, { kind: 'refused' }>;
type Misdirected = Extract<Answer, { kind: 'misdirected' }>;

export const refused = (detail: string): Refused => ({ kind: 'refused', why: 'other', detail });
export const misdirected = (detail: string): Misdirected => ({ kind: 'misdirected', detail });
export const unclear = (why: UnclearClass, detail: string): Answer => ({ kind: 'unclear', why, detail });

/** `contradicted`: the chain says something else than it said a moment ago, so it is read again. */
export type RevertMeaning = 'refused' | 'misdirected' | 'contradicted';

/** Errors of the precompile that settle and close can raise, with what they mean for the money. */
const REVERTS: Readonly<Record<string, readonly [RevertMeaning, string]>> = {
  ChannelNotFound: ['contradicted', 'there is no such open channel on this chain'],
  AmountNotIncreasing: ['contradicted', 'as much or more is captured already'],
  CaptureAmountInvalid: ['contradicted', 'the amount is not between what is captured and what the voucher allows'],
  NotPayeeOrOperator: ['misdirected', 'the channel pays another account: check TEMPO_PAYEE_KEY'],
  InvalidSignature: ['refused', 'the chain does not accept the signature of the voucher'],
  AmountExceedsDeposit: ['refused', 'the voucher promises more than the deposit of the channel'],
};

/** The name of the error that a call reverted with, of the precompile or of a token; undefined: it did not revert. */
export function revertOf({ code, data, message }: RpcFailed): string | undefined {
  if (isHex(data) && data.length >= 10) {
    for (const abi of [Abis.tip20ChannelReserve, Abis.tip20]) {
      try {
        return decodeErrorResult({ abi, data }).errorName;
      } catch {
        // Not one of its errors.
      }
    }
    return `an unknown error ${data.slice(0, 10)}`;
  }
  return code === 3 || /\brevert/i.test(message) ? 'an error without a name' : undefined;
}

/** What a revert means: nothing was captured by this call. */
export function revertMeaning(name: string): { readonly meaning: RevertMeaning; readonly detail: string } {
  const [meaning, words] = REVERTS[name] ?? ['refused', 'the chain refuses the capture'];
  return { meaning, detail: `Tempo: ${words} (${name}); this call captured nothing` };
}

/** What a failed call to the node means for the attempt. `sent`: a transaction may be on its way. */
export function failureAnswer(failure: RpcFailed, sent: boolean, nowMs: number): Answer {
  const money = sent ? MAY_BE_CAPTURED : NOTHING_SENT;
  // A capture that reverts is told apart before this; a read that does was answered by something else.
  if (!sent && revertOf(failure) !== undefined) return misdirected(NO_RESERVE);
  if (failure.reply === undefined) return refusalAnswer(failure, money);
  return replyAnswer(failure.reply, money, nowMs);
}

export const NO_RESERVE = "at the escrow's address is no channel reserve: check TEMPO_RPC_URL and TEMPO_CHAIN_ID";

const MAY_BE_CAPTURED = 'the capture may have gone through, the chain is read before the next attempt';
const NOTHING_SENT = 'nothing was sent';

/** -32005: more requests than the node's provider allows. */
const LIMIT_EXCEEDED = -32_005;
/** -32601: a node that lacks what every Tempo node has is no Tempo node. */
const METHOD_NOT_FOUND = -32_601;

function refusalAnswer({ code, message }: RpcFailed, money: string): Answer {
  const words = message.replaceAll(/[^ -~]/g, ' ').slice(0, 200);
  const named = `the Tempo node answered error ${code}: ${words}`;
  if (code === LIMIT_EXCEEDED) return { kind: 'busy', retryAfterMs: null, detail: `${named}; ${money}` };
  if (code === METHOD_NOT_FOUND) return misdirected(`${named}; check TEMPO_RPC_URL`);
  if (/insufficient (?:funds|balance|fee)/i.test(message)) {
    return misdirected(`${named}; the account of TEMPO_PAYEE_KEY cannot pay the fee of a transaction`);
  }
  return unclear('server_error', `${named}; ${money}`);
}

const FAILURES: Readonly<Record<UnclearClass, string>> = {
  no_answer: 'the Tempo node did not answer within the time limit',
  reset: 'the connection to the Tempo node broke',
  not_connected: 'no connection to the Tempo node',
  server_error: 'the Tempo node failed',
  unreadable: "the Tempo node's answer is not HTTP that we can read",
};
const BUSY: ReadonlySet<number> = new Set([408, 425, 429]);

function replyAnswer(reply: Reply, money: string, nowMs: number): Answer {
  if (reply.kind === 'failed') return unclear(reply.why, `${FAILURES[reply.why]}; ${money}`);
  const { status } = reply;
  const named = `the Tempo node answered ${status}`;
  if (status >= 500) return unclear('server_error', `${named}; ${money}`);
  if (BUSY.has(status)) {
    return { kind: 'busy', retryAfterMs: retryAfterMs(reply.retryAfter, nowMs), detail: `${named}; ${money}` };
  }
  if (status >= 300) {
    return misdirected(`${named}; not an answer of a Tempo node: check TEMPO_RPC_URL and what stands before it`);
  }
  return unclear('unreadable', `${named} with something that is no JSON-RPC; ${money}`);
}
