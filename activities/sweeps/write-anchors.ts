import { type AnchorMark, wrongEnd } from '../../src/domain/proof/anchor-marks.js';
import {
  type AnchorEnd,
  AnchorExists,
  type AnchorStore,
  anchorBefore,
  anchorEndOf,
  anchorName,
  anchorOf,
  BEFORE_ALL,
  createAnchorWriter,
  nextAfter,
} from '../../src/domain/proof/anchors.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { Logger } from '../../src/observability/logger.js';
import type { LaneReport } from '../sweep-contract.js';
import type { LaneWork, Pass } from './lane-pass.js';

export interface AnchorDependencies {
  readonly ledger: Pick<
    Ledger,
    'anchorMoment' | 'changedHeads' | 'countEvents' | 'lastAnchorMark' | 'knowsAnchor' | 'markAnchor'
  >;
  readonly store: AnchorStore;
  readonly logger: Pick<Logger, 'info' | 'error'>;
}

const PAGE = 2_000;
const COUNTED_AT_ONCE = 200_000;
/** The last line of a file is much shorter. */
const END_BYTES = 4_096;

/**
 * Writes the heads of all chains that have changed outside Postgres, in one file a day: whatever becomes of the rows later, what they
 * were is known. Where the directory does not end with what was written last, or events were added to or taken from those that are looked at
 * no more, nothing is written and the pass fails, so that somebody hears of it. It looks every minute, so that what fails is tried again, and does nothing once the day has its file.
 */
export function createAnchoring({ ledger, store, logger }: AnchorDependencies): LaneWork {
  return async (pass) => {
    try {
      return await anchor(pass);
    } catch (error) {
      if (error instanceof AnchorExists) return {};
      logger.error(
        { err: error },
        'the heads of the event chains could not be anchored; it is tried again in a minute',
      );
      throw error;
    }
  };

  async function anchor(pass: Pass): Promise<LaneReport> {
    // Asked before the directory: another worker may write meanwhile, and what it has written then is known.
    const marked = await ledger.lastAnchorMark();
    const last = await lastOf((await store.names()).at(-1));
    const { now, newest } = await ledger.anchorMoment();
    const today = now.slice(0, 10);
    const end = last?.end;
    await checkEnd(last?.mark, marked, today);
    if (end?.complete && last && last.mark.day >= today) return {};
    const number = (last?.mark.number ?? 0) + 1;
    const writer = createAnchorWriter({ number, day: today, madeAt: now, before: anchorBefore(end) });
    const range = { ...nextAfter(end), upto: newest, settled: await countSettled(ledger, end) };
    const mark = { number, day: today, digest: '' };
    const meant = async (line: string): Promise<void> => {
      mark.digest = anchorEndOf(line.trimEnd())?.digest ?? '';
      await ledger.markAnchor(mark, 'meant');
    };
    await store.write(anchorName(number, today), linesOf(writer, { ...range, pass, meant }));
    await ledger.markAnchor(mark, 'written');
    logger.info(
      { anchor: anchorName(number, today), heads: writer.heads() },
      'the heads of the event chains were anchored',
    );
    return { anchored: writer.heads() };
  }

  async function lastOf(
    name: string | undefined,
  ): Promise<{ readonly mark: AnchorMark; readonly end: AnchorEnd } | undefined> {
    const named = name === undefined ? undefined : anchorOf(name);
    if (name === undefined || !named) return undefined;
    const text = Buffer.from(await store.readEnd(name, END_BYTES)).toString('utf8');
    const end = anchorEndOf(text.trimEnd().split('\n').at(-1) ?? '');
    if (!end) throw refusal(name, 'was changed');
    return { mark: { ...named, digest: end.digest }, end };
  }

  /** What a worker wrote that died before it could say so is marked now; so is what an older version has written. */
  async function checkEnd(last: AnchorMark | undefined, marked: AnchorMark | undefined, today: string): Promise<void> {
    const known = last !== undefined && (await ledger.knowsAnchor(last));
    const wrong = wrongEnd({ last, marked, known, today });
    if (wrong) throw refusal(wrong.anchor, wrong.why);
    if (last && last.number > (marked?.number ?? 0)) await ledger.markAnchor(last, 'written');
  }

  async function* linesOf(writer: ReturnType<typeof createAnchorWriter>, range: Range): AsyncGenerator<string> {
    yield writer.begin();
    let reached = range.after;
    let complete = false;
    while (!complete && !range.pass.over()) {
      const page = await ledger.changedHeads(reached, range.upto, PAGE);
      yield page.heads.map((head) => writer.head(head)).join('');
      reached = page.reached ?? range.upto;
      complete = page.reached === undefined;
    }
    const line = writer.end({ reached, complete, earlier: range.earlier, settled: range.settled });
    await range.meant(line);
    yield line;
  }
}

type CountingLedger = Pick<Ledger, 'countEvents'>;

/** Up to the number that no file looks at again; what comes among them after this is missed by the next count. */
async function countSettled(ledger: CountingLedger, end: AnchorEnd | undefined): Promise<number> {
  const { earlier } = nextAfter(end);
  const before = end?.earlier ?? BEFORE_ALL;
  // The newer ones first: whatever is among them by now is read after this.
  const newer = await count(ledger, before, earlier);
  const older = await count(ledger, BEFORE_ALL, before);
  if (end?.settled !== undefined && end.settled !== older)
    throw new Error(
      `there are ${older} events up to number ${before} and there were ${end.settled} when they were anchored, and nothing is anchored any more: makegood verify tells more`,
    );
  return older + newer;
}

async function count(ledger: CountingLedger, after: string, upto: string): Promise<number> {
  let sum = 0;
  let from: string | undefined = after;
  while (from !== undefined) {
    const page: { readonly count: number; readonly reached: string | undefined } = await ledger.countEvents(
      from,
      upto,
      COUNTED_AT_ONCE,
    );
    sum += page.count;
    from = page.reached;
  }
  return sum;
}

interface Range {
  readonly after: string;
  readonly earlier: string;
  readonly upto: string;
  readonly settled: number;
  readonly pass: Pass;
  /** Called with the last line before the file has it, and so before it has its name. */
  readonly meant: (line: string) => Promise<void>;
}

const refusal = (name: string, why: string): Error =>
  new Error(`the anchor ${name} ${why}, and nothing is written after it: makegood verify tells more`);
