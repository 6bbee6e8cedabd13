import type { MarketplaceKind } from '../../src/domain/marketplace/marketplace.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { DueItem, FoundDue } from '../../src/ledger/marketplace/marketplace-types.js';
import type { Logger } from '../../src/observability/logger.js';
import type { LaneWork, Pass } from './lane-pass.js';
import { withConcurrency } from './with-concurrency.js';

export interface MarketplaceSweepDependencies {
  readonly ledger: Pick<Ledger, 'dueItems' | 'markItemsStarted'>;
  readonly starter: { wake(item: DueItem): Promise<boolean> };
  readonly logger: Logger;
}

const PAGE = 200;
/** More would only stand in the queue: calls to Stripe leave at 25 a second. */
const MOST_PER_PASS = 2_000;
/** One start waits for Temporal longer than Stripe takes for one call: one after the other they would not keep up. */
const STARTS_AT_ONCE = 8;

/** Starts the workflows of what is due of one kind, sellers in turn. Only Temporal and the ledger are asked. */
export function createMarketplaceSweep(
  kind: MarketplaceKind,
  { ledger, starter, logger }: MarketplaceSweepDependencies,
): LaneWork {
  /** @throws when nothing of it could be started: then it is Temporal that is away, and not one item that is ill */
  async function startPage(items: readonly FoundDue[], pass: Pass): Promise<number> {
    const started: FoundDue[] = [];
    const failed: { item: FoundDue; error: unknown }[] = [];
    await withConcurrency(STARTS_AT_ONCE, items, pass.over, async (item) => {
      try {
        if (await starter.wake(item)) started.push(item);
      } catch (error) {
        failed.push({ item, error });
      }
    });
    const [first] = failed;
    if (first && started.length === 0) throw first.error;
    for (const { item, error } of failed)
      logger.warn(
        { item: { kind: item.kind, id: item.id }, err: error },
        'a workflow could not be started; it is tried again in a minute',
      );
    // What failed waits as long as what was started, so that it never stands before the others.
    await ledger.markItemsStarted([...started, ...failed.map(({ item }) => item)]);
    return started.length;
  }

  return async (pass) => {
    const report = { started: 0 };
    for (;;) {
      const items = await ledger.dueItems(kind, PAGE);
      const started = await startPage(items, pass);
      report.started += started;
      // A page of which nothing was started is disabled: it would come again and again.
      if (items.length < PAGE || started === 0 || report.started >= MOST_PER_PASS || pass.over()) return report;
    }
  };
}
