import { randomUUID } from 'node:crypto';
import { assertNever } from '../domain/assert-never.js';
import type { Clock } from '../domain/clock.js';
import { newSettlementId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import { toAtomic } from '../domain/money.js';
import type { Protocol } from '../domain/settlement-status.js';
import type { FoundCredential } from '../protocols/find-credential.js';
import { type Payer, payerOf } from '../protocols/payer.js';
import { settleBody, verifyBody } from '../protocols/settle-body.js';
import { canonicalJson, sha256 } from '../protocols/wire-json.js';
import type { CommitQueue } from './commit-queue.js';
import type { HeldLease, LeaseKeeper } from './lease-keeper.js';
import { createLiveSession, type LiveSession } from './live-session.js';
import { type Match, type MatchDependencies, matchOffer, type Presented } from './match-offer.js';
import type { SessionLog } from './response-gate.js';
import type { RouteTerms } from './route-options.js';
import type { NewSession, OpenOutcome, SessionLedger } from './session-ledger.js';

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
  readonly ledger: Pick<SessionLedger, 'openSession' | 'identityUsed'>;
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
    }
  /** Pay (again): 402. */
  | { readonly kind: 'challenge'; readonly why: string }
  /** Nothing was decided: 503, the same credential may be sent again. */
  | { readonly kind: 'unavailable'; readonly why: string }
  | { readonly kind: 'used' }
  | { readonly kind: 'exposed' }
  /** Too many answers cost this payer nothing; there is room again after so long. */
  | { readonly kind: 'limited'; readonly forMs: number };

type Matched = Extract<Match, { kind: 'match' }>;
type Verified = Matched & { readonly payer: Payer };

/** From a credential to a durable session, in the order of product.md S1 (Open); nothing is opened before all of it holds. */
export async function admit(knock: Knock, dependencies: AdmitDependencies): Promise<Admission> {
  const match = matchOffer(knock.found, knock.presented, dependencies.match);
  if (match.kind === 'mismatch') return { kind: 'challenge', why: `the credential was not accepted: ${match.why}` };
  if (match.kind === 'undecided') return { kind: 'unavailable', why: match.why };
  const { credential, context } = match;
  const leftMs = (credential.expiresAtMs ?? Number.POSITIVE_INFINITY) - dependencies.clock.nowMs();
  if (leftMs < knock.terms.longestMs + dependencies.minRetryWindowMs) {
    return { kind: 'challenge', why: 'the credential expires too soon to be collected safely' };
  }
  const verified = await dependencies.verifier
    .verify(credential.protocol, { body: verifyBody({ credential, context }), timeoutMs: dependencies.verifyTimeoutMs })
    .catch((error: unknown) => ({ kind: 'unreachable' as const, detail: String(error) }));
  if (verified.kind === 'unreachable') {
    dependencies.log.warn(
      { protocol: credential.protocol, detail: verified.detail },
      'a payment could not be verified: the payer was asked to come back',
    );
    return { kind: 'unavailable', why: 'the auth server cannot be reached' };
  }
  return verified.kind === 'valid'
    ? open({ ...match, payer: payerOf(credential, verified.payer) }, knock, dependencies)
    : refused(credential.identity, dependencies);
}

/** What we have settled ourselves the auth server refuses too: a client must not take that for a demand to pay again. */
async function refused(identity: string, { ledger, log }: AdmitDependencies): Promise<Admission> {
  try {
    return (await ledger.identityUsed(identity))
      ? { kind: 'used' }
      : { kind: 'challenge', why: 'the auth server did not accept the credential' };
  } catch (error) {
    log.warn(
      { err: error },
      'it is not known whether a refused credential was used here: the payer was asked to come back',
    );
    return { kind: 'unavailable', why: 'this server cannot reach its ledger' };
  }
}

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
      return { kind: 'admitted', session: liveSession(match, session, dependencies), held, settle: settleAs };
    case 'identity_used':
      return { kind: 'used' };
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
    contentSha256: sha256(
      canonicalJson({ protocol: credential.protocol, content: credential.content, context: stored, cap }),
    ),
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
      bodyFor: (spent) => settleBody({ credential, context, spent, decimals: offer.decimals }),
    },
    commits,
  );
}
