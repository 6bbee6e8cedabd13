import { decodePaymentRequiredHeader } from '@x402/core/http';
import { Challenge } from 'mppx';
import type { X402Accept } from './x402.js';

/** Everything a 402 answer offers, by the header or body that says it. */
export interface PaymentOffers {
  readonly x402: {
    readonly 1?: { readonly accepts: readonly X402Accept[] };
    readonly 2?: { readonly accepts: readonly X402Accept[]; readonly resource?: Readonly<Record<string, unknown>> };
  };
  readonly atxp?: { readonly paymentRequestId?: string; readonly chargeAmount?: string };
  readonly mpp: readonly Challenge.Challenge[];
}

/** Reads a 402 answer; what it does not offer is absent. @throws Error when an offer is there and cannot be read */
export async function readOffers(response: Response): Promise<PaymentOffers> {
  const body = (await response
    .clone()
    .json()
    .catch(() => ({}))) as X402Body;
  const header = response.headers.get('payment-required');
  const second = header === null ? versioned(body, 2) : (decodePaymentRequiredHeader(header) as unknown as X402Body);
  const atxp = response.headers.get('x-atxp-payment-request');
  const first = versioned(body, 1);
  return {
    x402: { ...(first && { 1: first }), ...(second && { 2: second }) },
    ...(atxp !== null && { atxp: JSON.parse(atxp) as PaymentOffers['atxp'] }),
    mpp: response.headers.has('www-authenticate') ? Challenge.fromResponseList(response) : [],
  };
}

interface X402Body {
  readonly x402Version?: number;
  readonly accepts: readonly X402Accept[];
  readonly resource?: Readonly<Record<string, unknown>>;
}

const versioned = (body: X402Body, version: 1 | 2): X402Body | undefined =>
  body.x402Version === version && Array.isArray(body.accepts) ? body : undefined;
