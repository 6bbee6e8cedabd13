import { createHash } from 'node:crypto';
import { BEFORE_FIRST, brokenLink, type ChainedEvent, itemName, type Link, type Problem } from './chain.js';
import {
  beginsRight,
  endOf,
  headOf,
  isEnd,
  PACK_VERSION,
  type PackEnd,
  type PackedEvent,
  type PackHead,
  recordOf,
} from './pack.js';

/** One line of a file as its bytes are. */
export interface RawLine {
  /** Counted from 1. */
  readonly number: number;
  /** Without its line break; null: not UTF-8, or far longer than any line of ours. */
  readonly text: string | null;
  /** False of a last line that no line break ends. */
  readonly whole: boolean;
}

/** The first thing in a pack that is not as it was made. */
export interface PackFinding {
  readonly problem: Problem;
  /** Where in the file; of what is missing, where it should be. */
  readonly line: number;
  /** Counted from 1; null: it is about the first or the last line. */
  readonly record: number | null;
  readonly item: string | null;
  readonly place: number | null;
  readonly detail: string;
}

export interface PackVerdict {
  readonly head: PackHead | undefined;
  /** Found right, up to the first finding. */
  readonly records: number;
  readonly items: number;
  /** Of a pack without a finding: what its last line states, by which two packs can be told apart. */
  readonly sha256: string | undefined;
  readonly finding: PackFinding | undefined;
}

/** Walks through a pack once, with nothing but it: no database, and no more than two lines in memory. */
export async function verifyPack(
  lines: AsyncIterable<RawLine>,
  onRecord: (count: number) => void = () => undefined,
): Promise<PackVerdict> {
  const walk = new PackWalk(withNext(lines));
  const ended = await walk.toItsEnd(onRecord);
  const { head, records, items } = walk;
  return 'end' in ended
    ? { head, records, items, sha256: ended.end.sha256, finding: undefined }
    : { head, records, items, sha256: undefined, finding: ended };
}

interface Step {
  readonly line: RawLine;
  readonly next: RawLine | undefined;
}

async function* withNext(lines: AsyncIterable<RawLine>): AsyncGenerator<Step> {
  let line: RawLine | undefined;
  for await (const next of lines) {
    if (line) yield { line, next };
    line = next;
  }
  if (line) yield { line, next: undefined };
}

const recordAt = (line: RawLine | undefined) => (line?.text ? recordOf(line.text) : undefined);

class PackWalk {
  readonly #steps: AsyncGenerator<Step>;
  readonly #hash = createHash('sha256');
  #last: PackedEvent | undefined;
  #line = 0;
  head: PackHead | undefined;
  records = 0;
  items = 0;

  constructor(steps: AsyncGenerator<Step>) {
    this.#steps = steps;
  }

  async toItsEnd(onRecord: (count: number) => void): Promise<PackFinding | { readonly end: PackEnd }> {
    for await (const step of this.#steps) {
      const { number, text, whole } = step.line;
      this.#line = number;
      if (text === null) return this.#broken('changed', 'this line is no text that was written here');
      if (!whole) return this.#broken('missing', 'the file breaks off within this line');
      if (this.head && isEnd(text)) return this.#summed(text, step.next);
      const finding = this.head ? await this.#follows(text, step) : this.#begins(text);
      if (finding) return finding;
      this.#hash.update(`${text}\n`);
      onRecord(this.records);
    }
    this.#line += 1;
    return this.#broken('missing', 'the file ends before the line that sums it up');
  }

