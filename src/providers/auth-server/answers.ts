import type { Answer, RefusalClass, UnclearClass } from '../../domain/calls/answers.js';
import type { JsonObject, JsonValue } from '../../domain/json.js';
import { isObject } from '../../protocols/wire-json.js';
import { quotesSecret, redact } from '../redact.js';
import { jsonObject, type Reply, retryAfterMs } from '../reply.js';

const LONGEST_WORDS = 160;

/**
 * What the answer to POST /settle/{protocol} means for the money. Total over every reply. Only a refusal that we can read
 * as one counts as a refusal; whatever could have moved money is unclear.
 * @param sent the request body, so that no part of it comes back in `detail`
 * @param nowMs Unix milliseconds, for a Retry-After date
 */
export function settleAnswer(reply: Reply, sent: string, nowMs: number): Answer {
  if (reply.kind === 'failed') return { kind: 'unclear', why: reply.why, detail: FAILURES[reply.why] };
  const { status } = reply;
  const object = jsonObject(reply.body);
  const refusal = refusalIn(reply, object);
  const named = describe(reply, refusal, sent);
  if (status === 200 && object !== undefined && refusal === undefined && object['success'] !== false) {
    return {
      kind: 'done',
      alreadySettled: object['alreadySettled'] === true,
      txHash: txHashOf(object, sent),
      ...amountOf(object['settledAmount']),
    };
  }
  if (status >= 500 && status <= 599)
    return { kind: 'unclear', why: 'server_error', detail: `${named}; ${MAY_HAVE_MOVED}` };
  if (BUSY.has(status)) return { kind: 'busy', retryAfterMs: retryAfterMs(reply.retryAfter, nowMs), detail: named };
  if (REFUSING.has(status) && refusal !== undefined) {
    const words = `${refusal.code ?? ''} ${refusal.text}`;
    return UNDECIDED.test(words)
      ? { kind: 'unclear', why: 'server_error', detail: `${named}; ${MAY_HAVE_MOVED}` }
      : { kind: 'refused', why: refusalClass(words, status), detail: named };
  }
  if (status >= 300 && status <= 499) {
    return {
      kind: 'misdirected',
      detail: `${named}; not an answer of the auth server: check AUTH_SERVER_URL and what stands before it`,
    };
  }
  return { kind: 'unclear', why: 'unreadable', detail: `${named}; ${MAY_HAVE_MOVED}` };
}

export type VerifyAnswer =
  /** `payer`: the account that the auth server names, as it writes it; null: it names none. */
  | { readonly kind: 'valid'; readonly payer: string | null }
  | { readonly kind: 'invalid'; readonly detail: string }
  /** Undecided: neither a yes nor a no. The payer is asked to come back, never to pay anew. */
  | { readonly kind: 'unreachable'; readonly detail: string };

/** What the answer to POST /verify/{protocol} means: 200 `{valid}`, or a refusal that we can read. */
export function verifyAnswer(reply: Reply, sent: string, nowMs: number): VerifyAnswer {
  const object = reply.kind === 'http' && reply.status === 200 ? jsonObject(reply.body) : undefined;
  if (object?.['valid'] === true) {
    return { kind: 'valid', payer: words(object['payer']) ?? words(object['sourceAccountId']) ?? null };
  }
  if (object?.['valid'] === false && reply.kind === 'http') {
    return { kind: 'invalid', detail: describe(reply, refusalIn(reply, object), sent) };
  }
  const answer = settleAnswer(reply, sent, nowMs);
  if (answer.kind === 'refused') return { kind: 'invalid', detail: answer.detail };
  return {
    kind: 'unreachable',
    detail: answer.kind === 'done' ? 'auth server answered 200 without {valid}' : answer.detail,
  };
}

const MAY_HAVE_MOVED = 'the charge may have gone through';
const FAILURES: Readonly<Record<UnclearClass, string>> = {
  no_answer: `auth server did not answer within the time limit; ${MAY_HAVE_MOVED}`,
  reset: `connection to the auth server broke during the call; ${MAY_HAVE_MOVED}`,
  not_connected: 'no connection to the auth server; nothing was sent',
  server_error: `auth server failed; ${MAY_HAVE_MOVED}`,
  unreadable: `auth server's answer is not HTTP that we can read; ${MAY_HAVE_MOVED}`,
};

const BUSY: ReadonlySet<number> = new Set([408, 425, 429]);
const REFUSING: ReadonlySet<number> = new Set([400, 402, 409, 422]);

/**
 * Words of a provider that has not decided yet (x402's `settlement_pending`, `unexpected_settle_error`): read as a
 * refusal, they would turn money on its way into "nothing moved".
 */
const UNDECIDED =
  /\b(?:settlement|transaction|payment|tx)[\s_-](?:is[\s_-])?(?:still[\s_-])?pending\b|\bpending[\s_-](?:settlement|transaction|confirmation)|in[\s_-]?(?:progress|flight)\b|being[\s_-](?:processed|settled)|unexpected_\w*error|internal[\s_-](?:server[\s_-])?error|timed[\s_-]?out|try[\s_-]again|temporar(?:y|ily)/i;

