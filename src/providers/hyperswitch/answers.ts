import { assertNever } from '../../domain/assert-never.js';
import type { UnclearClass } from '../../domain/calls/answers.js';
import type { KeyedAnswer, ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { JsonObject } from '../../domain/json.js';
import { isObject, parseJson, publicText } from '../../protocols/wire-json.js';
import { redact, unlessQuoting } from '../redact.js';
import { jsonObject, type Reply, retryAfterMs, textOf } from '../reply.js';
import { isOfTheAccount, meaningOf, saysLocked } from './error-codes.js';

/** What a reply shows of the call that was made, before the object in it is read. */
export type Verdict =
  | { readonly kind: 'object'; readonly object: JsonObject }
  | { readonly kind: 'duplicate'; readonly detail: string }
  | { readonly kind: 'missing'; readonly code: string; readonly detail: string }
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string }
  | { readonly kind: 'unclear'; readonly why: UnclearClass; readonly detail: string }
  | {
      readonly kind: 'busy';
      readonly executed: 'no' | 'perhaps';
      readonly retryAfterMs: number | null;
      readonly detail: string;
    }
  | { readonly kind: 'misdirected'; readonly detail: string };

export interface Judging {
  /** `POST /refunds for ref_…`, for people. */
  readonly call: string;
  /** Nothing of it may come back in a detail. */
  readonly apiKey: string;
  /** Unix milliseconds, for a Retry-After date. */
  readonly nowMs: number;
  /** What is asked for comes as a bare list; it is read as the member `data` of an object. */
  readonly bareList?: boolean;
}

const LONGEST_WORDS = 160;
const MAY_HAVE_MOVED = 'it may have been carried out';

/**
 * Total over every reply. Only what we can read as Hyperswitch's own no counts as a no; whatever could have been carried
 * out is unclear, whatever came from something in between is misdirected.
 */
export function verdictOf(reply: Reply, judging: Judging): Verdict {
  const { call, nowMs } = judging;
  if (reply.kind === 'failed') return { kind: 'unclear', why: reply.why, detail: `${call}: ${FAILURES[reply.why]}` };
  const { status } = reply;
  const object = jsonObject(reply.body) ?? (judging.bareList ? listed(reply.body) : undefined);
  const error = errorOf(object, judging.apiKey);
  const named = `${call}: ${describe(reply, error, judging.apiKey)}`;
  if (status === 200 || status === 201) {
    return object !== undefined && error === undefined
      ? { kind: 'object', object }
      : { kind: 'unclear', why: 'unreadable', detail: `${named}; ${MAY_HAVE_MOVED}` };
  }
  if (status === 429) {
    // A limit of the processor behind Hyperswitch is met after Hyperswitch has begun.
    const executed = error?.code.startsWith('CE_') === true ? 'perhaps' : 'no';
    return { kind: 'busy', executed, retryAfterMs: retryAfterMs(reply.retryAfter, nowMs), detail: named };
  }
  if (status < 300 || status > 499 || status === 408) {
    const why = status >= 500 || status === 408 ? 'server_error' : 'unreadable';
    return { kind: 'unclear', why, detail: `${named}; ${MAY_HAVE_MOVED}` };
  }
  if (error === undefined || status < 400) {
    return { kind: 'misdirected', detail: `${named}; not an answer of Hyperswitch: check HYPERSWITCH_BASE_URL` };
  }
  return ofError(error, status, { named, retryAfterMs: retryAfterMs(reply.retryAfter, nowMs) });
}

function listed(body: string | null): JsonObject | undefined {
  const value = parseJson(body ?? '');
  return Array.isArray(value) ? { data: value } : undefined;
}

const FAILURES: Readonly<Record<UnclearClass, string>> = {
  no_answer: `no answer from Hyperswitch within the time limit; ${MAY_HAVE_MOVED}`,
  reset: `the connection to Hyperswitch broke during the call; ${MAY_HAVE_MOVED}`,
  not_connected: 'no connection to Hyperswitch; nothing was sent',
  server_error: `Hyperswitch failed; ${MAY_HAVE_MOVED}`,
  unreadable: `Hyperswitch's answer is not HTTP that we can read; ${MAY_HAVE_MOVED}`,
};

interface ProviderError {
  /** Empty where it gives none. */
  readonly code: string;
  readonly words: string;
}

