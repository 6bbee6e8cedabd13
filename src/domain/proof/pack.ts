import { createHash } from 'node:crypto';
import { BEFORE_FIRST, type ChainedEvent, itemName } from './chain.js';
import { type Fields, fieldsOf, openSealed, sealedLine } from './sealed-line.js';

/** A proof pack: a line that says what it is, a line for each event in the order of items and places, a line that sums up. */

export const PACK_VERSION = 1;

export interface PackHead {
  /** Whole chains of these items; none: of every item what happened in the period. */
  readonly items: readonly string[];
  /** ISO 8601, the second one exclusive; null: without a bound. */
  readonly from: string | null;
  readonly to: string | null;
  readonly madeAt: string;
}

export interface PackEnd {
  readonly records: number;
  readonly items: number;
  /** Over every byte before this line. */
  readonly sha256: string;
}

/** An event with the digest before it, by which a period can begin in the middle of a chain. */
export interface PackedEvent extends ChainedEvent {
  readonly before: string;
}

const headLine = ({ items, from, to, madeAt }: PackHead): string =>
  sealedLine({ makegood: 'proof', version: PACK_VERSION, items, from, to, made_at: madeAt });

/** @returns undefined: it is no such line, or was changed */
export function headOf(line: string): (PackHead & { readonly version: unknown }) | undefined {
  const fields = openSealed(line);
  if (fields?.['makegood'] !== 'proof') return undefined;
  const { version, items, from, to, made_at: madeAt } = fields;
  return { version, items, from, to, madeAt } as PackHead & { version: unknown };
}

const IS_END = /^\{"summary":true,/;

const endLine = ({ records, items, sha256 }: PackEnd): string => sealedLine({ summary: true, records, items, sha256 });

export const isEnd = (line: string): boolean => IS_END.test(line);

export function endOf(line: string): PackEnd | undefined {
  const fields = openSealed(line);
  return fields?.['summary'] === true ? (fields as unknown as PackEnd) : undefined;
}

/** All of a record's line before its detail. */
const lead = (record: number, event: Omit<PackedEvent, 'detail' | 'digest'>): string => {
  const { before, item_kind, item_id, place, seq, at, kind, certainty, idempotency_key, answer_class } = event;
  const fields = { record, before, item_kind, item_id, place, seq, at: `${at}Z` };
  return `${JSON.stringify({ ...fields, kind, certainty, idempotency_key, answer_class }).slice(0, -1)},"detail":`;
};

const recordLine = (record: number, event: PackedEvent): string =>
  `${lead(record, event)}${event.detail},"digest":"${event.digest}"}`;

const RECORD_END = /,"digest":"([0-9a-f]{64})"\}$/;
const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

/**
 * Reads a record's line back, byte by byte as it was written: its detail is taken as it stands, because a parser would round its
 * numbers. @returns undefined: it is no such line
 */
export function recordOf(line: string): { readonly record: number; readonly event: PackedEvent } | undefined {
  const digest = RECORD_END.exec(line)?.[1];
  const fields = digest === undefined ? undefined : fieldsOf(line);
  const event = fields && leadOf(fields);
  const record = fields?.['record'];
  if (!event || digest === undefined || !isCount(record)) return undefined;
  const before = lead(record, event);
  if (!line.startsWith(before)) return undefined;
  const detail = line.slice(before.length, line.length - `,"digest":"${digest}"}`.length);
  return { record, event: { ...event, detail, digest } };
}

function leadOf(fields: Fields): Omit<PackedEvent, 'detail' | 'digest'> | undefined {
  const { before, item_kind, item_id, place, seq, at, kind, certainty, idempotency_key, answer_class } = fields;
  if (!isText(before) || !/^[0-9a-f]{64}$/.test(before) || !isText(item_kind) || !isText(item_id)) return undefined;
  if (!isCount(place) || !isText(seq) || !/^-?[0-9]+$/.test(seq) || !isText(at) || !at.endsWith('Z')) return undefined;
  if (!isText(kind) || !isTextOrNull(certainty) || !isTextOrNull(idempotency_key) || !isTextOrNull(answer_class))
    return undefined;
  const rest = { kind, certainty, idempotency_key, answer_class };
  return { before, item_kind, item_id, place, seq, at: at.slice(0, -1), ...rest };
}

/** Writes the lines of one pack, each with its line break. */
export function createPackWriter(head: PackHead) {
  const hash = createHash('sha256');
  let records = 0;
  let items = 0;
  let last: string | undefined;
  const counted = (line: string): string => {
    const whole = `${line}\n`;
    hash.update(whole);
    return whole;
  };
  return {
    begin: (): string => counted(headLine(head)),
    /** In the order of items by their bytes, then of places. */
    record(event: PackedEvent): string {
      records += 1;
      const item = itemName(event);
      if (item !== last) items += 1;
      last = item;
      return counted(recordLine(records, event));
    },
    end: (): string => `${endLine({ records, items, sha256: hash.digest('hex') })}\n`,
    counts: () => ({ records, items }),
  };
}

/** Whether a pack begins an item where it begins: of whole chains with the first event. */
export const beginsRight = ({ place, before }: PackedEvent): boolean => (place === 1) === (before === BEFORE_FIRST);
