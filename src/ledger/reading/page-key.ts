import type { Conditions } from '../list-conditions.js';

/** Where a page of a list ends whose items are not told apart by a UUID: when its last one came to be, and its name. */
export interface PageKey {
  /** ISO 8601, to the microsecond. */
  readonly at: string;
  readonly id: string;
}

export interface KeyPage {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly before?: PageKey | undefined;
  readonly limit: number;
}

/** To the microsecond: two of the same millisecond are told apart. @param time an SQL expression */
export const microseconds = (time: string): string =>
  `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/**
 * Conditions, order and length of a page, newest first.
 * @param time and id SQL expressions that an index has in this order, behind what the conditions compare
 */
export function pageOf(
  time: string,
  id: string,
  conditions: Conditions,
  { since, until, before, limit }: KeyPage,
): string {
  conditions
    .where(since, (value) => `${time} >= ${value}`)
    .where(until, (value) => `${time} < ${value}`)
    .whether(before, ({ at, id: last }) => `(${time}, ${id}) < (${conditions.value(at)}, ${conditions.value(last)})`);
  return `${conditions.sql()} ORDER BY ${time} DESC, ${id} DESC LIMIT ${conditions.value(limit)}`;
}
