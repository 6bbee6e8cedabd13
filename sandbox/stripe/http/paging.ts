import type { ListObject } from './objects.js';
import { invalid, missing, type Problem } from './problems.js';

export const PAGE_PARAMS = {
  limit: { kind: 'limit' },
  starting_after: { kind: 'text' },
  ending_before: { kind: 'text' },
} as const;

export interface PageValues {
  readonly limit: number | undefined;
  readonly starting_after: string | undefined;
  readonly ending_before: string | undefined;
}

export interface Listing<Row> {
  readonly what: string;
  readonly url: string;
  /** Everything a cursor may name, whether the filter lets it through or not. */
  readonly oldestFirst: readonly Row[];
  readonly matches: (row: Row) => boolean;
}

/** Newest first, ten unless asked otherwise (docs.stripe.com/api/pagination). */
export function pageOf<Row extends { readonly id: string }, T>(
  { what, url, oldestFirst, matches }: Listing<Row>,
  { limit = 10, starting_after, ending_before }: PageValues,
  toObject: (row: Row) => T,
): ListObject<T> | { readonly problem: Problem } {
  if (starting_after !== undefined && ending_before !== undefined) {
    return { problem: invalid('Only one of starting_after and ending_before can be given.', PARAMS_EXCLUSIVE) };
  }
  const param = starting_after === undefined ? 'ending_before' : 'starting_after';
  const cursor = starting_after ?? ending_before;
  const rows = Array.from(oldestFirst).reverse();
  const at = cursor === undefined ? -1 : rows.findIndex(({ id }) => id === cursor);
  if (cursor !== undefined && at < 0) return { problem: missing(what, cursor, param) };

  const candidates = (ending_before === undefined ? rows.slice(at + 1) : rows.slice(0, at)).filter(matches);
  const page = ending_before === undefined ? candidates.slice(0, limit) : candidates.slice(-limit);
  return { object: 'list', data: page.map(toObject), has_more: candidates.length > limit, url };
}

const PARAMS_EXCLUSIVE = { code: 'parameters_exclusive', param: 'ending_before' };