function ofError(
  { code, words }: ProviderError,
  status: number,
  { named, retryAfterMs: waitMs }: { readonly named: string; readonly retryAfterMs: number | null },
): Verdict {
  if (saysLocked(words)) return { kind: 'busy', executed: 'no', retryAfterMs: waitMs, detail: named };
  const meaning = meaningOf(code) ?? (status === 401 || status === 403 ? 'misdirected' : 'refused');
  switch (meaning) {
    case 'duplicate':
      return { kind: 'duplicate', detail: named };
    case 'missing':
      return isOfTheAccount(words) ? keyProblem(named) : { kind: 'missing', code, detail: named };
    case 'misdirected':
      return keyProblem(named);
    case 'undecided':
      return { kind: 'unclear', why: 'server_error', detail: `${named}; ${MAY_HAVE_MOVED}` };
    case 'refused':
      return { kind: 'refused', code, detail: named };
    default:
      return assertNever(meaning);
  }
}

const keyProblem = (named: string): Verdict => ({
  kind: 'misdirected',
  detail: `${named}; nothing was done: check HYPERSWITCH_API_KEY and HYPERSWITCH_BASE_URL`,
});

/** `{error: {type, code, message, reason?}}`; anything else came from something in between. */
function errorOf(object: JsonObject | undefined, apiKey: string): ProviderError | undefined {
  const error = object?.['error'];
  if (!isObject(error)) return undefined;
  const code = unlessQuoting(apiKey, publicText(textOf(error['code']), 32)) ?? '';
  const words = [error['message'], error['reason']].map(textOf).filter((part) => part.trim() !== '');
  return code === '' && words.length === 0 ? undefined : { code, words: words.join(': ') };
}

/** `Hyperswitch answered 400 HE_03: …`: status, its code, a few of its words. */
function describe(reply: Reply & { kind: 'http' }, error: ProviderError | undefined, apiKey: string): string {
  const answered = `Hyperswitch answered ${reply.status}`;
  if (error === undefined) {
    const type = /^[a-z]+\/[a-z0-9.+-]{1,40}/i.exec(reply.contentType ?? '')?.[0] ?? 'no content type';
    return `${answered} (${reply.body === null ? `${type}, too long` : type})`;
  }
  const said = redact(error.words, JSON.stringify({ apiKey }), LONGEST_WORDS);
  return [answered, error.code].filter((part) => part !== '').join(' ') + (said === '' ? '' : `: ${said}`);
}

/** Fit to be stored beside the attempt; null where Hyperswitch names its call in no readable way. */
export const requestIdOf = (reply: Reply, apiKey: string): string | null =>
  reply.kind === 'http' ? (unlessQuoting(apiKey, publicText(reply.requestId ?? undefined)) ?? null) : null;

/** What a verdict without an object means for a money call; `duplicate` is resolved by reading before this. */
export function keyedAnswer(
  verdict: Exclude<Verdict, { kind: 'object' } | { kind: 'duplicate' }>,
  requestId: string | null,
): KeyedAnswer<never> {
  switch (verdict.kind) {
    case 'missing':
      return { ...verdict, kind: 'refused', why: 'missing', requestId, replayed: false };
    case 'refused':
      return { ...verdict, why: 'other', code: verdict.code === '' ? null : verdict.code, requestId, replayed: false };
    case 'unclear':
      return { ...verdict, requestId, replayed: false };
    case 'busy':
      return { ...verdict, requestId };
    case 'misdirected':
      return { ...verdict, scope: 'provider', requestId };
    default:
      return assertNever(verdict);
  }
}

/** What a verdict without an object means for a read: whatever is not plainly missing stays open. */
export function readAnswer(verdict: Exclude<Verdict, { kind: 'object' }>): ReadAnswer<never> {
  const { detail } = verdict;
  switch (verdict.kind) {
    case 'missing':
    case 'unclear':
      return { kind: verdict.kind, detail };
    case 'duplicate':
    case 'refused':
      return { kind: 'unclear', detail };
    case 'busy':
      return { kind: 'busy', retryAfterMs: verdict.retryAfterMs, detail };
    case 'misdirected':
      return { kind: 'misdirected', scope: 'provider', detail };
    default:
      return assertNever(verdict);
  }
}
