import type { IncomingHttpHeaders } from 'node:http';
import type { Protocol } from '../domain/settlements/settlement-status.js';
import { publicText } from './wire-json.js';

export interface FoundCredential {
  readonly protocol: Protocol;
  /** The header's value; for MPP without the scheme name. Secret. */
  readonly raw: string;
  /** As the client claims it; proves nothing until it is matched with one that we issued. */
  readonly paymentRequestId?: string;
  /** Which x402 header carried it; the content decides the version it is treated as. */
  readonly headerVersion?: 1 | 2;
}

/**
 * The credential of a request, in the ATXP SDK's order of precedence (packages/atxp-server/src/protocol.ts):
 * `X-ATXP-PAYMENT`, `PAYMENT-SIGNATURE` (x402 v2), `X-PAYMENT` (x402 v1), `Authorization: Payment …` (MPP).
 */
export function findCredential(headers: IncomingHttpHeaders): FoundCredential | undefined {
  const id = publicText(header(headers, 'x-atxp-payment-request-id'));
  const claim = id === undefined ? {} : { paymentRequestId: id };
  const atxp = header(headers, 'x-atxp-payment');
  if (atxp !== undefined) return { protocol: 'atxp', raw: atxp, ...claim };
  const v2 = header(headers, 'payment-signature');
  if (v2 !== undefined) return { protocol: 'x402', raw: v2, headerVersion: 2, ...claim };
  const v1 = header(headers, 'x-payment');
  if (v1 !== undefined) return { protocol: 'x402', raw: v1, headerVersion: 1, ...claim };
  const mpp = paymentScheme(header(headers, 'authorization'));
  return mpp === undefined ? undefined : { protocol: 'mpp', raw: mpp, ...claim };
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  const text = (Array.isArray(value) ? value.join(', ') : value)?.trim();
  return text === '' ? undefined : text;
}

/** Scheme names are case-insensitive and one header may carry several schemes (RFC 9110 §11.6.2). */
function paymentScheme(authorization: string | undefined): string | undefined {
  for (const part of authorization?.split(',') ?? []) {
    const credential = /^\s*payment\s+(\S.*)$/i.exec(part)?.[1]?.trim();
    if (credential !== undefined) return credential;
  }
  return undefined;
}
