import { assertNever } from '../domain/assert-never.js';
import { type AtomicAmount, larger, toAtomic } from '../domain/money.js';
import type { DecodedCredential } from '../protocols/credential.js';
import { payerOf } from '../protocols/payer.js';
import { lowerHex } from '../protocols/wire-json.js';
import type { Admission, AdmissionRequest, AdmitDependencies, Verified } from './admission.js';
import { repeatOf, takeAnswer } from './earlier-use.js';
import { createLiveSession } from './gate/live-session.js';
import { managedBefore, manageVoucherChannel, payerOfExpired } from './manage-voucher-channel.js';
import { boughtBefore, type Named, namedBy, nameOf } from './named-answers.js';
import { CHALLENGE_EXPIRED } from './offers/match-mpp.js';
import { matchOffer, type ReadCredential, readAlone } from './offers/match-offer.js';
import type { Offer } from './offers/offers.js';
import { receiptOf } from './offers/payment-response.js';
import { contentsOf, isAtOwnPrice, liveSession, newSession, openOnce, soldOffer } from './open-session.js';
import { type EarlierUse, NO_LEDGER } from './session-ledger.js';
import { verifyCredential } from './verify-credential.js';

/** From a credential to a durable session: what costs least is looked at first, and nothing is opened before all of it holds. */
export async function admit(request: AdmissionRequest, dependencies: AdmitDependencies): Promise<Admission> {
  const named = namedBy(request, dependencies);
  return (named && (await boughtBefore(named, request, dependencies))) ?? admitNew(named, request, dependencies);
}

async function admitNew(
  named: Named | undefined,
  request: AdmissionRequest,
  dependencies: AdmitDependencies,
): Promise<Admission> {
  const match = matchOffer(request.found, request.presented, dependencies.match);
  if (match.kind === 'mismatch') {
    const givenTo = match.why === CHALLENGE_EXPIRED ? await payerOfExpired(request.found.raw, dependencies) : undefined;
    const otherwise = {
      kind: 'challenge',
      why: `the credential was not accepted: ${match.why}`,
      ...(givenTo !== undefined && { givenTo }),
    } as const;
    return match.read === undefined ? otherwise : repeated(match.read, request, dependencies, otherwise);
  }
  if (match.kind === 'undecided') {
    const otherwise = { kind: 'unavailable', why: match.why } as const;
    return match.read === undefined ? otherwise : repeated(match.read, request, dependencies, otherwise);
  }
  const { credential } = match;
  if (expiresTooSoon(credential, request, dependencies)) return repeated(match, request, dependencies, TOO_SOON);
  if (credential.manages) return manageVoucherChannel(match, request, dependencies);
  const verified = await verifyCredential(match, dependencies);
  if (verified.kind === 'unreachable')
    return repeated(match, request, dependencies, { kind: 'unavailable', why: 'the auth server cannot be reached' });
  if (verified.kind === 'valid') {
    const name = await nameOf(named, request);
    // Its client decides how long the body takes.
    if (expiresTooSoon(credential, request, dependencies)) return repeated(match, request, dependencies, TOO_SOON);
    return open({ ...match, payer: payerOf(credential, verified.payer), named: name }, request, dependencies);
  }
  // What we have settled ourselves the auth server refuses too: a client must not take that for a demand to pay again.
  return repeated(match, request, dependencies, {
    kind: 'challenge',
    why: 'the auth server did not accept the credential',
  });
}

const TOO_SOON = { kind: 'challenge', why: 'the credential expires too soon to be collected safely' } as const;

function expiresTooSoon(
  { expiresAtMs }: DecodedCredential,
  { terms }: AdmissionRequest,
  { clock, minRetryWindowMs }: AdmitDependencies,
): boolean {
  return expiresAtMs !== null && expiresAtMs - clock.nowMs() < terms.longestMs + minRetryWindowMs;
}

async function earlierUse(
  identity: string,
  { ledger, log }: AdmitDependencies,
): Promise<{ readonly use: EarlierUse | undefined } | undefined> {
  try {
    return { use: await ledger.findEarlierUse(identity) };
  } catch (error) {
    log.warn({ err: error }, 'it is not known whether a credential was used here: the payer was asked to come back');
    return undefined;
  }
}

/**
 * The credential came before, or `otherwise`: nobody is asked to pay again for money that was taken. One that was taken for this
 * very request has its answer also where it does not fit any more: its challenge has expired since, or the terms have changed.
 */
async function repeated(
  read: ReadCredential,
  request: AdmissionRequest,
  dependencies: AdmitDependencies,
  otherwise: Admission,
): Promise<Admission> {
  const { credential } = read;
  if (credential.manages) return managedBefore(read, request, dependencies, otherwise);
  const earlier = await earlierUse(credential.identity, dependencies);
  if (earlier === undefined) return NO_LEDGER;
  if (earlier.use === undefined) return otherwise;
  const repeat = repeatOf(earlier.use, contentsOf(read, request));
  switch (repeat.kind) {
    case 'used':
    case 'undecided':
      return repeat;
    case 'worthless':
      return {
        ...(otherwise.kind === 'challenge' && otherwise),
        kind: 'challenge',
        why: 'the payment came to nothing before, and nothing was charged: make another one',
      };
    case 'due':
      return serveWhatIsDue(earlier.use, credential, request, dependencies);
    default:
      return assertNever(repeat);
  }
}

/** What became of a credential that is not taken by the auth server any more. @returns undefined: it was never taken */
export async function takenBefore(
  request: AdmissionRequest,
  dependencies: AdmitDependencies,
): Promise<Admission | undefined> {
  const { read } = readAlone(request.found, dependencies.match);
  const never: Admission = { kind: 'challenge', why: 'this protocol is not offered here' };
  const known = read === undefined ? never : await repeated(read, request, dependencies, never);
  return known === never ? undefined : known;
}

