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
 * Conditions, order and length of a page, newest first. They take the four parameters from `$first` on, and then the limit.
 * @param time and id SQL expressions that an index has in this order
 */
export const pageOf = (time: string, id: string, first: number): string =>
  `AND ($${first}::timestamptz IS NULL OR ${time} >= $${first}) AND ($${first + 1}::timestamptz IS NULL OR ${time} < $${first + 1})
   AND ($${first + 2}::timestamptz IS NULL OR (${time}, ${id}) < ($${first + 2}, $${first + 3}))
   ORDER BY ${time} DESC, ${id} DESC LIMIT $${first + 4}`;

export const pageValues = ({ since, until, before, limit }: KeyPage): readonly unknown[] => [
  since ?? null,
  until ?? null,
  before?.at ?? null,
  before?.id ?? null,
  limit,
];
