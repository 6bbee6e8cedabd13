import type { JsonObject } from '../../domain/json.js';

/** What a payment request is made for; its id is for nothing else. */
export interface PaymentRequestTerms {
  readonly options: readonly JsonObject[];
  readonly destinationAccountId?: string;
}

/** What the auth server does for a challenge. Moves no money. */
export interface PaymentRequests {
  createPaymentRequest(
    input: PaymentRequestTerms & { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<PaymentRequestOutcome>;
}

export type PaymentRequestOutcome =
  | { readonly kind: 'created'; readonly id: string }
  | { readonly kind: 'unavailable'; readonly detail: string };
