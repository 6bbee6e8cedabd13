import { z } from 'zod';
import { ATTENTION_REASONS } from '../domain/decisions/attention.js';
import { parseOrderId } from '../domain/ids.js';

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

/** What every list can be asked for, beside its own filters. */
export const LIST_PARAMETERS = {
  needs_attention: z.enum(['true', 'false']).optional(),
  key: text(255).optional(),
  limit: z
    .string()
    .regex(/^([1-9][0-9]?|1[0-9]{2}|200)$/, { error: 'has to be a whole number from 1 to 200' })
    .default('50'),
  cursor,
};

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

/** @param found one more than `limit` where there is a next page */
export function pageOf<Item extends { readonly id: string }>(found: readonly Item[], limit: number): Page<Item> {
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  return { items, next_cursor: last ? toCursor(last.id) : null };
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
