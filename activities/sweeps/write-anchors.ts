import {
  type AnchorEnd,
  AnchorExists,
  type AnchorStore,
  anchorBefore,
  anchorEndOf,
  anchorName,
  anchorOf,
  createAnchorWriter,
  nextAfter,
} from '../../src/domain/proof/anchors.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { Logger } from '../../src/observability/logger.js';
import type { LaneReport } from '../sweep-contract.js';
import type { LaneWork, Pass } from './lane-pass.js';

export interface AnchorDependencies {
  readonly ledger: Pick<Ledger, 'anchorMoment' | 'changedHeads'>;
  readonly store: AnchorStore;
  readonly logger: Pick<Logger, 'info' | 'error'>;
}

const PAGE = 2_000;
/** The last line of a file is much shorter. */
const END_BYTES = 4_096;

/**
 * Writes the heads of all chains that have changed outside Postgres, in one file a day: whatever becomes of the rows later, what they
 * were is known. It looks every minute, so that what fails is tried again, and does nothing once the day has its file.
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
    const last = (await store.names()).at(-1);
    const { now, newest } = await ledger.anchorMoment();
    const today = now.slice(0, 10);
    const end = last === undefined ? undefined : await endOf(last);
    const written = last === undefined ? undefined : anchorOf(last);
    if (end?.complete && written && written.day >= today) return {};
    const number = (written?.number ?? 0) + 1;
    const name = anchorName(number, today);
    const writer = createAnchorWriter({ number, day: today, madeAt: now, before: anchorBefore(end) });
    await store.write(name, linesOf(writer, { ...nextAfter(end), upto: newest, pass }));
    logger.info({ anchor: name, heads: writer.heads() }, 'the heads of the event chains were anchored');
    return { anchored: writer.heads() };
  }

  async function endOf(name: string): Promise<AnchorEnd> {
    const text = Buffer.from(await store.readEnd(name, END_BYTES)).toString('utf8');
    const end = anchorEndOf(text.trimEnd().split('\n').at(-1) ?? '');
    if (!end)
      throw new Error(`the anchor ${name} was changed, and nothing is written after it: makegood verify tells more`);
    return end;
  }

  async function* linesOf(
    writer: ReturnType<typeof createAnchorWriter>,
    range: { readonly after: string; readonly earlier: string; readonly upto: string; readonly pass: Pass },
  ): AsyncGenerator<string> {
    yield writer.begin();
    let reached = range.after;
    let complete = false;
    while (!complete && !range.pass.over()) {
      const page = await ledger.changedHeads(reached, range.upto, PAGE);
      yield page.heads.map((head) => writer.head(head)).join('');
      reached = page.reached ?? range.upto;
      complete = page.reached === undefined;
    }
    yield writer.end({ reached, complete, earlier: range.earlier });
  }
}
