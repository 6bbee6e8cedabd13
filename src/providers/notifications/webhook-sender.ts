import { Webhook } from 'standardwebhooks';
import type { DeliveryOutcome } from '../../domain/notifications/delivery.js';
import type { WebhookDestination } from '../../domain/notifications/destinations.js';
import { httpCall } from '../http-call.js';
import { retryAfterMs } from '../reply.js';

/** What a receiver says is told to nobody, so little of it is read. */
const MAX_REPLY_BYTES = 4 * 1024;
const GONE = 410;

export interface SignedBody {
  /** The same for every attempt: what a receiver knows the message by. */
  readonly id: string;
  readonly body: string;
}

/**
 * One POST, signed as Standard Webhooks has it. A redirect is not followed: what is signed for one address goes to no other.
 * @param nowMs of the signature; receivers refuse one that is minutes old, so each attempt has its own
 */
export async function sendWebhook(
  { url, secrets }: WebhookDestination,
  { id, body }: SignedBody,
  { nowMs, timeoutMs }: { readonly nowMs: number; readonly timeoutMs: number },
): Promise<DeliveryOutcome> {
  const reply = await httpCall(fetch, {
    url,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'makegood',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(nowMs / 1_000)),
      'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, new Date(nowMs), body)).join(' '),
    },
    body,
    timeoutMs,
    maxReplyBytes: MAX_REPLY_BYTES,
  });
  if (reply.kind === 'failed') return { kind: 'failed', detail: WORDS[reply.why] ?? 'the connection broke' };
  const { status } = reply;
  if (status >= 200 && status < 300) return { kind: 'delivered', detail: `answered ${status}` };
  if (status === GONE) return { kind: 'gone', detail: `answered ${status}: nobody is there any more` };
  if (status >= 300 && status < 400)
    return { kind: 'failed', detail: `answered ${status}: it redirects, which is not followed` };
  const afterMs = retryAfterMs(reply.retryAfter, nowMs);
  return { kind: 'failed', detail: `answered ${status}`, ...(afterMs === null ? {} : { afterMs }) };
}

const WORDS: Readonly<Record<string, string>> = {
  no_answer: 'gave no answer in time',
  not_connected: 'no connection: its address, its name or its certificate',
  reset: 'the connection broke before its answer',
  unreadable: 'its answer was not HTTP',
};
