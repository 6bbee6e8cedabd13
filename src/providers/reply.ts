import type { UnclearClass } from '../domain/calls/answers.js';
import type { JsonObject } from '../domain/json.js';
import { isObject, parseJson } from '../protocols/wire-json.js';

/** What came back of one HTTP call, before it means anything. */
export type Reply =
  | {
      readonly kind: 'http';
      readonly status: number;
      readonly contentType: string | null;
      readonly retryAfter: string | null;
      /** The provider's own name for this call, for its support; undefined or null where it gives none. */
      readonly requestId?: string | null;
      /** Null: longer than we read. */
      readonly body: string | null;
    }
  | { readonly kind: 'failed'; readonly why: UnclearClass };

const LONGEST_WAIT_MS = 5 * 60_000;

export function jsonObject(body: string | null): JsonObject | undefined {
  const value = parseJson(body ?? '');
  return isObject(value) ? value : undefined;
}

/** Of a field that a provider sends as text or leaves out. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * Seconds or an HTTP date (RFC 9110 §10.2.3), at most five minutes; null: not stated, or not readable.
 * @param nowMs Unix milliseconds
 */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  const text = header?.trim() ?? '';
  const wait = /^[0-9]{1,15}$/.test(text)
    ? Number(text) * 1000
    : /^[A-Za-z]{3,9},? .*\d\d:\d\d:\d\d/.test(text)
      ? Date.parse(text) - nowMs
      : Number.NaN;
  return Number.isNaN(wait) ? null : Math.min(Math.max(wait, 0), LONGEST_WAIT_MS);
}
