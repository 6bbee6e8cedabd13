import { randomUUID } from 'node:crypto';
import { assertNever } from '../../domain/assert-never.js';
import { type Channel, parseChannelId } from '../../domain/channels/channel.js';
import type { ChannelRefusal } from '../../domain/channels/channel-problems.js';
import type { Clock } from '../../domain/clock.js';
import { newSettlementId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import { toAtomic } from '../../domain/money.js';
import { objectAt, stringAt } from '../../protocols/wire-json.js';
import { isContentRequest } from '../content-request.js';
import type { CommitQueue } from '../gate/commit-queue.js';
import type { GateReceipt } from '../gate/gate-options.js';
import type { HeldLease, LeaseKeeper } from '../gate/lease-keeper.js';
import { createLiveSession, type LiveSession } from '../gate/live-session.js';
import type { MppIssuer } from '../offers/match-mpp.js';
import type { PaidRequest } from '../paid-request.js';
import { NO_LEDGER } from '../session-ledger.js';
import type { SessionLog } from '../session-log.js';
import { type ChannelOffer, channelChallenge, channelHints } from './channel-offer.js';
import { type ChannelPaymentDependencies, payByChannel } from './channel-payment.js';
import type { ChannelProof } from './channel-proof.js';
import { channelReceipt, RECEIPT_HEADER } from './channel-receipt.js';
import { type ChannelCredential, matchChannel } from './match-channel.js';

export interface ChannelRouteDependencies extends ChannelPaymentDependencies {
  readonly mpp: MppIssuer;
  readonly lease: Pick<LeaseKeeper, 'current'>;
  /** Makes charges and releases of channel requests durable. */
  readonly commits: Pick<CommitQueue, 'submit'>;
  readonly credentialValidityMs: number;
  /** RELEASED_LIMIT. */
  readonly releasedLimit: number;
  readonly clock: Clock;
  readonly log: SessionLog;
  /** A channel is to be closed on chain; never awaited. */
  readonly onClosing: (channel: Channel) => unknown;
}

export interface ChannelRoute {
  readonly offer: ChannelOffer;
  readonly name: string;
  readonly path: string;
  readonly longestMs: number;
  /** Who the client of this request is to the application. */
  readonly identify: (() => string | undefined) | undefined;
}

export type ChannelAdmission =
  | {
      readonly kind: 'admitted';
      readonly session: LiveSession;
      readonly held: HeldLease;
      readonly receipt: GateReceipt;
    }
  /** The channel was managed: 204, no handler runs. */
  | { readonly kind: 'managed'; readonly receipt: string | null }
  | {
      readonly kind: 'refused';
      readonly refusal: ChannelRefusal;
      /** What the credential says of its channel, unless its payer did not sign it: then it is nothing to go by. */
      readonly claims: JsonObject | undefined;
      readonly proof: ChannelProof | undefined;
    }
  | { readonly kind: 'unavailable'; readonly why: string }
  /** Too many answers cost this payer nothing; there is room again after so long. */
  | { readonly kind: 'limited'; readonly forMs: number };

/** From an MPP session credential to a reservation, or to what else it asks of its channel. */
export async function admitByChannel(
  request: PaidRequest,
  presented: { readonly raw: string; readonly content: JsonObject | undefined },
  route: ChannelRoute,
  dependencies: ChannelRouteDependencies,
): Promise<ChannelAdmission> {
  const { clock, mpp, lease } = dependencies;
  const match = matchChannel(presented.raw, presented.content, {
    offer: route.offer,
    path: route.path,
    nowMs: clock.nowMs(),
    mpp,
  });
  const refuse = (refusal: ChannelRefusal, proof?: ChannelProof): ChannelAdmission => ({
    kind: 'refused',
    refusal,
    claims: refusal.problem === 'session/invalid-signature' ? undefined : presented.content,
    proof,
  });
  if (match.kind === 'refused') return refuse(match.refusal);
  const held = lease.current();
  if (!held?.mayWrite()) return NO_LEDGER;
  const reservation = isContentRequest(request) ? newReservation(route, held, dependencies) : null;
  const identity = route.identify?.() ?? null;
  try {
    const paid = await payByChannel(match, { identity, reservation, address: request.address }, dependencies);
    switch (paid.kind) {
      case 'refused':
        return refuse(paid.refusal, paid.proof);
      case 'unavailable':
      case 'limited':
        return paid;
      case 'closing':
        dependencies.onClosing(paid.channel);
        // A receipt of a close states its transaction, and there is none yet (npm mppx, closeHttpSession).
        return { kind: 'managed', receipt: null };
      case 'done':
      case 'paid':
        return admitted(match.credential, { ...paid, reservation, held }, dependencies);
      default:
        return assertNever(paid);
    }
  } catch (error) {
    return undecided(reservation, error, dependencies);
  }
}

type Reservation = ReturnType<typeof newReservation>;

const newReservation = (
  { offer, name, longestMs }: ChannelRoute,
  held: HeldLease,
  { clock, releasedLimit }: ChannelRouteDependencies,
) => ({
  id: newSettlementId(clock.nowMs()),
  route: name,
  amount: offer.amount,
  closeToken: randomUUID(),
  longestMs,
  releasedLimit,
  lease: held.lease,
});

interface PaidFor {
  readonly kind: 'paid' | 'done';
  readonly channel: Channel;
  readonly txHash: string | null;
  readonly reservation: Reservation | null;
  readonly held: HeldLease;
}

function admitted(
  { challengeId }: ChannelCredential,
  { kind, channel, txHash, reservation, held }: PaidFor,
  { commits, clock }: ChannelRouteDependencies,
): ChannelAdmission {
  const facts = { channel, challengeId, txHash, nowMs: clock.nowMs() };
  if (kind === 'done' || reservation === null) return { kind: 'managed', receipt: channelReceipt(facts, 0n) };
  const { id, lease, closeToken, amount } = reservation;
  const session = createLiveSession(
    {
      id,
      lease,
      closeToken,
      cap: toAtomic(amount),
      metered: true,
      closesAtZero: false,
      keepsDurable: true,
      // What is charged becomes part of what the channel has earned; nothing is sent for a single request.
      bodyFor: () => '',
    },
    commits,
  );
  const receipt: GateReceipt = {
    header: RECEIPT_HEADER,
    value: (charged) => channelReceipt(facts, charged === undefined ? 0n : amount - charged),
  };
  return { kind: 'admitted', session, held, receipt };
}

/** A lost answer may have reserved: it is given back in the background, so that the payer does not lose it. */
function undecided(
  reservation: Reservation | null,
  error: unknown,
  { commits, log }: ChannelRouteDependencies,
): ChannelAdmission {
  log.error({ err: error }, 'a channel credential could not be dealt with: nothing was served or charged');
  if (reservation !== null) {
    const { id, lease, closeToken } = reservation;
    commits
      .submit({ kind: 'close', id, lease, closeToken, by: 'error', spent: toAtomic(0n), body: null, delivery: null })
      .catch(() => undefined);
  }
  return NO_LEDGER;
}

/** What is known of whoever gets a challenge, from the credential that it answers. */
export type ChallengedBy = Partial<Pick<Extract<ChannelAdmission, { kind: 'refused' }>, 'claims' | 'proof'>>;

/**
 * The route's session challenge, with hints where the request lets us know its channel. A voucher and its descriptor can be
 * used by whoever holds them: they are shown to whom the application says the channel belongs, or in answer to a voucher
 * that its payer alone can have signed.
 */
export async function challengeByChannel(
  request: PaidRequest,
  by: ChallengedBy,
  route: ChannelRoute,
  dependencies: ChannelRouteDependencies,
): Promise<string> {
  const { mpp, clock, credentialValidityMs: validityMs, log } = dependencies;
  let hints: JsonObject | undefined;
  try {
    hints = await hintsFor(request, by, route, dependencies);
  } catch (error) {
    // Without hints it is the challenge that anybody gets, and says nothing wrong.
    log.warn({ err: error }, 'a channel could not be looked up: its challenge goes out without hints');
  }
  const givenTo = by.proof?.channelId;
  return channelChallenge(route.offer, { path: route.path, hints, givenTo }, { mpp, clock, validityMs });
}

async function hintsFor(
  request: PaidRequest,
  { claims, proof }: ChallengedBy,
  { offer, identify }: ChannelRoute,
  { ledger }: ChannelRouteDependencies,
): Promise<JsonObject | undefined> {
  const identity = identify?.();
  const payload = objectAt(claims, 'payload');
  const header = request.req.headers['payment-session'];
  const channelId = parseChannelId(header) ?? parseChannelId(stringAt(payload, 'channelId'));
  const payer = stringAt(objectAt(payload, 'descriptor'), 'payer');
  for (const by of [
    channelId !== undefined && { channelId },
    identity !== undefined && { identity },
    payer !== undefined && { payer },
  ]) {
    const found = by ? await ledger.findReusableChannel(by, offer.terms) : undefined;
    if (!found) continue;
    const mine = identity !== undefined && identity === found.channel.identity;
    const proved = proof?.by === 'voucher' && proof.channelId === found.channel.id;
    return channelHints(found, isContentRequest(request) ? offer.amount : 0n, mine || proved);
  }
  return undefined;
}
