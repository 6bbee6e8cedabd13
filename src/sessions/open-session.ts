import { randomUUID } from 'node:crypto';
import { newSettlementId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import { toAtomic } from '../domain/money.js';
import { settleBody } from '../protocols/settle-body.js';
import { canonicalJson, objectAt, sha256, stringAt } from '../protocols/wire-json.js';
import type { AdmissionRequest, AdmitDependencies, Matched, Verified } from './admission.js';
import type { HeldLease } from './gate/lease-keeper.js';
import { createLiveSession, type LiveSession } from './gate/live-session.js';
import type { SoldOffer } from './gate/payment-session.js';
import type { ReadCredential } from './offers/match-offer.js';
import type { Offer } from './offers/offers.js';
import type { RouteTerms } from './offers/route-options.js';
import type { NewSession, OpenOutcome } from './session-ledger.js';

/** What the ledger is asked to open: the credential as it came, and the terms of our own offer. */
export function newSession(
  { offer, credential, context, payer, named }: Verified,
  request: AdmissionRequest,
  held: HeldLease,
  { clock, releasedLimit }: AdmitDependencies,
): NewSession {
  const cap = offer.amount;
  const stored: JsonObject = { ...context };
  return {
    id: newSettlementId(clock.nowMs()),
    // Never an id that the client sent: somebody else's could be taken away from them.
    key: credential.identity,
    identity: credential.identity,
    contentSha256: contentOf({ credential }, request),
    protocol: credential.protocol,
    asset: offer.asset,
    decimals: offer.decimals,
    payer: payer.name,
    voucher: credential.voucher,
    voucherChallenge:
      credential.voucher === null ? null : (stringAt(objectAt(credential.content, 'challenge'), 'id') ?? null),
    lookup: credential.lookup,
    context: stored,
    expiresAtMs: credential.expiresAtMs,
    // The ledger sums credit by this name, and amounts of different currencies are never added.
    route: offer.summedAs === undefined ? request.route : `${request.route} in ${offer.summedAs}`,
    cap,
    credential: request.found.raw,
    lease: held.lease,
    closeToken: randomUUID(),
    longestMs: request.terms.longestMs,
    releasedLimit,
    ...(named && { named }),
    exposure: offer.exposure,
  };
}

/** What is asked for, with which payment, where and how; not what it was sold for, which may have changed when it comes again. */
export const contentOf = (
  { credential: { protocol, content } }: Pick<ReadCredential, 'credential'>,
  request: AdmissionRequest,
) => sha256(canonicalJson({ protocol, content, method: request.method, url: request.presented.resource.url }));

/** The same as rows may have it: those of before said also what was offered. */
export function contentsOf(
  { credential, offer, context }: ReadCredential,
  request: AdmissionRequest,
): readonly string[] {
  if (offer === undefined) return [contentOf({ credential }, request)];
  const before = {
    protocol: credential.protocol,
    content: credential.content,
    context: { ...context },
    cap: offer.amount,
    method: request.method,
    url: request.presented.resource.url,
  };
  return [contentOf({ credential }, request), sha256(canonicalJson(before))];
}

/** A lost answer may have opened the session: it is released in the background, so that the payer can come back with it. */
export async function openOnce(
  session: NewSession,
  { ledger, commits, log }: AdmitDependencies,
): Promise<OpenOutcome | 'unknown'> {
  try {
    return await ledger.openSession(session);
  } catch (error) {
    log.error(
      { settlement: session.id, err: error },
      'a payment session could not be opened: nothing was served or charged',
    );
    const { id, lease, closeToken } = session;
    const spent = toAtomic(0n);
    commits
      .submit({ kind: 'close', id, lease, closeToken, by: 'error', spent, body: null, delivery: null })
      .catch(() => undefined);
    return 'unknown';
  }
}

/** The session as its response charges it, once it is open. */
export function liveSession(
  { offer, credential, context }: Matched,
  session: NewSession,
  { terms, settle }: { readonly terms: RouteTerms; readonly settle: RouteTerms['settle'] },
  { commits }: AdmitDependencies,
): LiveSession {
  const whole = isAtOwnPrice(offer, terms);
  return createLiveSession(
    {
      id: session.id,
      lease: session.lease,
      closeToken: session.closeToken,
      cap: session.cap,
      metered: credential.metered && !whole,
      ...(whole && { price: terms.amount }),
      closesAtZero: credential.closesAtZero,
      withheld: settle === 'before-release',
      bodyFor: (spent) => settleBody({ credential, context, spent, decimals: offer.decimals }),
    },
    commits,
  );
}

/** Its handler may count in the route's price or in the offer's: either buys the whole response, at the offer's. */
export const isAtOwnPrice = (offer: Offer, { metered, amount }: RouteTerms): boolean =>
  !metered && offer.amount !== amount;

/** An offer as handlers see it. */
export const soldOffer = ({ protocol, network, asset, decimals, currency, amount }: Offer): SoldOffer => ({
  protocol,
  network,
  asset,
  decimals,
  currency,
  amount: BigInt(amount),
});
