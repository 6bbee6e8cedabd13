import { z } from 'zod';
import { parseDuration } from '../../domain/durations.js';
import { RELEASE_KINDS, type ReleaseTerms } from '../../domain/marketplace/releases.js';
import { timestamp } from '../schema-parts.js';

/** When a seller's share may be sent: as it is asked for, and as it is answered. */

/** As of every setting that is a duration. */
const LONGEST_RELEASE_MS = 365 * 86_400_000;

export const RELEASE_IS =
  "When a seller's share may be sent: `immediately` (default), `on_request` (POST /api/v1/transfers/{id}/release), or so long after the order was paid.";

const DELAY_IS = 'has to be a whole number and one of ms, s, m, h, d, such as "7d", at most 365d';

export const releaseIn = z.union(
  [
    z.enum(['immediately', 'on_request']),
    z.strictObject({
      after: z
        .string()
        .refine(isReleaseDelay, { error: DELAY_IS })
        .describe('A whole number and one of ms, s, m, h, d; at most 365d.'),
    }),
  ],
  {
    error:
      'has to be "immediately", "on_request" or {"after": "7d"}: a whole number and one of ms, s, m, h, d, at most 365d',
  },
);

function isReleaseDelay(raw: string): boolean {
  const ms = parseDuration(raw) ?? 0;
  return ms >= 1 && ms <= LONGEST_RELEASE_MS;
}

export function termsOf(asked: z.output<typeof releaseIn>): ReleaseTerms {
  return typeof asked === 'string' ? { kind: asked } : { kind: 'after', afterMs: parseDuration(asked.after) ?? 0 };
}

export const releaseTermsOut = z
  .union([z.enum(['immediately', 'on_request']), z.object({ after: z.string() })])
  .describe("When its seller's share may be sent.");

export const releaseOut = z
  .object({
    kind: z.enum(RELEASE_KINDS),
    at: timestamp.nullable().describe('When it is released by itself; null: at no date.'),
    released_at: timestamp
      .nullable()
      .describe('When it was, by its date or by somebody; null: not yet, or it never had to be.'),
  })
  .describe('When it may be sent.');

export const heldOut = z
  .object({
    for: z.enum(['release', 'date', 'dispute', 'refund']),
    id: z.string().nullable().describe('Of the dispute or refund whose end it waits for.'),
    until: timestamp.nullable(),
    detail: z.string(),
  })
  .nullable()
  .describe('What it waits for while it is held; null: it is not held, or is about to be let go.');
