import { z } from 'zod';
import { ATTENTION_REASONS } from '../domain/decisions/attention.js';
import { parseOrderId } from '../domain/ids.js';
import type { PageKey } from '../ledger/reading/page-key.js';

/** What requests and answers of every kind are made of. */

export const text = (maxLength: number) => z.string().min(1).max(maxLength);

/** A person reads it later: it has to say something. */
export const note = text(2000).regex(/\S/, { error: 'says nothing' });

/** The cursor is opaque to clients; inside is the id of the last item of the page before. */
const cursor = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,100}$/, { error: 'is not a cursor of ours' })
  .transform((encoded, context) => {
    const id = Buffer.from(encoded, 'base64url').toString('utf8');
    // Every kind of id has the same form.
    if (parseOrderId(id) !== undefined) return id;
    context.addIssue('is not a cursor of ours');
    return z.NEVER;
  })
  .optional()
  .describe('next_cursor of the page before.');

const toCursor = (id: string): string => Buffer.from(id, 'utf8').toString('base64url');

const pageKey = z.tuple([z.iso.datetime({ precision: 6 }).regex(/^(?!0000)/), z.string().min(1).max(300)]);

export const keyCursor = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,600}$/, { error: 'is not a cursor of ours' })
  .transform((encoded, context): PageKey => {
    const key = pageKey.safeParse(parsed(Buffer.from(encoded, 'base64url').toString('utf8')));
    if (key.success && !key.data[1].includes('\0')) return { at: key.data[0], id: key.data[1] };
    context.addIssue('is not a cursor of ours');
    return z.NEVER;
  })
  .optional()
  .describe('next_cursor of the page before.');

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

export const limit = z
  .string()
  .regex(/^([1-9][0-9]?|1[0-9]{2}|200)$/, { error: 'has to be a whole number from 1 to 200' })
  .default('50');

/** Of whatever offset; the ledger knows fewer, and no year 0. */
const moment = z.iso.datetime({ offset: true }).transform((given, context) => {
  const utc = new Date(given).toISOString();
  if (/^(?!0000)\d{4}-/.test(utc)) return utc;
  context.addIssue('is no moment of this era');
  return z.NEVER;
});

/** Of when an item came to be. */
export const period = {
  since: moment.optional().describe('Made at this moment or later.'),
  until: moment.optional().describe('Made before this moment.'),
};

export const currencyFilter = z
  .string()
  .regex(/^[A-Za-z]{3}$/, { error: 'has to be a currency of three letters, for example "USD"' })
  .transform((code) => code.toUpperCase())
  .optional();

/** What every list of money can be asked for, beside its own filters. */
export const LIST_PARAMETERS = {
  needs_attention: z.enum(['true', 'false']).optional(),
  reason: z.enum(ATTENTION_REASONS).optional().describe('Only what waits for a person for this reason.'),
  key: text(255).optional(),
  archived: z
    .enum(['true', 'false'])
    .optional()
    .describe(
      'Only what retention has put aside, or only what it has not. Left out: not archived; with key or order_id whatever there is.',
    ),
  ...period,
  limit,
  cursor,
};

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

/** @param found one more than `most` where there is a next page */
export function pageOf<Item extends { readonly id: string }>(found: readonly Item[], most: number): Page<Item> {
  const items = found.slice(0, most);
  const last = found.length > most ? items.at(-1) : undefined;
  return { items, next_cursor: last ? toCursor(last.id) : null };
}

/** The same where items are told apart by a key. @param found one more than `most` where there is a next page */
export function keyPageOf<Found extends { readonly key: PageKey }, Item>(
  found: readonly Found[],
  most: number,
  answer: (found: Found) => Item,
): Page<Item> {
  const last = found.length > most ? found[most - 1] : undefined;
  const next = last && Buffer.from(JSON.stringify([last.key.at, last.key.id]), 'utf8').toString('base64url');
  return { items: found.slice(0, most).map(answer), next_cursor: next ?? null };
}

export const wanted = (flag: 'true' | 'false' | undefined): boolean | undefined =>
  flag === undefined ? undefined : flag === 'true';

export const listAnswer = (item: z.ZodType) => z.object({ items: z.array(item), next_cursor: z.string().nullable() });

export const timestamp = z.iso.datetime();

export const attention = z
  .object({ reason: z.enum(ATTENTION_REASONS), since: timestamp, detail: z.string() })
  .nullable();

export const NoteRequest = z.strictObject({ note });
export type NoteRequest = z.output<typeof NoteRequest>;
