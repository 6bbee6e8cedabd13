import type { Response } from 'express';
import { hang, reset, sendPage } from '../../stand-in/broken-replies.js';
import type { DoorKind, Fault, WayKind } from '../faults.js';
import {
  accountInvalid,
  keyInUse,
  locked,
  notAllowed,
  type Problem,
  problemBody,
  rateLimited,
  serverError,
  unauthorized,
} from './problems.js';
import type { ApiRequest } from './request.js';

/** What would be sent if nothing interfered. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  /** The request that was carried out, where this is its answer from a key's memory. */
  readonly original?: string;
  readonly retryAfterSeconds?: number | undefined;
}

export const problemAnswer = (problem: Problem): Answer => ({
  status: problem.status,
  body: JSON.stringify(problemBody(problem)),
});

export function send(res: Response, request: ApiRequest, answer: Answer): void {
  res.status(answer.status).set(headersOf(request, answer)).type('json').send(answer.body);
}

function headersOf(request: ApiRequest, { original, retryAfterSeconds }: Answer): Record<string, string> {
  const { idempotencyKey, stripeAccount, stripeVersion } = request;
  return {
    'Request-Id': request.id,
    ...(idempotencyKey === null
      ? {}
      : { 'Idempotency-Key': idempotencyKey, 'Original-Request': original ?? request.id }),
    ...(original === undefined ? {} : { 'Idempotent-Replayed': 'true' }),
    ...(stripeAccount === null ? {} : { 'Stripe-Account': stripeAccount }),
    ...(stripeVersion === null ? {} : { 'Stripe-Version': stripeVersion }),
    ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
  };
}

/** A fault took the answer's place. */
export const CUT = 'cut';

type AtTheDoor = (
  rule: Fault['rule'],
  about: { readonly res: Response; readonly seller: string; readonly object: string },
) => Answer | typeof CUT;

const badGateway = (res: Response): typeof CUT => {
  sendPage(res, 502, '502 Bad Gateway');
  return CUT;
};

const AT_THE_DOOR: Readonly<Record<DoorKind, AtTheDoor>> = {
  unavailable: ({ status }) => problemAnswer(serverError(status ?? 503)),
  html_502: (_rule, { res }) => badGateway(res),
  reset_before_commit(_rule, { res }) {
    reset(res);
    return CUT;
  },
  http_401: () => problemAnswer(unauthorized('Expired API key provided.', 'api_key_expired')),
  http_403: (_rule, { seller }) => problemAnswer(accountInvalid(seller)),
  odd_403: ({ code, message }) => problemAnswer(notAllowed(message, code)),
  rate_limited: ({ retryAfterSeconds }) => ({ ...problemAnswer(rateLimited), retryAfterSeconds }),
  lock_timeout: ({ retryAfterSeconds }, { object }) => ({ ...problemAnswer(locked(object)), retryAfterSeconds }),
  key_in_use: () => problemAnswer(keyInUse),
};

/** Misbehaviour before anything begins. */
export const misbehaveAtTheDoor = ({ kind, rule }: Fault<DoorKind>, about: Parameters<AtTheDoor>[1]) =>
  AT_THE_DOOR[kind](rule, about);

interface OnItsWay {
  readonly res: Response;
  readonly request: ApiRequest;
  readonly answer: Answer;
}

const ON_THE_WAY: Readonly<Record<WayKind, (on: OnItsWay, ms: number | undefined) => Promise<void> | void>> = {
  hang_after_commit: ({ res }, ms) => hang(res, ms),
  reset_after_commit: ({ res }) => reset(res),
  truncated_json({ res, request, answer }) {
    send(res, request, { ...answer, body: answer.body.slice(0, Math.ceil(answer.body.length / 2)) });
  },
  html_502_after_commit: ({ res }) => void badGateway(res),
};

/** Misbehaviour after the commit is durable. */
export const misbehaveOnTheWay = async ({ kind, rule }: Fault<WayKind>, on: OnItsWay): Promise<void> =>
  ON_THE_WAY[kind](on, rule.ms);
