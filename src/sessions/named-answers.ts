import { randomUUID } from 'node:crypto';
import type { DecodedCredential } from '../protocols/credential.js';
import { canonicalJson, sha256 } from '../protocols/wire-json.js';
import type { Admission, AdmissionRequest, AdmitDependencies } from './admission.js';
import { keptAnswer } from './gate/answer-record.js';
import { readAlone } from './offers/match-offer.js';
import { identifierOf } from './offers/payment-identifier.js';
import { receiptOf } from './offers/payment-response.js';
import { type AnswerName, type NamedAnswer, NO_LEDGER } from './session-ledger.js';

/** Of a request that is bound to its payment; what asks for more than this is not named. */
const MOST_BODY_BYTES = 1024 * 1024;

/** A payment that names its answer, as it was sent: nothing of it was verified. */
export interface Named {
  readonly credential: DecodedCredential;
  /** Of the payer and the name, so that nobody takes a name away from somebody else. */
  readonly nameSha256: string;
}

/** @returns undefined: it gives no name, or this route keeps nothing under one */
export function namedBy({ found, terms }: AdmissionRequest, { match }: AdmitDependencies): Named | undefined {
  if (terms.replay === undefined || found.protocol !== 'x402') return undefined;
  const { read } = readAlone(found, match);
  const id = read && identifierOf(read.credential.content);
  if (read === undefined || id === undefined) return undefined;
  return { credential: read.credential, nameSha256: sha256(canonicalJson([read.credential.account, id])) };
}

/** What a new session is opened under. */
export async function nameOf(named: Named | undefined, request: AdmissionRequest): Promise<AnswerName | undefined> {
  const { replay } = request.terms;
  if (named === undefined || replay === undefined) return undefined;
  const requestSha256 = await requestOf(named, request);
  return requestSha256 === undefined
    ? undefined
    : { nameSha256: named.nameSha256, requestSha256, keepMs: replay.forMs };
}

/**
 * What was bought under this name before. It is looked up before anything of the payment is verified, because a payment that
 * has settled, or has expired, cannot be verified any more: so it is had only by the very same payment for the very same request.
 *
 * @returns undefined: nothing, or nothing that is worth more than the payment itself
 */
export async function boughtBefore(
  named: Named,
  request: AdmissionRequest,
  dependencies: AdmitDependencies,
): Promise<Admission | undefined> {
  const { ledger, log } = dependencies;
  try {
    const bought = await ledger.findNamedAnswer(named.nameSha256);
    if (bought === undefined) return undefined;
    if (bought.requestSha256 !== (await requestOf(named, request))) return { kind: 'name_used' };
    const again = worthOf(bought, named.credential.version ?? 2);
    // Its first answer may be breaking off right now, and what is not billed for that is not given here.
    if (again?.kind === 'again' && bought.status === 'pending' && !(await ledger.hadAgain(bought)))
      return await boughtBefore(named, request, dependencies);
    // It was due, and is had: nobody has it made a second time.
    if (again?.kind === 'again' && bought.answer === 'due') await ledger.giveAnswer(bought.id, randomUUID());
    return again;
  } catch (error) {
    log.warn({ err: error }, 'it is not known what was bought under a name: the payer was asked to come back');
    return NO_LEDGER;
  }
}

function worthOf(bought: NamedAnswer, version: 1 | 2): Admission | undefined {
  const { id, status, answer, kept } = bought;
  if (status === 'open') return { kind: 'under_way', id };
  const isHeldBack = answer !== null && status !== 'settled';
  if (isHeldBack && status !== 'written_off') return { kind: 'undecided', id };
  const receipt = status === 'settled' ? receiptOf(bought, version) : {};
  if (kept !== null && !isHeldBack) return { kind: 'again', id, answer: keptAnswer(kept), receipt };
  // Not kept, and due or being given: it is made once more.
  if (answer === 'due' || answer === 'serving') return undefined;
  return { kind: 'used', id, receipt };
}

/** Everything that was asked for, and with what: the payment to the letter, method, URL and body. */
async function requestOf({ credential }: Named, request: AdmissionRequest): Promise<string | undefined> {
  const body = await request.body.digest(MOST_BODY_BYTES);
  if (body === undefined) return undefined;
  const { method, presented } = request;
  return sha256(canonicalJson({ payment: credential.content, method, url: presented.resource.url, body }));
}
