import { type Clock, systemClock } from '../../domain/clock.js';
import type { JsonObject } from '../../domain/json.js';
import { httpCall } from '../http-call.js';
import { requestIdOf, type Verdict, verdictOf } from './answers.js';
import type { Pace, ReadLane } from './pace.js';

export interface HyperswitchOptions {
  /** Origin, with a path prefix if there is one: `https://sandbox.hyperswitch.io`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** For one HTTP call, to the last byte of its answer; default 20 s. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  /** Before each read; left out: they leave at once. */
  readonly pace?: Pace;
}

/** The same, at the pace of reads. */
export const pacedReads =
  (ask: Ask, lane: ReadLane, pace: Pace | undefined): Ask =>
  async (method, path, send) =>
    !pace || (await pace(lane))
      ? await ask(method, path, send)
      : {
          verdict: {
            kind: 'busy',
            executed: 'no',
            retryAfterMs: TURN_AGAIN_MS,
            detail: `${method} ${path.split('?')[0]}: too many reads of Hyperswitch wait already; nothing was sent`,
          },
          requestId: null,
        };

const TURN_AGAIN_MS = 10_000;

/** One HTTP call with what it shows. */
export interface JudgedReply {
  readonly verdict: Verdict;
  readonly requestId: string | null;
}
export type Ask = (
  method: 'GET' | 'POST',
  path: string,
  send?: { readonly body?: JsonObject; readonly key?: string; readonly bareList?: boolean },
) => Promise<JudgedReply>;

const TIMEOUT_MS = 20_000;
/** A page of a hundred refunds with what their processors said. */
const MAX_REPLY_BYTES = 2 * 1024 * 1024;

export function createAsk({ baseUrl, apiKey, timeoutMs = TIMEOUT_MS, clock = systemClock }: HyperswitchOptions): Ask {
  const base = baseUrl.replace(/\/+$/, '');
  return async (method, path, send) => {
    const reply = await httpCall(fetch, {
      url: base + path,
      what: path,
      method,
      headers: {
        accept: 'application/json',
        'api-key': apiKey,
        ...(send?.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(send?.key === undefined ? {} : { 'idempotency-key': send.key }),
      },
      ...(send?.body === undefined ? {} : { body: JSON.stringify(send.body) }),
      timeoutMs,
      maxReplyBytes: MAX_REPLY_BYTES,
    });
    const judging = {
      call: `${method} ${path.split('?')[0]}`,
      apiKey,
      nowMs: clock.nowMs(),
      bareList: send?.bareList === true,
    };
    return { verdict: verdictOf(reply, judging), requestId: requestIdOf(reply, apiKey) };
  };
}
