import { type ChannelRefusal, PROBLEM_STATUS, problemType } from '../domain/channels/channel-problems.js';
import { varyOnCredentials } from './gate/paid-head.js';
import type { PlainAnswer } from './gate/wire.js';
import type { ChallengeAnswer } from './offers/challenge.js';
import type { PaidRequest } from './paid-request.js';

/** A problem document, as the API answers them; an application that embeds paid routes has no builder of ours. */
export interface Problem {
  readonly status: number;
  readonly code: RefusalCode;
  readonly title: string;
  readonly detail: string;
  readonly retryAfterSeconds?: number;
  /** The problem's type where a protocol names one; default `about:blank`. */
  readonly type?: string;
}

export type RefusalCode =
  | 'payment_required'
  | 'payment_refused'
  | 'payment_unknown'
  | 'payment_unavailable'
  | 'credential_already_used'
  | 'answer_under_way'
  | 'payment_identifier_used'
  | 'exposure_exceeded'
  | 'too_many_released'
  | 'voucher_refused'
  | 'channel_gone'
  | 'response_too_large'
  | 'not_configured'
  | 'internal_error';

/** What each refusal means for the payer's money is part of its text: a client decides by it whether to pay again. */
const REFUSALS: Readonly<Record<RefusalCode, Omit<Problem, 'code' | 'detail'> & { readonly detail: string }>> = {
  payment_required: {
    status: 402,
    title: 'Payment required',
    detail: 'This resource is paid for per response; the headers of this answer say how. Nothing was charged.',
  },
  payment_refused: {
    status: 402,
    title: 'Payment refused',
    detail:
      'The auth server refused to settle this payment. Nothing was served, and nothing was charged by this request.',
  },
  payment_unknown: {
    status: 503,
    title: 'Payment outcome unknown',
    detail:
      'It is not known yet whether this payment was settled. The charge is kept and will be resolved: send the same credential again later, and do not sign another payment for it.',
    retryAfterSeconds: 30,
  },
  payment_unavailable: {
    status: 503,
    title: 'Payments are unavailable',
    detail:
      'This payment could not be checked now. This request charged nothing; send the same credential again later.',
    retryAfterSeconds: 5,
  },
  credential_already_used: {
    status: 409,
    title: 'Credential already used',
    detail:
      'This payment credential pays for a response that was served, or is being served, to another request. It is charged at most once; Settlement-Id names its charge. To pay for one more response, ask for a new challenge.',
  },
  answer_under_way: {
    status: 503,
    title: 'The answer is under way',
    detail:
      'This payment pays for an answer that is being made for an earlier request. Send the same credential again in a moment, and do not sign another payment for it.',
    retryAfterSeconds: 1,
  },
  payment_identifier_used: {
    status: 409,
    title: 'Payment identifier used',
    detail:
      'The payment-identifier of this payment names another payment, or another request: nothing was charged by this one. Send the same payment, URL and body as then, or give this payment an identifier of its own.',
  },
  exposure_exceeded: {
    status: 429,
    title: 'Too much unsettled payment',
    detail:
      'Earlier charges have not been settled yet, and this one would exceed the credit of this route. Nothing was charged.',
    retryAfterSeconds: 5,
  },
  too_many_released: {
    status: 429,
    title: 'Too many answers that cost nothing',
    detail:
      'Too many requests of this payer have failed, or found nothing new, within the last hour, which is not charged for, or are under way and not charged for yet. Nothing was charged.',
    retryAfterSeconds: 60,
  },
  voucher_refused: {
    status: 402,
    title: 'Channel credential refused',
    detail:
      'This credential pays for nothing here. Nothing was charged or changed; answer the challenge in this response.',
  },
  channel_gone: {
    status: 410,
    title: 'Channel gone',
    detail: 'This channel pays for nothing any more. Nothing was charged or changed; forget it and open another one.',
  },
  response_too_large: {
    status: 500,
    title: 'The response is too large',
    detail: 'This response cannot be settled before it is sent. Nothing was charged; tell whoever runs this server.',
  },
  internal_error: {
    status: 500,
    title: 'Internal server error',
    detail: 'This server failed while it made the answer. Settlement-Id, where there is one, names its charge.',
  },
  not_configured: {
    status: 503,
    title: 'Payments are not configured',
    detail:
      'This server has neither an auth server (AUTH_SERVER_URL) nor a chain (TEMPO_…) to check payments with. Nothing was charged.',
    retryAfterSeconds: 60,
  },
};

/** A refused channel credential, with the problem type that clients of the Payment scheme know. */
export function channelRefusal({ problem, detail }: ChannelRefusal): Problem {
  const code = PROBLEM_STATUS[problem] === 410 ? 'channel_gone' : 'voucher_refused';
  return { ...refusal(code, `Reason: ${detail}`), type: problemType(problem) };
}

export const refusal = (code: RefusalCode, detail?: string): Problem => ({
  ...REFUSALS[code],
  code,
  ...(detail !== undefined && { detail: `${REFUSALS[code].detail} ${detail}` }),
});

type Headers = Readonly<Record<string, string>>;

/** @param headers that it carries beside its own */
export function sendProblem(request: PaidRequest, problem: Problem, headers: Headers = {}): undefined {
  const answer = problemAnswer(problem, request.headersSoFar()['x-request-id']);
  answerInstead(request, { ...answer, headers: { ...headers, ...answer.headers } });
}

/** A channel was managed; there is nothing to say but what became of it. */
export function sendManaged(request: PaidRequest, headers: Headers): undefined {
  answerInstead(request, { status: 204, headers: { ...headers, 'Cache-Control': 'no-store' }, body: '' });
}

export function problemAnswer(problem: Problem, requestId: unknown): PlainAnswer {
  const { status, code, title, detail, retryAfterSeconds, type = 'about:blank' } = problem;
  return {
    status,
    headers: {
      ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
      'Cache-Control': 'no-store',
      'Content-Type': 'application/problem+json',
    },
    body: JSON.stringify({
      type,
      title,
      status,
      detail,
      code,
      request_id: typeof requestId === 'string' ? requestId : null,
    }),
  };
}

/** @param problem says more than "payment required"; a 410 is never hidden behind a body that asks for payment */
export function sendChallenge(request: PaidRequest, { headers, body }: ChallengeAnswer, problem: Problem): undefined {
  if (body === undefined || problem.status !== 402) return sendProblem(request, problem, headers);
  const json = { 'Content-Type': 'application/json; charset=utf-8' };
  answerInstead(request, { status: 402, headers: { ...headers, ...json }, body: JSON.stringify(body) });
}

/** Nothing that is sold: no cache keeps it, and one that keeps it all the same does not give it to who pays. */
function answerInstead(request: PaidRequest, { headers, ...answer }: PlainAnswer): void {
  const { vary } = request.headersSoFar();
  const said = Array.isArray(vary) ? vary.join(', ') : vary?.toString();
  request.answer({ ...answer, headers: { Vary: varyOnCredentials(said), ...headers } });
}
