import { createHash } from 'node:crypto';
import { type AnchorHead, anchorEndOf, anchorHeadOf, anchorOf, type ChainHead } from './anchors.js';
import { fieldsOf } from './sealed-line.js';
import type { RawLine } from './verify-pack.js';

/** A file of anchors that is not as it was written, or is not there. */
export class AnchorBroken extends Error {
  readonly file: string;

  constructor(file: string, why: string) {
    super(`${file} ${why}`);
    this.file = file;
  }
}

/** Of a file that was found right. */
export interface ReadAnchor extends AnchorHead {
  readonly digest: string;
  /** False: the next file goes on with the same day. */
  readonly complete: boolean;
}

/**
 * Reads one file, and what it says of the file before it.
 * @param before the file before it, as it was read; undefined: it must be the first
 * @param onHead hears of each head before the file has been read to its end: what it makes of them counts only if nothing is thrown
 * @throws AnchorBroken
 */
export async function readAnchor(
  name: string,
  lines: AsyncIterable<RawLine>,
  { before, onHead }: { before: ReadAnchor | undefined; onHead: (head: ChainHead) => Promise<void> | void },
): Promise<ReadAnchor> {
  const hash = createHash('sha256');
  let head: AnchorHead | undefined;
  let heads = 0;
  let last: { readonly digest: string; readonly complete: boolean } | undefined;
  for await (const { number, text, whole } of lines) {
    const wrong = (why: string) => new AnchorBroken(name, `was changed: line ${number} ${why}`);
    if (last) throw wrong('follows the last one');
    if (text === null || !whole) throw wrong('is no whole line of text');
    if (!head) {
      head = anchorHeadOf(text);
      if (!head) throw wrong('is not the first line of an anchor of this version');
      checkHead(name, head, before);
    } else if (text.startsWith('{"end":true,')) {
      const end = anchorEndOf(text);
      if (!end || end.heads !== heads || end.sha256 !== hash.digest('hex'))
        throw wrong('does not sum up the lines before it');
      last = { digest: end.digest, complete: end.complete };
      continue;
    } else {
      const found = chainHeadOf(text);
      if (!found) throw wrong('is no head of a chain');
      heads += 1;
      await onHead(found);
    }
    hash.update(`${text}\n`);
  }
  if (!head || !last) throw new AnchorBroken(name, 'breaks off');
  return { ...head, ...last };
}

function checkHead(name: string, head: AnchorHead, before: ReadAnchor | undefined): void {
  const named = anchorOf(name);
  if (named?.number !== head.number || named.day !== head.day) throw new AnchorBroken(name, 'was renamed');
  const expected = (before?.number ?? 0) + 1;
  if (head.number !== expected)
    throw new AnchorBroken(name, `is number ${head.number}: number ${expected} is missing before it`);
  if (before && head.before !== before.digest)
    throw new AnchorBroken(name, `was made after another file than the number ${before.number} that is there`);
}

function chainHeadOf(text: string): ChainHead | undefined {
  const { item_kind, item_id, place, digest } = fieldsOf(text) ?? {};
  if (typeof item_kind !== 'string' || typeof item_id !== 'string' || typeof place !== 'number') return undefined;
  return typeof digest === 'string' ? { item_kind, item_id, place, digest } : undefined;
}
