import { createHash } from 'node:crypto';
import { BEFORE_FIRST, type ChainedEvent } from './chain.js';
import { openSealed, sealedLine } from './sealed-line.js';

/** How far the chain of an item had come: the digest of its event at that place. */
export type ChainHead = Pick<ChainedEvent, 'item_kind' | 'item_id' | 'place' | 'digest'>;

/**
 * Files outside Postgres, one a day, each with the heads of the items that have changed and a digest over the file before it. They are kept
 * in a directory; an object store can stand behind the same five lines.
 */
export interface AnchorStore {
  /** In order. */
  names(): Promise<readonly string[]>;
  read(name: string): AsyncIterable<Uint8Array>;
  /** The last bytes of it, so many at most. */
  readEnd(name: string, bytes: number): Promise<Uint8Array>;
  /** The whole of it or nothing, and never over one that is there. @throws AnchorExists */
  write(name: string, lines: AsyncIterable<string>): Promise<void>;
}

export class AnchorExists extends Error {}

const VERSION = 1;
const NAME = /^anchor-(\d{6,})-(\d{4}-\d{2}-\d{2})\.jsonl$/;

export const anchorName = (number: number, day: string): string =>
  `anchor-${String(number).padStart(6, '0')}-${day}.jsonl`;

/** @returns undefined: not a file of ours */
export function anchorOf(name: string): { readonly number: number; readonly day: string } | undefined {
  const [, number, day = ''] = NAME.exec(name) ?? [];
  return number === undefined ? undefined : { number: Number(number), day };
}

/** Where one file has ended, which says where the next one begins. */
export interface AnchorEnd {
  /** Events up to this number were looked at. */
  readonly reached: string;
  /** False: there was no time for more, and the next file goes on today. */
  readonly complete: boolean;
  /** What the complete file before it had reached: what was written meanwhile but committed later is looked at once more. */
  readonly earlier: string;
  /** So many events up to `earlier`, which no file looks at again; undefined: by an older version, which did not count. */
  readonly settled?: number;
  /** Of its last line, which holds one over all the others. */
  readonly digest: string;
}

export interface AnchorHead {
  readonly number: number;
  readonly day: string;
  readonly madeAt: string;
  /** The digest of the file before it, BEFORE_FIRST where it is the first. */
  readonly before: string;
}

/** A sequence can be made to count from there. */
export const BEFORE_ALL = String(-(2n ** 63n));

/** What the file after this one looks at: events after `after`. Undefined before: everything. */
export function nextAfter(end: AnchorEnd | undefined): { readonly after: string; readonly earlier: string } {
  if (!end) return { after: BEFORE_ALL, earlier: BEFORE_ALL };
  return end.complete ? { after: end.earlier, earlier: end.reached } : { after: end.reached, earlier: end.earlier };
}

export const anchorBefore = (end: AnchorEnd | undefined): string => end?.digest ?? BEFORE_FIRST;

/** Writes the lines of one file, each with its line break. */
export function createAnchorWriter({ number, day, madeAt, before }: AnchorHead) {
  const hash = createHash('sha256');
  let heads = 0;
  const counted = (line: string): string => {
    const whole = `${line}\n`;
    hash.update(whole);
    return whole;
  };
  return {
    begin: (): string =>
      counted(sealedLine({ makegood: 'anchor', version: VERSION, number, day, made_at: madeAt, before })),
    head({ item_kind, item_id, place, digest }: ChainHead): string {
      heads += 1;
      return counted(JSON.stringify({ item_kind, item_id, place, digest }));
    },
    end: (end: Omit<AnchorEnd, 'digest'>): string =>
      `${sealedLine({ end: true, heads, ...end, sha256: hash.digest('hex') })}\n`,
    heads: () => heads,
  };
}

/** The last line of a file. @returns undefined: it is none, or was changed */
export function anchorEndOf(
  line: string,
): (AnchorEnd & { readonly heads: number; readonly sha256: string }) | undefined {
  const fields = openSealed(line);
  return fields?.['end'] === true
    ? (fields as unknown as AnchorEnd & { readonly heads: number; readonly sha256: string })
    : undefined;
}

export function anchorHeadOf(line: string): AnchorHead | undefined {
  const fields = openSealed(line);
  if (fields?.['makegood'] !== 'anchor' || fields['version'] !== VERSION) return undefined;
  const { number, day, made_at: madeAt, before } = fields;
  return { number, day, madeAt, before } as AnchorHead;
}