  /** About the line that is read now: the first, the last, or that of the next record. */
  #broken(problem: Problem, detail: string, event?: Pick<ChainedEvent, 'item_kind' | 'item_id' | 'place'>) {
    return {
      problem,
      line: this.#line,
      record: this.head ? this.records + 1 : null,
      item: event ? itemName(event) : null,
      place: event?.place ?? null,
      detail,
    };
  }

  #begins(text: string): PackFinding | undefined {
    const head = headOf(text);
    if (!head) return this.#broken('changed', 'the first line is not that of a proof pack, or was changed');
    if (head.version !== PACK_VERSION)
      return this.#broken('changed', `the pack has version ${String(head.version)}; this build reads ${PACK_VERSION}`);
    this.head = head;
    return undefined;
  }

  async #follows(text: string, { next }: Step): Promise<PackFinding | undefined> {
    const read = recordOf(text);
    if (!read) return this.#broken('changed', 'this line is not a record as it was written');
    const { record, event } = read;
    if (record !== this.records + 1) return await this.#misplaced(record, event, next);
    const finding = this.#linked(event);
    if (finding) return finding;
    if (!this.#last || itemName(event) !== itemName(this.#last)) this.items += 1;
    this.records += 1;
    this.#last = event;
    return undefined;
  }

  #linked(event: PackedEvent): PackFinding | undefined {
    const link = this.#linkTo(event);
    if (link === 'out_of_order')
      return this.#broken(link, `the records of ${itemName(event)} belong before those of another item`, event);
    const broken = brokenLink(event, link);
    if (broken) return this.#broken(broken.problem, broken.detail, { ...event, place: broken.place });
    return event.before === (link?.digest ?? BEFORE_FIRST)
      ? undefined
      : this.#broken('changed', 'the digest before it is not that of the event before it', event);
  }

  #linkTo(event: PackedEvent): Link | undefined | 'out_of_order' {
    const last = this.#last;
    const order = last ? inOrder(last, event) : -1;
    if (last && order === 0) return last;
    if (order > 0) return 'out_of_order';
    // A chain that is here as a whole begins with its first event; a period may begin anywhere.
    const whole = this.head?.from === null && this.head.to === null;
    return whole || event.place === 1 || !beginsRight(event)
      ? undefined
      : { place: event.place - 1, digest: event.before };
  }

  /** Its number is not the one that comes now. */
  async #misplaced(record: number, event: PackedEvent, next: RawLine | undefined): Promise<PackFinding> {
    const expected = this.records + 1;
    const after = recordAt(next)?.record ?? (next?.text && isEnd(next.text) ? (endOf(next.text)?.records ?? 0) + 1 : 0);
    if (after === expected + 1)
      return this.#broken('changed', `record ${expected} says that it is number ${record}`, event);
    if (record < expected) return this.#broken('added', `record ${record} stands here once more`, event);
    const finding = this.#broken('missing', `record ${expected} is not here: ${record} follows`, this.#missed(event));
    for await (const { line } of this.#steps)
      if (recordAt(line)?.record === expected)
        return { ...finding, problem: 'out_of_order', detail: `record ${expected} stands in line ${line.number}` };
    return finding;
  }

  /** The event that is missing, where its item is certain. */
  #missed(event: PackedEvent): Pick<ChainedEvent, 'item_kind' | 'item_id' | 'place'> | undefined {
    const last = this.#last;
    if (last && inOrder(last, event) === 0) return { ...last, place: last.place + 1 };
    return undefined;
  }

  #summed(text: string, next: RawLine | undefined): PackFinding | { readonly end: PackEnd } {
    const end = endOf(text);
    const atEnd = (finding: PackFinding) => ({ ...finding, record: null });
    if (!end) return atEnd(this.#broken('changed', 'the last line, which sums up, was changed'));
    if (end.records > this.records)
      return this.#broken('missing', `record ${this.records + 1} is not here: the last line counts ${end.records}`);
    if (end.records < this.records)
      return this.#broken('added', `the last line counts ${end.records} records, and there are ${this.records}`);
    if (this.#hash.digest('hex') !== end.sha256)
      return atEnd(this.#broken('changed', 'what stands before the last line is not what it sums up'));
    this.#line += 1;
    return next ? atEnd(this.#broken('added', 'something follows the last line')) : { end };
  }
}

/** By bytes, as the pack is written: below 0 where the first one comes first. */
const inOrder = (one: ChainedEvent, other: ChainedEvent): number =>
  Buffer.compare(Buffer.from(one.item_kind), Buffer.from(other.item_kind)) ||
  Buffer.compare(Buffer.from(one.item_id), Buffer.from(other.item_id));
