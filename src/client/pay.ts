import { type SessionTerms, sessionTerms } from './challenge.js';
import { provenBy, readChannel } from './channel-on-chain.js';
import type { ChannelEntry } from './channel-store.js';
import { SessionPaymentError } from './errors.js';
import type { Exchange } from './exchange.js';
import { leave } from './left-channels.js';
import { noteRefusal, type PaidRequest, paidRequest } from './paid-request.js';
import { type Payer, recordedEntry } from './payer.js';
import { preparePayment } from './prepare-payment.js';
import type { PreparedPayment } from './prepared-payment.js';
import { problemDetail } from './receipt.js';
import { recordReceipt } from './record-receipt.js';

export interface Paid {
  readonly response: Response;
  /** Undefined where nothing had to be paid after all. */
  readonly channelId?: string;
}

/**
 * Pays one request and gives its response. To be called for one request of a channel at a time.
 * @throws SessionPaymentError where it cannot be paid; what fetch throws where the network fails
 */
export async function pay(payer: Payer, exchange: Exchange, challenged: SessionTerms): Promise<Paid> {
  const request = paidRequest(payer, exchange);
  let terms = await named(request, await current(request, challenged));
  while (!(terms instanceof Response)) {
    exchange.throwIfAborted();
    const payment = await preparePayment(request, terms);
    const response = await exchange.pay({ name: terms.header, value: payment.credential });
    if (response.status === 410) terms = await afterGone(request, terms, payment, response);
    else if (response.status === 402) terms = await afterRefusal(request, terms, payment, response);
    else {
      await recordReceipt(payer, terms.key, response, payment.entry);
      return { response, channelId: payment.entry.channelId };
    }
  }
  return { response: terms };
}

/** A challenge may have expired while earlier requests of its channel were paid. */
async function current({ payer, exchange }: PaidRequest, terms: SessionTerms): Promise<SessionTerms | Response> {
  const expired = ({ expiresAtMs }: SessionTerms) => expiresAtMs !== undefined && expiresAtMs <= payer.clock.nowMs();
  if (!expired(terms)) return terms;
  const fresh = await askAgain(exchange, terms.key);
  if (fresh instanceof Response || !expired(fresh)) return fresh;
  throw new SessionPaymentError(
    'challenge_expired',
    `${exchange.url.origin} gives challenges that have expired already`,
  );
}

/**
 * A server that does not know who asks cannot say how far the channel is, and another process may have gone further with
 * it: told its name, the server can say so before a voucher is wasted. Later requests name it from the start.
 */
async function named(
  { payer, exchange }: PaidRequest,
  terms: SessionTerms | Response,
): Promise<SessionTerms | Response> {
  if (terms instanceof Response || terms.hints.channelId !== undefined || exchange.named()) return terms;
  const entry = await recordedEntry(payer, terms);
  return entry?.opened === true && entry.left !== 'closing' ? askAgain(exchange, terms.key, entry.channelId) : terms;
}

/** @returns the response itself where it needs no payment, or none that we could make */
async function askAgain(exchange: Exchange, key: string, session?: string): Promise<SessionTerms | Response> {
  const response = await exchange.ask(session);
  const terms = response.status === 402 ? sessionTerms(response.headers) : undefined;
  if (terms === undefined) return response;
  exchange.requirePayable(response);
  requireSameKey(exchange, key, terms);
  await response.body?.cancel();
  return terms;
}

/** Requests of a channel are paid one at a time; one that turned to another channel would not wait for its turn there. */
function requireSameKey({ url }: Exchange, key: string, terms: SessionTerms): void {
  if (terms.key === key) return;
  throw new SessionPaymentError(
    'challenge_malformed',
    `${url.origin} asks for another payee, token or chain than a moment ago`,
  );
}

/** The server does not know the channel any more: one new one may be opened, beside what the old one still holds. */
async function afterGone(
  { payer, exchange, trail }: PaidRequest,
  terms: SessionTerms,
  { action, entry }: PreparedPayment,
  response: Response,
): Promise<SessionTerms | Response> {
  const why = await problemDetail(response);
  // What was opened just now may still land: its record is needed to find the deposit.
  if (action !== 'open') await leave(payer, terms, entry, 'gone');
  if (trail.reopened || action === 'open')
    throw new SessionPaymentError(
      'channel_gone',
      `${exchange.url.origin} answers 410 for the ${action} of channel ${entry.channelId}${why}`,
    );
  trail.reopened = true;
  trail.gone.add(entry.channelId.toLowerCase());
  return askAgain(exchange, terms.key);
}

async function afterRefusal(
  request: PaidRequest,
  { key }: SessionTerms,
  { action, entry }: PreparedPayment,
  response: Response,
): Promise<SessionTerms> {
  const { trail, payer, exchange } = request;
  trail.why = await problemDetail(response);
  if (action === 'open')
    throw new SessionPaymentError('open_refused', `the server refused to open channel ${entry.channelId}${trail.why}`);
  const next = sessionTerms(response.headers);
  if (next === undefined)
    throw new SessionPaymentError(
      'hint_unprovable',
      `the server refused a voucher of ${entry.cumulativeAmount}${trail.why} and asks for no other`,
    );
  requireSameKey(exchange, key, next);
  const shown = provenBy(next.hints.voucher, entry.channelId, next, payer.keys);
  const signed = entry.cumulativeAmount;
  noteRefusal(request, signed, shown >= signed ? shown : await capturedOf(payer, entry, next));
  return next;
}

/** A voucher below what is captured is refused, and what is captured was signed: the chain is the proof. */
async function capturedOf(payer: Payer, { channelId }: ChannelEntry, terms: SessionTerms): Promise<bigint> {
  try {
    return (await readChannel(await payer.clientOf(terms.chainId), channelId, terms)).settled;
  } catch {
    return 0n;
  }
}
