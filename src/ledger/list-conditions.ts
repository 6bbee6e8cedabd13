import { firstIdAt } from '../domain/ids.js';

/** What a list is asked for: only what is asked for becomes part of its statement, so that each has a plan of its own. */
export class Conditions {
  readonly values: unknown[] = [];
  readonly #conditions: string[] = [];

  /** @returns the parameter that stands for it */
  value(value: unknown): string {
    return `$${this.values.push(value)}`;
  }

  /** @param condition in SQL, of the parameter; left out where nothing is asked for */
  where(value: unknown, condition: (parameter: string) => string): this {
    if (value !== undefined) this.#conditions.push(condition(this.value(value)));
    return this;
  }

  /** @param condition in SQL, whose parameters are its own affair; left out where nothing is asked for */
  whether<Value>(value: Value | undefined, condition: (value: Value) => string): this {
    if (value !== undefined) this.#conditions.push(condition(value));
    return this;
  }

  /** With its `WHERE`. */
  sql(...further: readonly string[]): string {
    const all = [...this.#conditions, ...further];
    return all.length === 0 ? '' : `WHERE ${all.join(' AND ')}`;
  }
}

export interface IdPage {
  /** ISO 8601: made at this moment or later, and before that one. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Of the last item of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Ids are in step with `created_at` within this (the SQL function `is_out_of_step`); the few others are looked for by an index of their own. */
const STEP_MS = 60_000;

/**
 * The ids of a page, newest first. A period is looked up by the ids themselves, which carry the time: neither what is newer nor what is older is
 * read, and the table needs no index by date.
 * @param table whose ids are UUIDv7, with a partial index on `id` for what `is_out_of_step`
 */
export function newestIds(table: string, conditions: Conditions, { since, until, before, limit }: IdPage): string {
  const page = before === undefined ? [] : [`id < ${conditions.value(before)}`];
  const most = conditions.value(limit);
  const read = (...further: readonly string[]) =>
    `SELECT id FROM ${table} ${conditions.sql(...page, ...further)} ORDER BY id DESC LIMIT ${most}`;
  if (since === undefined && until === undefined) return read();
  const period: string[] = [];
  const ids: string[] = [];
  if (since !== undefined) {
    period.push(`created_at >= ${conditions.value(since)}`);
    ids.push(`id >= ${conditions.value(firstIdAt(Date.parse(since) - STEP_MS))}`);
  }
  if (until !== undefined) {
    period.push(`created_at < ${conditions.value(until)}`);
    // The first id of the millisecond after the last that is in step.
    ids.push(`id < ${conditions.value(firstIdAt(Date.parse(until) + STEP_MS + 1))}`);
  }
  return `SELECT id FROM ((${read(...period, ...ids)}) UNION (${read(...period, 'is_out_of_step(id, created_at)')})) both_kinds
    ORDER BY id DESC LIMIT ${most}`;
}

export const waitsForAPerson = (waits: boolean): string => `attention_reason IS ${waits ? 'NOT NULL' : 'NULL'}`;

/** @param named whether one thing is asked for by its name: left out, it may be archived or not */
export const inArchive = (archived: boolean | undefined, named: boolean): string | undefined =>
  archived === undefined && named ? undefined : `archived_at IS ${archived ? 'NOT NULL' : 'NULL'}`;

/** The page itself. @param select with its FROM; `id` of what it selects */
export const pageOfIds = (select: string, id: string, ids: string): string =>
  `${select} WHERE ${id} = ANY (ARRAY(${ids})) ORDER BY ${id} DESC`;
