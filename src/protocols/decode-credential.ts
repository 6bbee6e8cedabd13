import { assertNever } from '../domain/assert-never.js';
import type { Protocol } from '../domain/settlements/settlement-status.js';
import { decodeAtxp } from './atxp.js';
import type { DecodedCredential, SettlementContext, Undecodable } from './credential.js';
import { asksNoPayment, decodeMpp } from './mpp.js';
import { decodeWireObject, MAX_CREDENTIAL_BYTES, undecodable } from './wire-json.js';
import { decodeX402 } from './x402.js';

/** USDC and its kin, the only assets that ATXP's decimal amounts are quoted in. */
const USUAL_DECIMALS = 6;

/**
 * Reads a credential as it came in its header, or as plain JSON. Total: whatever comes in, the answer is a value; it
 * verifies nothing. Decode with the same context and decimals wherever identities are compared.
 *
 * @param context what was offered; `paymentRequirements` decides scheme and network, and `paymentRequestId` belongs here
 *   only if we issued that id ourselves (it becomes part of an ATXP identity)
 * @param decimals of the offered asset, for the amounts that ATXP and its challenges write as decimals
 */
export function decodeCredential(
  protocol: Protocol,
  raw: string,
  context: SettlementContext = {},
  decimals: number = USUAL_DECIMALS,
): DecodedCredential | Undecodable {
  if (Buffer.byteLength(raw) > MAX_CREDENTIAL_BYTES) return undecodable('the credential is longer than 64 KiB');
  if (protocol === 'atxp') return decodeAtxp(raw, context, decimals);
  const decoded = decodeWireObject(protocol === 'mpp' ? withoutScheme(raw) : raw);
  if ('undecodable' in decoded) return decoded;
  switch (protocol) {
    case 'x402':
      return decodeX402(decoded.object, context);
    case 'mpp':
      return decodeMpp(decoded.object, decimals);
    default:
      return assertNever(protocol);
  }
}

/** Whether a credential is there to manage its channel: nothing can be charged on it. Of what cannot be read nobody knows. */
export function managesOnly(protocol: Protocol, raw: string): boolean {
  if (protocol !== 'mpp' || Buffer.byteLength(raw) > MAX_CREDENTIAL_BYTES) return false;
  const decoded = decodeWireObject(withoutScheme(raw));
  return 'object' in decoded && asksNoPayment(decoded.object);
}

const withoutScheme = (raw: string): string => raw.trim().replace(/^payment\s+/i, '');