/** First match decides. Codes and texts of the ATXP auth server, x402 facilitators, EIP-3009 tokens and mppx problems. */
const CLASSES: readonly (readonly [RefusalClass, RegExp])[] = [
  ['other', /insufficient[\s_-](?:scope|permission|privilege)/i],
  [
    'used',
    /already[\s_-](?:been[\s_-])?(?:used|settled|spent|consumed|redeemed|processed|paid|executed)|(?:is|was|been)[\s_-]used\b|used or cancell?ed|nonce[\s_-]?(?:already|used|reused|too[\s_-]low)|invalid[\s_-]?nonce|replay|double[\s_-]?spen|duplicate/i,
  ],
  ['expired', /expired|expiry|valid[\s_-]?before|deadline|blockhash|too[\s_-]late|no longer valid/i],
  [
    'insufficient',
    /insufficient|not enough|balance[\s_-](?:is[\s_-])?too[\s_-]low|low[\s_-]balance|exceeds[\s_-](?:the[\s_-])?(?:\w+[\s_-])?balance|exceeds[\s_-](?:the[\s_-])?(?:voucher|deposit)|no[\s_-]funds|payment[\s_-]required/i,
  ],
];

/** The status only speaks where the words do not: 402 is the auth server's "cannot pay" (its POST /charge says so). */
function refusalClass(words: string, status: number): RefusalClass {
  return CLASSES.find(([, pattern]) => pattern.test(words))?.[0] ?? (status === 402 ? 'insufficient' : 'other');
}

interface Refusal {
  readonly code: string | null;
  readonly text: string;
}

/** The forms of error that the auth server and x402 facilitators use; anything else came from something in between. */
function refusalIn(reply: Reply & { kind: 'http' }, object: JsonObject | undefined): Refusal | undefined {
  if (object === undefined) return undefined;
  const { error } = object;
  const message = words(object['message']) ?? words(object['errorMessage']) ?? words(object['invalidMessage']) ?? '';
  const reason = words(error) ?? words(object['errorReason']) ?? words(object['invalidReason']);
  if (reason !== undefined) return refusalFrom(reason, message);
  if (isObject(error)) {
    const code = words(error['code']);
    const text = words(error['message']);
    return code === undefined && text === undefined ? undefined : refusalFrom(code, text ?? '');
  }
  const isProblem =
    /^application\/problem\+json\b/i.test(reply.contentType ?? '') || typeof object['status'] === 'number';
  const title = words(object['title']);
  if (!isProblem || title === undefined) return undefined;
  const code = words(object['code']) ?? words(object['type'])?.split('/').at(-1);
  return refusalFrom(code, `${title} ${words(object['detail']) ?? ''}`);
}

/** A code that is a sentence is text. */
function refusalFrom(code: string | undefined, text: string): Refusal {
  return code === undefined || /^[A-Za-z][A-Za-z0-9_.-]{1,63}$/.test(code)
    ? { code: code ?? null, text }
    : { code: null, text: `${code} ${text}` };
}

const words = (value: JsonValue | undefined): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

/** `auth server answered 402 insufficient_funds: …`: status, the provider's code, a few of its words. */
function describe(reply: Reply & { kind: 'http' }, refusal: Refusal | undefined, sent: string): string {
  const answered = `auth server answered ${reply.status}`;
  if (refusal === undefined) {
    const type = /^[a-z]+\/[a-z0-9.+-]{1,40}/i.exec(reply.contentType ?? '')?.[0] ?? 'no content type';
    return `${answered} (${reply.body === null ? `${type}, too long` : type})`;
  }
  const said = redact(
    [refusal.code ?? '', refusal.text].filter((part) => part.trim() !== '').join(': '),
    sent,
    LONGEST_WORDS,
  );
  return said === '' ? answered : `${answered} ${said}`;
}

/** As it stands, because its unit is not the same for all protocols; what is no amount at all is said as such. */
function amountOf(settled: JsonValue | undefined): { readonly settledAmount?: string } {
  if (settled === undefined || settled === null) return {};
  const text = typeof settled === 'number' ? String(settled) : settled;
  return {
    settledAmount: typeof text === 'string' && /^[0-9.]{1,80}$/.test(text) ? text : 'no amount that can be read',
  };
}

/** `transaction` is what x402 facilitators call it. Anything that is no plain hash-like text is left out, not refused. */
function txHashOf(object: JsonObject, sent: string): string | null {
  const hash = words(object['txHash']) ?? words(object['transaction']);
  if (hash === undefined || !/^[\x21-\x7e]{1,128}$/.test(hash)) return null;
  // It is kept in clear for good, also where the auth server by mistake repeats the credential in its place.
  return quotesSecret(hash, sent) ? null : hash;
}
