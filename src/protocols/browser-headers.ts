/** Where clients put their credentials (find-credential.ts). */
export const CREDENTIAL_HEADERS = ['X-ATXP-Payment', 'PAYMENT-SIGNATURE', 'X-PAYMENT', 'Authorization'] as const;

/** What a page may send to a paid route: what the published clients of the three protocols send, and no more. */
export const BROWSERS_MAY_SEND: readonly string[] = [
  ...CREDENTIAL_HEADERS,
  'X-ATXP-Payment-Request-Id',
  // npm mppx
  'Accept-Payment',
  'Payment-Authorization',
  'Payment-Session',
  // npm @x402/extensions, before anything is paid
  'SIGN-IN-WITH-X',
  // npm @x402/fetch and x402-fetch: a header of responses, but they send it
  'Access-Control-Expose-Headers',
  'Content-Type',
  'X-Request-Id',
];

/** What a page may read of a paid route's answer: what to pay, what became of it, and when to come back. */
export const BROWSERS_MAY_READ: readonly string[] = [
  'X-ATXP-Payment-Request',
  'PAYMENT-REQUIRED',
  'PAYMENT-RESPONSE',
  'X-PAYMENT-RESPONSE',
  'WWW-Authenticate',
  'Payment-Receipt',
  'Payment-Session',
  'Payment-Session-Snapshot',
  'Settlement-Id',
  'Retry-After',
  'X-Request-Id',
];
