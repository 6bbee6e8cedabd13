import { createHash } from 'node:crypto';
import type { Answer } from '../../domain/calls/answers.js';
import type { Clock } from '../../domain/clock.js';
import type { JsonObject, JsonValue } from '../../domain/json.js';
import type { Protocol } from '../../domain/settlements/settlement-status.js';
import { isObject } from '../../protocols/wire-json.js';
import { httpCall } from '../http-call.js';
import { jsonObject, type Reply } from '../reply.js';
import { settleAnswer, type VerifyAnswer, verifyAnswer } from './answers.js';

export interface AuthServerSettings {
  /** Origin, with a path prefix if there is one: `https://auth.atxp.ai`. */
  readonly baseUrl: string;
  /** 1–64 of `A-Z a-z 0-9 . _ -`; the auth server silently ignores any other. */
  readonly appName?: string;
  readonly clock: Clock;
  readonly fetch?: typeof fetch;
}

export interface SettleCall {
  /** The frozen bytes. */
  readonly body: string;
  /** Idempotency key, never empty. */
  readonly key: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface PaymentRequestInput {
  /** What we offer; `amount` is decimal. */
  readonly options: readonly JsonObject[];
  readonly sourceAccountId?: string;
  readonly destinationAccountId?: string;
  readonly payeeName?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export type PaymentRequestOutcome =
  | { readonly kind: 'created'; readonly id: string }
  | { readonly kind: 'unavailable'; readonly detail: string };

export interface SupportedKinds {
  /** CAIP-2 network → address of the facilitator that can settle `upto` there. */
  readonly x402: Readonly<Record<string, string>>;
  /** Per MPP method (`tempo`, `solana`) the details its session challenges need; a method that is not there is not supported. */
  readonly mpp: Readonly<Record<string, JsonObject>>;
}

export interface AuthServer {
  /**
   * POST /settle/{protocol}, exactly once.
   * @throws Error for an empty key, before anything is sent: without a key a repeat could charge twice
   */
  settle(protocol: Protocol, call: SettleCall): Promise<Answer>;
  verify(protocol: Protocol, call: { readonly body: string; readonly timeoutMs: number }): Promise<VerifyAnswer>;
  /** POST /payment-request: registers what we ask for; the id becomes part of the challenge. Moves no money. */
  createPaymentRequest(input: PaymentRequestInput): Promise<PaymentRequestOutcome>;
  /** GET /x402/supported and /mpp/supported, remembered for ten minutes; what cannot be read now is simply not there. */
  supported(): Promise<SupportedKinds>;
}

const SUPPORTED_TTL_MS = 10 * 60_000;
const SUPPORTED_TIMEOUT_MS = 5_000;

/**
 * Client of the ATXP auth server (wire facts: atxp-dev/sdk, packages/atxp-server). Answers are values by a total mapping;
 * nothing is retried here, and nothing of a credential comes back in a detail.
 */
export function createAuthServer(settings: AuthServerSettings): AuthServer {
  const { clock, appName } = settings;
  if (appName !== undefined && !/^[A-Za-z0-9._-]{1,64}$/.test(appName)) {
    throw new Error('AUTH_APP_NAME must be 1 to 64 letters, digits, dots, underscores or hyphens, for example my-api');
  }
  const fetcher = settings.fetch ?? fetch;
  const base = settings.baseUrl.replace(/\/+$/, '');
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(appName === undefined ? {} : { 'x-atxp-app-name': appName }),
  };
  const get = (path: string): Promise<Reply> =>
    httpCall(fetcher, { url: base + path, what: path, method: 'GET', headers, timeoutMs: SUPPORTED_TIMEOUT_MS });
  const x402 = remembered(clock, async () =>
    entries(await get('/x402/supported'), (value) => typeof value === 'string'),
  );
  const mpp = remembered(clock, async () => entries(await get('/mpp/supported'), isObject));

  return {
    async settle(protocol, { body, key, timeoutMs, signal }) {
      if (key === '') throw new Error('settle needs an idempotency key: nothing was sent');
      const keyed = { ...headers, 'idempotency-key': headerValue(key) };
      const reply = await httpCall(fetcher, {
        url: `${base}/settle/${protocol}`,
        what: `/settle/${protocol}`,
        method: 'POST',
        headers: keyed,
        body,
        timeoutMs,
        signal,
      });
      return settleAnswer(reply, body, clock.nowMs());
    },

    async verify(protocol, { body, timeoutMs }) {
      const reply = await httpCall(fetcher, {
        url: `${base}/verify/${protocol}`,
        what: `/verify/${protocol}`,
        method: 'POST',
        headers,
        body,
        timeoutMs,
      });
      return verifyAnswer(reply, body, clock.nowMs());
    },

    async createPaymentRequest({ timeoutMs, signal, ...request }) {
      const body = JSON.stringify(request);
      const reply = await httpCall(fetcher, {
        url: `${base}/payment-request`,
        what: '/payment-request',
        method: 'POST',
        headers,
        body,
        timeoutMs,
        signal,
      });
      const id =
        reply.kind === 'http' && (reply.status === 200 || reply.status === 201)
          ? jsonObject(reply.body)?.['id']
          : undefined;
      if (typeof id === 'string' && /^[\x21-\x7e]{1,128}$/.test(id)) return { kind: 'created', id };
      const answer = settleAnswer(reply, body, clock.nowMs());
      return {
        kind: 'unavailable',
        detail: answer.kind === 'done' ? 'auth server answered 200 without an id' : answer.detail,
      };
    },

    async supported() {
      const [networks, methods] = await Promise.all([x402(), mpp()]);
      return { x402: networks, mpp: methods };
    },
  };
}

/** Keys are our callers' choice; one that cannot stand in a header is sent as its digest, always the same one. */
function headerValue(key: string): string {
  return /^[\x21-\x7e]{1,255}$/.test(key) ? key : `sha256-${createHash('sha256').update(key).digest('hex')}`;
}

/** Shares one call among those who ask at once; failures and empty answers are asked for again the next time. */
function remembered<T>(
  clock: Clock,
  load: () => Promise<Readonly<Record<string, T>>>,
): () => Promise<Readonly<Record<string, T>>> {
  let known: { readonly value: Readonly<Record<string, T>>; readonly untilMs: number } | undefined;
  let loading: Promise<Readonly<Record<string, T>>> | undefined;
  const refresh = async (): Promise<Readonly<Record<string, T>>> => {
    try {
      const value = await load();
      known = Object.keys(value).length === 0 ? undefined : { value, untilMs: clock.nowMs() + SUPPORTED_TTL_MS };
      return value;
    } finally {
      loading = undefined;
    }
  };
  return () => {
    if (known !== undefined && clock.nowMs() < known.untilMs) return Promise.resolve(known.value);
    loading ??= refresh();
    return loading;
  };
}

function entries<T extends JsonValue>(
  reply: Reply,
  fits: (value: JsonValue | undefined) => value is T,
): Readonly<Record<string, T>> {
  const object = reply.kind === 'http' && reply.status === 200 ? jsonObject(reply.body) : undefined;
  return Object.fromEntries(Object.entries(object ?? {}).filter((entry): entry is [string, T] => fits(entry[1])));
}
