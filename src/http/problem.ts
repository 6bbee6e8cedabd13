import type { z } from 'zod';

interface ProblemKind {
  readonly status: number;
  readonly title: string;
}

/** Every error this API can answer with, and the only place that gives an error its status. */
export const PROBLEMS = {
  malformed_json: { status: 400, title: 'The body is not JSON' },
  invalid_request: { status: 400, title: 'The request is not valid' },
  idempotency_key_required: { status: 400, title: 'The header Idempotency-Key is needed' },
  invalid_signature: { status: 400, title: 'This is no event that was signed for us' },
  unauthorized: { status: 401, title: 'A valid token is needed' },
  forbidden: { status: 403, title: 'This token may not do that' },
  self_approval: { status: 403, title: 'A second person has to approve' },
  csrf_token_missing: { status: 403, title: 'The header X-CSRF-Token is needed' },
  foreign_origin: { status: 403, title: 'The request came from a page of somebody else' },
  not_found: { status: 404, title: 'There is nothing here' },
  method_not_allowed: { status: 405, title: 'This method is not offered here' },
  key_conflict: { status: 409, title: 'The key was used for another request' },
  credential_already_used: { status: 409, title: 'The credential was used under another key' },
  not_waiting: { status: 409, title: 'The item is not waiting for a decision' },
  changed_since: { status: 409, title: 'It is not as it was seen' },
  request_in_flight: { status: 409, title: 'The same request is still being worked on' },
  payment_closed: { status: 409, title: 'The payment is closed' },
  payment_differs: { status: 409, title: 'The payment was made otherwise' },
  payment_not_capturable: { status: 409, title: 'Nothing can be captured of the payment' },
  payment_not_cancelled: { status: 409, title: 'The payment is not called off' },
  capture_exceeds_payment: { status: 409, title: 'More than is left to be captured' },
  capture_refused: { status: 409, title: 'It was not captured' },
  order_not_paid: { status: 409, title: 'The order is not paid' },
  refund_exceeds_paid: { status: 409, title: 'More than is left to be refunded' },
  refund_elsewhere: { status: 409, title: 'Refunds of this payment are made at its provider' },
  payment_taken: { status: 409, title: 'The order or the payment is taken' },
  already_completed: { status: 409, title: 'The transfer was completed' },
  transfer_ended: { status: 409, title: 'Nothing of the transfer is to be sent' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body has to be JSON' },
  spent_over_cap: { status: 422, title: 'More was spent than the credential allows' },
  idempotency_key_reused: { status: 422, title: 'The key stands for another request' },
  external_unfit: { status: 422, title: 'What the provider holds does not fit' },
  wrong_action: { status: 422, title: 'This action does not fit the item' },
  decision_refused: { status: 422, title: 'The decision cannot be applied' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal_error: { status: 500, title: 'Something is wrong on our side' },
  not_configured: { status: 503, title: 'This feature is not configured' },
  ledger_unavailable: { status: 503, title: 'The ledger does not answer' },
  payment_unknown: { status: 503, title: 'Nobody knows yet whether the payment was made' },
  provider_unavailable: { status: 503, title: 'The provider does not answer' },
  not_ready: { status: 503, title: 'The server is not ready' },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

/** What is wrong with one member; the pointer is RFC 6901 into the body, or `/name` of a query parameter or header. */
export interface FieldError {
  readonly pointer: string;
  readonly message: string;
}

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly errors?: readonly FieldError[];
  readonly request_id: string;
}

export interface ProblemExtras {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the document. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Thrown anywhere below a route and answered as a problem document. */
export class HttpProblem extends Error {
  readonly code: ProblemCode;
  readonly extras: ProblemExtras;

  /** @param detail what happened, what it means for the money, what to do; shown to the client */
  constructor(code: ProblemCode, detail: string, extras: ProblemExtras = {}) {
    super(detail, { cause: extras.cause });
    this.name = 'HttpProblem';
    this.code = code;
    this.extras = extras;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  document(requestId: string): ProblemDocument {
    const { status, title } = PROBLEMS[this.code];
    const { errors, members } = this.extras;
    return {
      type: `urn:makegood:problem:${this.code}`,
      title,
      status,
      detail: this.message,
      code: this.code,
      ...(errors === undefined ? {} : { errors }),
      ...members,
      request_id: requestId,
    };
  }
}

/** Every 503 says when to come back. */
export const retryAfter = (seconds: number): Readonly<Record<string, string>> => ({
  'Retry-After': String(Math.max(1, Math.ceil(seconds))),
});

export const pointerTo = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** One entry per wrong member; an unknown one is pointed at itself, not at the object that holds it. */
export function fieldErrors(error: z.ZodError): readonly FieldError[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ pointer: pointerTo([...issue.path, key]), message: 'is not known here' }))
      : [{ pointer: pointerTo(issue.path), message: issue.message }],
  );
}