/**
 * What the handler charges for an answer that is due is booked no more: its route may sell at another price by now, its work cost
 * more this time. Where it is metered and a body says what is to be done, that may be another one than was paid for.
 */
function limitOf(
  spent: AtomicAmount,
  offer: Offer | undefined,
  { terms: { amount, metered }, method }: AdmissionRequest,
): AtomicAmount {
  if (metered && method !== 'GET') return spent;
  const now = [spent, offer?.amount ?? amount, ...(metered ? [] : [amount])].map(BigInt);
  return toAtomic(now.reduce(larger));
}

/** What an earlier charge was paid in, where it is still offered. */
function offerOf(
  { asset, decimals }: EarlierUse,
  { protocol, lookup }: DecodedCredential,
  { presented }: AdmissionRequest,
): Offer | undefined {
  const [offer, ...others] = presented.offers.filter(
    (other) =>
      other.protocol === protocol &&
      lowerHex(other.asset) === lowerHex(asset) &&
      other.decimals === decimals &&
      (lookup['network'] === undefined || lookup['network'] === other.network),
  );
  return others.length === 0 ? offer : undefined;
}

/** Settled first, held back because nobody knew that, and had now: once, by whoever takes the right to it. */
async function serveWhatIsDue(
  use: EarlierUse,
  credential: DecodedCredential,
  request: AdmissionRequest,
  { lease, ledger, log, releasedLimit }: AdmitDependencies,
): Promise<Admission> {
  const { id } = use;
  const held = lease.current();
  if (!held?.mayWrite()) return { kind: 'undecided', id };
  try {
    const holdMs = request.terms.longestMs + GRACE_MS;
    const taken = await takeAnswer(id, { holdMs, releasedLimit }, ledger);
    if (taken === undefined) return { kind: 'undecided', id };
    if ('limitedForMs' in taken) return { kind: 'limited', forMs: taken.limitedForMs };
    const offer = offerOf(use, credential, request);
    const limit = limitOf(taken.spent, offer, request);
    const metered = credential.metered && !(offer && isAtOwnPrice(offer, request.terms));
    const session = createLiveSession(
      {
        id,
        lease: held.lease,
        closeToken: taken.token,
        // What is sold whole costs what it has cost.
        cap: metered ? limit : taken.spent,
        metered,
        price: limit,
        closesAtZero: false,
        // Nothing is sent any more.
        bodyFor: () => '',
      },
      taken.commits,
    );
    const { version } = credential;
    const paidBefore = receiptOf(taken, version);
    return { kind: 'admitted', session, offer: offer && soldOffer(offer), held, settle: 'after', version, paidBefore };
  } catch (error) {
    log.warn(
      { settlement: id, err: error },
      'an answer that is due could not be taken: the payer was asked to come back',
    );
    return { kind: 'undecided', id };
  }
}

/** After the longest time of its route a server is given this much to say that it gave an answer. */
const GRACE_MS = 60_000;

async function open(match: Verified, request: AdmissionRequest, dependencies: AdmitDependencies): Promise<Admission> {
  const held = dependencies.lease.current();
  // The ledger is away: nobody waits until it has not answered once more.
  if (!held?.mayWrite()) return NO_LEDGER;
  const { terms } = request;
  // Credit is counted per payer: where it is limited, one who might come under many names gets none.
  const uncounted = match.offer.exposure.perPayer !== undefined && !match.payer.mayOwe;
  const settle = uncounted ? 'before-release' : terms.settle;
  const session = newSession(match, request, held, dependencies);
  let outcome = await openOnce(session, dependencies);
  let settleAs = settle;
  if ((outcome === 'exposure_payer' || outcome === 'exposure_total') && terms.exposure.over === 'settle-first') {
    settleAs = 'before-release';
    outcome = await openOnce({ ...session, exposure: {} }, dependencies);
  }
  if (typeof outcome === 'object') return { kind: 'limited', forMs: outcome.limitedForMs };
  switch (outcome) {
    case 'opened':
      return {
        kind: 'admitted',
        session: liveSession(match, session, { terms, settle: settleAs }, dependencies),
        offer: soldOffer(match.offer),
        held,
        settle: settleAs,
        version: match.credential.version,
        ...(match.named && { keepBytes: request.terms.replay?.bytes }),
      };
    case 'identity_used': {
      // The same payment came twice at once.
      const named = match.named && namedBy(request, dependencies);
      const before = named && (await boughtBefore(named, request, dependencies));
      return before ?? repeated(match, request, dependencies, { kind: 'used', id: undefined });
    }
    case 'name_used':
      return { kind: 'name_used' };
    case 'payer_uncollectable':
      return {
        kind: 'challenge',
        why: 'payer_uncollectable: an earlier charge of this payer could not be collected; it must be paid before anything else is sold to them',
      };
    case 'voucher_spent':
      return {
        kind: 'challenge',
        why: 'voucher_spent: the voucher does not cover what its channel owes already and this response; sign a higher one',
      };
    case 'channel_closes':
      return {
        kind: 'refused',
        refusal: { problem: 'session/channel-finalized', detail: 'The channel closes; open another one.' },
      };
    case 'exposure_payer':
    case 'exposure_total':
      return { kind: 'exposed' };
    case 'lease_lost':
      return repeated(match, request, dependencies, NO_LEDGER);
    case 'unknown':
      return NO_LEDGER;
    default:
      return assertNever(outcome);
  }
}
