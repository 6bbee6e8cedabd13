import { assertNever } from '../domain/assert-never.js';
import { parseChannelId } from '../domain/channels/channel.js';
import type { ChannelProblem } from '../domain/channels/channel-problems.js';
import { newSettlementId } from '../domain/ids.js';
import { toAtomic } from '../domain/money.js';
import { settleBody } from '../protocols/settle-body.js';
import { objectAt, stringAt } from '../protocols/wire-json.js';
import type { Admission, AdmissionRequest, AdmitDependencies, Matched } from './admission.js';
import { readMppContent } from './channels/match-channel.js';
import { readOpaque } from './offers/challenge-opaque.js';
import type { ReadCredential } from './offers/match-offer.js';
import { contentOf, contentsOf } from './open-session.js';
import { NO_LEDGER } from './session-ledger.js';
import { verifyCredential } from './verify-credential.js';

/**
 * A top-up or a close of a channel that the auth server settles. Nothing is served and nothing charged for it: it is verified,
 * made durable as a settlement of nothing, and answered 204.
 */
export async function manageVoucherChannel(
  match: Matched,
  request: AdmissionRequest,
  dependencies: AdmitDependencies,
): Promise<Admission> {
  try {
    return (await cameBefore(match, request, dependencies)) ?? (await manage(match, request, dependencies));
  } catch (error) {
    dependencies.log.error({ err: error }, 'a channel could not be managed: nothing was promised to its payer');
    return NO_LEDGER;
  }
}

/** It is not accepted now, or not to be decided: what was done is answered all the same. */
export async function managedBefore(
  read: ReadCredential,
  request: AdmissionRequest,
  dependencies: AdmitDependencies,
  otherwise: Admission,
): Promise<Admission> {
  try {
    return (await cameBefore(read, request, dependencies)) ?? otherwise;
  } catch (error) {
    dependencies.log.warn(
      { err: error },
      'it is not known whether a channel was managed: the payer was asked to come back',
    );
    return NO_LEDGER;
  }
}

/**
 * An answer may have been lost: what was done is answered as the first time, to whoever shows the very same credential. The
 * amount of a voucher and a transaction are for everybody to read.
 */
async function cameBefore(
  read: ReadCredential,
  request: AdmissionRequest,
  { ledger }: AdmitDependencies,
): Promise<Admission | undefined> {
  const { credential } = read;
  const earlier = await ledger.findEarlierUse(credential.identity);
  if (earlier === undefined || earlier.status === 'written_off') return undefined;
  if (!contentsOf(read, request).includes(earlier.contentSha256)) return undefined;
  const { id, status } = earlier;
  return credential.manages === 'close' || status === 'settled' ? { kind: 'managed', id } : { kind: 'undecided', id };
}

async function manage(match: Matched, request: AdmissionRequest, dependencies: AdmitDependencies): Promise<Admission> {
  const verified = await verifyCredential(match, dependencies);
  switch (verified.kind) {
    case 'unreachable':
      return { kind: 'unavailable', why: 'the auth server cannot be reached' };
    case 'invalid':
      return refused('verification-failed', 'The auth server did not accept the credential.');
    case 'valid':
      return match.credential.manages === 'close'
        ? close(match, request, dependencies)
        : topUp(match, request, dependencies);
    default:
      return assertNever(verified);
  }
}

/** The deposit must be there before the next voucher draws on it: it is settled first, and answered by what became of it. */
async function topUp(match: Matched, request: AdmissionRequest, dependencies: AdmitDependencies): Promise<Admission> {
  const { ledger, settleNow, dispatch } = dependencies;
  const settlement = settlementOf(match, request, dependencies);
  const { id } = settlement;
  const { channel } = match.credential;
  if (channel === undefined) return refused('invalid-payload', 'The top-up names no channel.');
  const begun = await ledger.beginTopUp({ ...settlement, channel });
  switch (begun) {
    case 'begun':
      break;
    case 'came_before':
      return (await cameBefore(match, request, dependencies)) ?? refused('verification-failed', TOPPED_UP_BEFORE);
    case 'channel_closes':
      return refused('session/channel-finalized', CHANNEL_CLOSES);
    default:
      return assertNever(begun);
  }
  const outcome = await settleNow(id).catch(() => 'unknown' as const);
  switch (outcome) {
    case 'settled':
      return { kind: 'managed', id };
    case 'refused':
      return refused('verification-failed', 'The auth server refused the top-up.');
    case 'unknown':
      dispatch(id);
      return { kind: 'undecided', id };
    default:
      return assertNever(outcome);
  }
}

