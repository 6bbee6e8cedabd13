import { randomUUID } from 'node:crypto';
import { assertNever } from '../domain/assert-never.js';
import type { Clock } from '../domain/clock.js';
import { newSettlementId, type SettlementId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import { toAtomic } from '../domain/money.js';
import type { Protocol } from '../domain/settlement-status.js';
import type { FoundCredential } from '../protocols/find-credential.js';
import { type Payer, payerOf } from '../protocols/payer.js';
import { settleBody, verifyBody } from '../protocols/settle-body.js';
import { canonicalJson, sha256 } from '../protocols/wire-json.js';
import type { CommitQueue } from './commit-queue.js';
import { repeatOf, takeAnswer } from './earlier-use.js';
import type { HeldLease, LeaseKeeper } from './lease-keeper.js';
import { createLiveSession, type LiveSession } from './live-session.js';
import { type Match, type MatchDependencies, matchOffer, type Presented } from './match-offer.js';
import type { SessionLog } from './response-gate.js';
import type { RouteTerms } from './route-options.js';
import type { EarlierUse, NewSession, OpenOutcome, SessionLedger } from './session-ledger.js';

export interface Verifier {
  verify(
    protocol: Protocol,
    call: { readonly body: string; readonly timeoutMs: number },
  ): Promise<
    /** `payer`: the account that the auth server names; null: it names none. */
    | { readonly kind: 'valid'; readonly payer: string | null }
    | { readonly kind: 'invalid'; readonly detail: string }
    | { readonly kind: 'unreachable'; readonly detail: string }
  >;
}

export interface AdmitDependencies {
  readonly ledger: Pick<
    SessionLedger,
    'openSession' | 'findEarlierUse' | 'takeAnswer' | 'answerGiven' | 'answerNotGiven'
  >;
  readonly verifier: Verifier;
  readonly lease: Pick<LeaseKeeper, 'current'>;
  readonly commits: Pick<CommitQueue, 'submit'>;
  readonly match: MatchDependencies;
  readonly minRetryWindowMs: number;
  /** RELEASED_LIMIT. */
  readonly releasedLimit: number;
  readonly verifyTimeoutMs: number;
  readonly clock: Clock;
  readonly log: SessionLog;
}

export interface Knock {
  readonly found: FoundCredential;
  readonly presented: Presented;
  readonly method: string;
  readonly terms: RouteTerms;
  /** Name of the route in the ledger. */
  readonly route: string;
}

export type Admission =
  | {
      readonly kind: 'admitted';
      readonly session: LiveSession;
      readonly held: HeldLease;
      readonly settle: RouteTerms['settle'];
      /** The money is in already: nothing is left to be started. */
      readonly paidBefore?: true;
    }
  /** Pay (again): 402. */
  | { readonly kind: 'challenge'; readonly why: string }
  /** Nothing was decided: 503, the same credential may be sent again. */
  | { readonly kind: 'unavailable'; readonly why: string }
  /** `id`: of its charge; undefined: it is not this credential that was used, but the payment request that it answers. */
  | { readonly kind: 'used'; readonly id: SettlementId | undefined }
  /** It was accepted before, and nothing is decided yet: 503, and the same credential has the answer later. */
  | { readonly kind: 'undecided'; readonly id: SettlementId }
  | { readonly kind: 'exposed' }
  /** Too many answers cost this payer nothing; there is room again after so long. */
  | { readonly kind: 'limited'; readonly forMs: number };

type Matched = Extract<Match, { kind: 'match' }>;
type Verified = Matched & { readonly payer: Payer };

/** From a credential to a durable session: what costs least is looked at first, and nothing is opened before all of it holds. */
export async function admit(knock: Knock, dependencies: AdmitDependencies): Promise<Admission> {
  const match = matchOffer(knock.found, knock.presented, dependencies.match);
  if (match.kind === 'mismatch') {
    const otherwise = { kind: 'challenge', why: `the credential was not accepted: ${match.why}` } as const;
    return match.identity === undefined ? otherwise : seenBefore(match.identity, otherwise, dependencies);
  }
  if (match.kind === 'undecided') return { kind: 'unavailable', why: match.why };
  const { credential, context } = match;
  const leftMs = (credential.expiresAtMs ?? Number.POSITIVE_INFINITY) - dependencies.clock.nowMs();
  if (leftMs < knock.terms.longestMs + dependencies.minRetryWindowMs) {
    return repeated(match, knock, dependencies, {
      kind: 'challenge',
      why: 'the credential expires too soon to be collected safely',
    });
  }
  const verified = await dependencies.verifier
    .verify(credential.protocol, { body: verifyBody({ credential, context }), timeoutMs: dependencies.verifyTimeoutMs })
    .catch((error: unknown) => ({ kind: 'unreachable' as const, detail: String(error) }));
  if (verified.kind === 'unreachable') {
    dependencies.log.warn(
      { protocol: credential.protocol, detail: verified.detail },
      'a payment could not be verified: the payer was asked to come back',
    );
    return repeated(match, knock, dependencies, { kind: 'unavailable', why: 'the auth server cannot be reached' });
  }
  if (verified.kind === 'valid')
    return open({ ...match, payer: payerOf(credential, verified.payer) }, knock, dependencies);
  // What we have settled ourselves the auth server refuses too: a client must not take that for a demand to pay again.
  return repeated(match, knock, dependencies, {
    kind: 'challenge',
    why: 'the auth server did not accept the credential',
  });
}

const NO_LEDGER = { kind: 'unavailable', why: 'this server cannot reach its ledger' } as const;

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

/** It does not fit what is sold here; where it has paid for something else, that is said instead of asking for money. */
async function seenBefore(identity: string, otherwise: Admission, dependencies: AdmitDependencies): Promise<Admission> {
  const earlier = await earlierUse(identity, dependencies);
  if (earlier === undefined) return NO_LEDGER;
  if (earlier.use === undefined) return otherwise;
  const repeat = repeatOf(earlier.use, '');
  return repeat.kind === 'used' || repeat.kind === 'undecided' ? repeat : otherwise;
}

/** The credential came before, or `otherwise`: nobody is asked to pay again for money that was taken. */
async function repeated(
  match: Matched,
  knock: Knock,
  dependencies: AdmitDependencies,
  otherwise: Admission,
): Promise<Admission> {
  const earlier = await earlierUse(match.credential.identity, dependencies);
  if (earlier === undefined) return NO_LEDGER;
  if (earlier.use === undefined) return otherwise;
  const repeat = repeatOf(earlier.use, contentOf(match, knock));
  switch (repeat.kind) {
    case 'used':
    case 'undecided':
      return repeat;
    case 'worthless':
      return { kind: 'challenge', why: 'the payment was refused before, and nothing was charged: make another one' };
    case 'due':
      return serveWhatIsDue(repeat.id, match, knock, dependencies);
    default:
      return assertNever(repeat);
  }
}

/** Settled first, held back because nobody knew that, and had now: once, by whoever takes the right to it. */
async function serveWhatIsDue(
  id: SettlementId,
  { credential }: Matched,
  { terms }: Knock,
  { lease, ledger, log }: AdmitDependencies,
): Promise<Admission> {
  const held = lease.current();
  if (!held?.mayWrite()) return NO_LEDGER;
  try {
    const taken = await takeAnswer(id, terms.longestMs + GRACE_MS, ledger);
    if (taken === undefined) return { kind: 'undecided', id };
    const session = createLiveSession(
      {
        id,
        lease: held.lease,
        closeToken: taken.token,
        cap: taken.spent,
        metered: credential.metered,
        closesAtZero: false,
        // Nothing is sent any more.
        bodyFor: () => '',
      },
      taken.commits,
    );
    return { kind: 'admitted', session, held, settle: 'after', paidBefore: true };
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

async function open(match: Verified, knock: Knock, dependencies: AdmitDependencies): Promise<Admission> {
  const held = dependencies.lease.current();
  if (!held?.mayWrite()) return { kind: 'unavailable', why: 'this server cannot reach its ledger' };
  const { exposure } = knock.terms;
  // Credit is counted per payer: where it is limited, one who might come under many names gets none.
  const uncounted = exposure.perPayer !== undefined && !match.payer.mayOwe;
  const settle = uncounted ? 'before-release' : knock.terms.settle;
  const session = newSession(match, knock, held, dependencies);
  let outcome = await openOnce(session, dependencies);
  let settleAs = settle;
  if ((outcome === 'exposure_payer' || outcome === 'exposure_total') && exposure.over === 'settle-first') {
    settleAs = 'before-release';
    outcome = await openOnce({ ...session, exposure: {} }, dependencies);
  }
  if (typeof outcome === 'object') return { kind: 'limited', forMs: outcome.limitedForMs };
  switch (outcome) {
    case 'opened':
      return {
        kind: 'admitted',
        session: liveSession(match, session, settleAs, dependencies),
        held,
        settle: settleAs,
      };
    case 'identity_used':
      return repeated(match, knock, dependencies, { kind: 'used', id: undefined });
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
    case 'exposure_payer':
    case 'exposure_total':
      return { kind: 'exposed' };
    case 'lease_lost':
    case 'unknown':
      return { kind: 'unavailable', why: 'this server cannot reach its ledger' };
    default:
      return assertNever(outcome);
  }
}

function newSession(
  { offer, credential, context, payer }: Verified,
  knock: Knock,
  held: HeldLease,
  { clock, releasedLimit }: AdmitDependencies,
): NewSession {
  const cap = offer.amount;
  const { perPayer, total } = knock.terms.exposure;
  const stored: JsonObject = { ...context };
  return {
    id: newSettlementId(clock.nowMs()),
    // Never an id that the client sent: somebody else's could be taken away from them.
    key: credential.identity,
    identity: credential.identity,
    contentSha256: contentOf({ offer, credential, context }, knock),
    protocol: credential.protocol,
    asset: offer.asset,
    decimals: offer.decimals,
    payer: payer.name,
    voucher: credential.voucher,
    lookup: credential.lookup,
    context: stored,
    expiresAtMs: credential.expiresAtMs,
    route: knock.route,
    cap,
    credential: knock.found.raw,
    lease: held.lease,
    closeToken: randomUUID(),
    longestMs: knock.terms.longestMs,
    releasedLimit,
    exposure: { ...(perPayer !== undefined && { perPayer }), ...(total !== undefined && { total }) },
  };
}

/** What is asked for, with which payment, where and how. */
const contentOf = ({ offer, credential, context }: Pick<Matched, 'offer' | 'credential' | 'context'>, knock: Knock) =>
  sha256(
    canonicalJson({
      protocol: credential.protocol,
      content: credential.content,
      context: { ...context },
      cap: offer.amount,
      method: knock.method,
      url: knock.presented.resource.url,
    }),
  );

/** A lost answer may have opened the session: it is released in the background, so that the payer can come back with it. */
async function openOnce(
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

function liveSession(
  { offer, credential, context }: Matched,
  session: NewSession,
  settle: RouteTerms['settle'],
  { commits }: AdmitDependencies,
): LiveSession {
  return createLiveSession(
    {
      id: session.id,
      lease: session.lease,
      closeToken: session.closeToken,
      cap: session.cap,
      metered: credential.metered,
      closesAtZero: credential.closesAtZero,
      withheld: settle === 'before-release',
      bodyFor: (spent) => settleBody({ credential, context, spent, decimals: offer.decimals }),
    },
    commits,
  );
}
