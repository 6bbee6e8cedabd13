import { assertNever } from '../assert-never.js';
import { durationInWords } from '../durations.js';
import type { DisputeId, RefundId } from '../ids.js';

/** When a seller's share of a paid order may be sent: at once, when somebody says so, or so long after it was paid. */
export type ReleaseTerms =
  | { readonly kind: 'immediately' }
  | { readonly kind: 'on_request' }
  | { readonly kind: 'after'; readonly afterMs: number };

export const RELEASE_KINDS = ['immediately', 'on_request', 'after'] as const satisfies readonly ReleaseTerms['kind'][];
export type ReleaseKind = (typeof RELEASE_KINDS)[number];

export const IMMEDIATELY: ReleaseTerms = { kind: 'immediately' };

/** As in requests and answers. */
export type ReleaseTermsAnswer = 'immediately' | 'on_request' | { readonly after: string };

export const termsAnswer = (terms: ReleaseTerms): ReleaseTermsAnswer =>
  terms.kind === 'after' ? { after: durationInWords(terms.afterMs) } : terms.kind;

/** Of one transfer; times are ISO 8601. */
export interface Release {
  readonly kind: ReleaseKind;
  /** When it is released by itself; null: at no date. */
  readonly at: string | null;
  /** When it was, by its date or by somebody's word; null: not yet, or it never had to be. */
  readonly releasedAt: string | null;
}

/** What a transfer that is held waits for. */
export type HeldFor =
  | { readonly kind: 'release' }
  | { readonly kind: 'date'; readonly until: string }
  | { readonly kind: 'dispute'; readonly id: DisputeId }
  | { readonly kind: 'refund'; readonly id: RefundId };

/** In words that follow "it is held". */
export function heldInWords(held: HeldFor): string {
  switch (held.kind) {
    case 'release':
      return 'until somebody releases it (POST /api/v1/transfers/{id}/release)';
    case 'date':
      return `until ${held.until}, when it is released`;
    case 'dispute':
    case 'refund':
      return `until ${held.kind} ${held.id} of its order has ended`;
    default:
      return assertNever(held);
  }
}

/** So long nobody may release what waits for that alone, before a person is asked (RELEASE_OVERDUE). */
export const DEFAULT_RELEASE_OVERDUE_MS = 30 * 86_400_000;