async function close(match: Matched, request: AdmissionRequest, dependencies: AdmitDependencies): Promise<Admission> {
  const { credential } = match;
  const { voucher, content } = credential;
  if (voucher === null) return refused('invalid-payload', 'The close carries no voucher.');
  const challenge = objectAt(content, 'challenge');
  const outcome = await dependencies.ledger.closeVoucherChannel({
    ...settlementOf(match, request, dependencies),
    voucher,
    challengeId: stringAt(challenge, 'id') ?? '',
    givenToPayer: readOpaque({ opaque: stringAt(challenge, 'opaque') }).givenTo === voucher.channel,
  });
  switch (outcome.kind) {
    case 'closing':
      dependencies.dispatch(outcome.id);
      return { kind: 'managed', id: outcome.id };
    case 'channel_closes':
      return refused('session/channel-finalized', CHANNEL_CLOSES);
    case 'refused_before':
      return refused(
        'verification-failed',
        'This close was refused before, and the channel sells: close with a higher voucher.',
      );
    case 'unknown_channel':
      return refused('session/channel-not-found', 'Nothing was paid from this channel here.');
    case 'unproven':
      return refused('session/close-unproven', CLOSE_UNPROVEN);
    case 'voucher_spent':
      return refused(
        'session/insufficient-balance',
        'The voucher of the close covers less than what the channel has paid and owes; close with the highest one.',
      );
    default:
      return assertNever(outcome);
  }
}

const CHANNEL_CLOSES = 'The channel is closed already, or its close is under way.';

const TOPPED_UP_BEFORE =
  'The transaction of this top-up came before: it was refused, or came in another credential. Send that credential again to ' +
  'hear what became of it.';

const CLOSE_UNPROVEN =
  'The voucher of this close was sent for settlement, so anybody can have it. Close with a higher one, or answer the ' +
  'challenge that the channel was last paid with.';

const refused = (problem: ChannelProblem, detail: string): Admission => ({
  kind: 'refused',
  refusal: { problem, detail },
});

function settlementOf(match: Matched, request: AdmissionRequest, { clock }: AdmitDependencies) {
  const { offer, credential, context } = match;
  return {
    id: newSettlementId(clock.nowMs()),
    key: credential.identity,
    identity: credential.identity,
    contentSha256: contentOf(match, request),
    protocol: credential.protocol,
    asset: offer.asset,
    decimals: offer.decimals,
    lookup: credential.lookup,
    context: { ...context },
    expiresAtMs: null,
    route: request.route,
    body: settleBody({ credential, context, spent: toAtomic(0n), decimals: offer.decimals }),
  };
}

/**
 * Whoever answers the challenge that a channel was paid with is its payer, also when that challenge has expired: the next one
 * says so, and can be closed with. @returns the channel
 */
export async function payerOfExpired(raw: string, { ledger, log }: AdmitDependencies): Promise<string | undefined> {
  const content = readMppContent(raw);
  const channel = parseChannelId(stringAt(objectAt(content, 'payload'), 'channelId'));
  const challengeId = stringAt(objectAt(content, 'challenge'), 'id');
  if (channel === undefined || challengeId === undefined) return undefined;
  try {
    return (await ledger.answeredByVoucher(channel, challengeId)) ? channel : undefined;
  } catch (error) {
    log.warn({ err: error }, 'it is not known who answers an expired challenge: nothing is said of it');
    return undefined;
  }
}
