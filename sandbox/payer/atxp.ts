import { randomUUID } from 'node:crypto';
import type { PayerAccount } from './account.js';
import { encodeJson, type JsonLayout, type PaymentCredential } from './credential.js';

export interface AtxpCredentialOptions {
  readonly account: PayerAccount;
  /** A bearer secret; every credential gets a new one unless given. */
  readonly token?: string;
  /** Lifecycle id of the 402 that is answered, sent in X-ATXP-Payment-Request-Id. */
  readonly paymentRequestId?: string;
  /** What the buyer's account offers to pay with; amounts decimal. Absent: whatever the route asks. */
  readonly options?: readonly Readonly<Record<string, string>>[];
  readonly layout?: JsonLayout;
}

/** Header X-ATXP-PAYMENT: JSON `{sourceAccountId, sourceAccountToken, options?}`, not base64. */
export function atxpCredential(given: AtxpCredentialOptions): PaymentCredential {
  const content = {
    sourceAccountId: given.account.accountId,
    sourceAccountToken: given.token ?? `sandbox-token-${given.account.name}-${randomUUID()}`,
    ...(given.options && { options: given.options }),
  };
  const requestId = given.paymentRequestId;
  return {
    content,
    headers: {
      'X-ATXP-PAYMENT': encodeJson(content, given.layout),
      ...(requestId !== undefined && { 'X-ATXP-Payment-Request-Id': requestId }),
    },
  };
}
