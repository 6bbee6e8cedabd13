import type { UnclearClass } from '../../domain/calls/answers.js';
import type { KeyedAnswer, KeyedRefusal, ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { JsonObject, JsonValue } from '../../domain/json.js';
import { isObject, publicText } from '../../protocols/wire-json.js';
import { unlessQuoting } from '../redact.js';
import { retryAfterMs, textOf } from '../reply.js';
import { classOf, type StripeClass } from './error-table.js';
import { CallFailed, UNREADABLE } from './http-client.js';

/** What one HTTP request is for. */
export interface Asked {
  /** For people: `the reversal of tr_1`. */
  readonly what: string;
  /** The seller it is for, where the call names one. */
  readonly account: string | null;
  /** Nothing of it may come back in a detail. */
  readonly secretKey: string;
}

interface Heard {
  readonly requestId: string | null;
  /** Stripe repeated its first answer to this key. */
  readonly replayed: boolean;
}

interface Problem extends Heard {
  readonly class: StripeClass;
  readonly why: UnclearClass;
  readonly code: string | null;
  readonly retryAfterMs: number | null;
  /** One sentence without a full stop. */
  readonly said: string;
}

/** What came of one HTTP request, before the object in it is read. */
export type Outcome =
  | (Heard & { readonly kind: 'object'; readonly object: JsonObject; readonly asked: Asked })
  | { readonly kind: 'problem'; readonly problem: Problem };

/** Every call of the library's ends here as a value; nothing of its types goes further. */
export async function outcomeOf(call: Promise<object>, asked: Asked): Promise<Outcome> {
  try {
    const object = await call;
    // The library puts it beside the members of the object.
    const response: unknown = Reflect.get(object, 'lastResponse');
    const heard = heardIn(Reflect.get(Object(response), 'headers'), asked);
    return { kind: 'object', object: object as JsonObject, asked, ...heard };
  } catch (error) {
    return { kind: 'problem', problem: problemOf(error, asked) };
  }
}

/** Our own budget turned it away, as Stripe does when its limit is reached. */
export const noTokenInTime = (what: string): Outcome =>
  notSent(`too many requests to stripe are waiting before ${what}`);

/** Nothing left: surely nothing moved, and it counts for nothing. @param said why, without a full stop */
export function notSent(said: string): Outcome {
  const unheard = { code: null, retryAfterMs: null, requestId: null, replayed: false };
  return { kind: 'problem', problem: { class: 'throttled', why: 'not_connected', said, ...unheard } };
}

/** @param read what the object says; undefined when it is not the object that the call made */
export function keyedAnswer<Done>(outcome: Outcome, read: (object: JsonObject) => Done | undefined): KeyedAnswer<Done> {
  if (outcome.kind === 'problem') return KEYED[outcome.problem.class](outcome.problem);
  const { requestId, replayed } = outcome;
  const value = read(outcome.object);
  if (value !== undefined) return { kind: 'done', value, replayed, requestId };
  return { kind: 'unclear', why: 'unreadable', detail: `${strange(outcome)}; ${MAY_HAVE_MOVED}`, replayed, requestId };
}

export function readAnswer<Found>(
  outcome: Outcome,
  read: (object: JsonObject) => Found | undefined,
): ReadAnswer<Found> {
  if (outcome.kind === 'problem') return READ[outcome.problem.class](outcome.problem);
  const value = read(outcome.object);
  return value === undefined ? { kind: 'unclear', detail: strange(outcome) } : { kind: 'found', value };
}

const MAY_HAVE_MOVED = 'it may have been carried out';
/** An operator who retries sees the same again for a day, and has to know that it is no fresh failure. */
const REPEATED = 'Stripe repeats its first answer to this key for a day, so this is no news';

type ToKeyed = (problem: Problem) => KeyedAnswer<never>;

const KEYED: Readonly<Record<StripeClass, ToKeyed>> = {
  throttled: ({ said, ...more }) => busy('no', `${said}; nothing was done`, more),
  in_flight: ({ said, ...more }) => busy('perhaps', `${said}; ${MAY_HAVE_MOVED}`, more),
  short: ({ said, requestId, replayed }) => ({ kind: 'short', detail: said, requestId, replayed }),
  missing: refusedAs('missing', 'check that it belongs to this Stripe account and mode'),
  conflict: refusedAs('conflict', 'the key stands for another call'),
  not_able: refusedAs('not_able'),
  refused: refusedAs('other'),
  provider: misdirectedTo('provider'),
  seller: misdirectedTo('seller'),
  failed: unclearAs,
  unreadable: unclearAs,
};

const READ: Readonly<Record<StripeClass, (problem: Problem) => ReadAnswer<never>>> = {
  throttled: ({ said, retryAfterMs: waitMs }) => ({ kind: 'busy', retryAfterMs: waitMs, detail: said }),
  in_flight: ({ said, retryAfterMs: waitMs }) => ({ kind: 'busy', retryAfterMs: waitMs, detail: said }),
  missing: ({ said }) => ({ kind: 'missing', detail: said }),
  provider: misdirectedTo('provider'),
  seller: misdirectedTo('seller'),
  short: leftOpen,
  conflict: leftOpen,
  not_able: leftOpen,
  refused: leftOpen,
  failed: leftOpen,
  unreadable: leftOpen,
};

/** A look that shows nothing proves nothing. */
function leftOpen({ said }: Problem): ReadAnswer<never> {
  return { kind: 'unclear', detail: said };
}

type Waiting = Pick<Problem, 'requestId' | 'retryAfterMs'>;
function busy(executed: 'no' | 'perhaps', detail: string, waiting: Waiting): KeyedAnswer<never> {
  return { kind: 'busy', executed, retryAfterMs: waiting.retryAfterMs, detail, requestId: waiting.requestId };
}

function refusedAs(why: KeyedRefusal, advice?: string): ToKeyed {
  return ({ said, code, requestId, replayed }) => {
    const detail = advice === undefined ? said : `${said}; ${advice}`;
    return { kind: 'refused', why, code, detail, requestId, replayed };
  };
}

const TO_CHECK = {
  provider: 'check STRIPE_SECRET_KEY',
  seller: 'check that the seller is still connected',
} as const;

function misdirectedTo(scope: keyof typeof TO_CHECK) {
  return ({ said, requestId }: Problem) =>
    ({ kind: 'misdirected', scope, detail: `${said}; nothing was done: ${TO_CHECK[scope]}`, requestId }) as const;
}

function unclearAs({ why, said, requestId, replayed }: Problem): KeyedAnswer<never> {
  const told = replayed ? `${said}; ${REPEATED}` : said;
  const detail = why === 'not_connected' ? said : `${told}; ${MAY_HAVE_MOVED}`;
  return { kind: 'unclear', why, detail, requestId, replayed };
}

const strange = ({ asked, requestId }: Outcome & { kind: 'object' }): string =>
  `stripe answered ${asked.what} with something else${named(requestId)}`;

const FAILURES: Readonly<Record<UnclearClass, string>> = {
  no_answer: 'no answer within the time limit',
  reset: 'the connection broke during the call',
  not_connected: 'no connection, nothing was sent',
  server_error: 'a failure of its own',
  unreadable: 'an answer that is not HTTP we can read, or too long',
};

/** By status, wire type and code; the library's classes alone would take a 409 for a server error. */
function problemOf(thrown: unknown, asked: Asked): Problem {
  const error = Object(thrown) as Readonly<Record<string, unknown>>;
  const heard = heardIn(error['headers'], asked);
  const { detail, statusCode: status } = error;
  if (typeof status !== 'number') {
    const why = detail instanceof CallFailed ? detail.why : 'unreadable';
    const said = `stripe on ${asked.what}: ${FAILURES[why]}`;
    return { class: 'failed', why, code: null, retryAfterMs: null, said, ...heard };
  }
  const type = textOf(error['rawType']);
  const code = unlessQuoting(asked.secretKey, publicText(textOf(error['code']), 64)) ?? null;
  const message = textOf(error['message']);
  const kind = classOf({ status, type, code, message }, type !== UNREADABLE, asked.account);
  const words = wordsOf(message, asked.secretKey);
  return {
    class: kind,
    why: kind === 'failed' ? 'server_error' : 'unreadable',
    code,
    retryAfterMs: waitIn(error['headers']),
    said: `stripe ${status}${code === null ? '' : ` ${code}`} for ${asked.what}: ${words}${named(heard.requestId)}`,
    ...heard,
  };
}

function heardIn(headers: unknown, { secretKey }: Asked): Heard {
  return {
    requestId: unlessQuoting(secretKey, publicText(headerIn(headers, 'request-id'))) ?? null,
    replayed: headerIn(headers, 'idempotent-replayed') === 'true',
  };
}

/** A date is counted from the answer's own: Stripe's clock is the one it means. */
function waitIn(headers: unknown): number | null {
  return retryAfterMs(headerIn(headers, 'retry-after') ?? null, Date.parse(headerIn(headers, 'date') ?? ''));
}

function headerIn(headers: unknown, name: string): string | undefined {
  const all = headers as JsonValue | undefined;
  const value = isObject(all) ? all[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

const named = (requestId: string | null): string => (requestId === null ? '' : ` (request ${requestId})`);

const LONGEST_WORDS = 160;
/** Also as Stripe quotes it, with stars in the middle and its last characters in clear. */
const KEY_LIKE = /\b(?:sk|rk|pk|ek|whsec)_[\w*.…-]+/g;

/** Stripe's sentence as it may be stored, logged and shown: one line, cut, without a key. */
function wordsOf(message: string, secretKey: string): string {
  const line = message
    .replaceAll(secretKey, '[redacted]')
    .replace(KEY_LIKE, '[redacted]')
    .replace(/[^\x21-\x7e]+/g, ' ')
    .trim();
  return line.length > LONGEST_WORDS ? `${line.slice(0, LONGEST_WORDS - 1)}…` : line || 'no reason given';
}

/** Ids to look at come from people and from webhooks too: one that cannot be an id names nothing, and is not asked for. */
export const noSuchId = (id: string): ReadAnswer<never> => ({
  kind: 'missing',
  detail: `${JSON.stringify(id.slice(0, 40))} is no id of Stripe's: nothing was asked`,
});
