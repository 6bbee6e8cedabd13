import { Context } from '@temporalio/activity';
import type { Ledger } from '../src/ledger/ledger.js';
import type { DueItem, MoneyItem, NewWebhookEvent } from '../src/ledger/marketplace-types.js';
import type { Logger } from '../src/observability/logger.js';
import type { MoneySweepReport, SweptKind } from './marketplace-contract.js';

export interface MoneySweepDependencies {
  readonly ledger: Pick<Ledger, 'dueItems' | 'markItemsStarted' | 'dueWebhooks' | 'sweepStarted' | 'sweepSucceeded'>;
  readonly starter: { wake(item: DueItem): Promise<boolean> };
  readonly processWebhook: (event: NewWebhookEvent) => Promise<void>;
  readonly logger: Logger;
}

const PAGE = 200;
/** More would only stand in the queue: calls to Stripe leave at 25 a second. */
const MOST_PER_PASS = 2_000;
const EVENTS_PER_PASS = 500;
/** One start waits for Temporal longer than Stripe takes for one call: one after the other they would not keep up. */
const STARTS_AT_ONCE = 8;

/** One pass: events that nobody acted on, then what is due, sellers in turn. The schedule starts the next one. */
export function createMoneySweep({ ledger, starter, processWebhook, logger }: MoneySweepDependencies) {
  async function processEvents(context: Context): Promise<number> {
    const events = await ledger.dueWebhooks(EVENTS_PER_PASS);
    for (const event of events) {
      try {
        await processWebhook(event);
      } catch (error) {
        logger.warn(
          { event: event.eventId, err: error },
          'a webhook could not be processed; the next sweep tries again',
        );
      }
      context.heartbeat();
    }
    return events.length;
  }

  /** @throws when nothing of it could be started: then it is Temporal that is away, and not one item that is ill */
  async function startPage(items: readonly DueItem[], context: Context): Promise<number> {
    const started: MoneyItem[] = [];
    const failed: { item: MoneyItem; error: unknown }[] = [];
    const left = items.values();
    const lane = async (): Promise<void> => {
      for (const { kind, id, ...rest } of left) {
        const item = { kind, id };
        try {
          if (await starter.wake({ ...item, ...rest })) started.push(item);
        } catch (error) {
          failed.push({ item, error });
        }
        context.heartbeat();
      }
    };
    await Promise.all(Array.from({ length: STARTS_AT_ONCE }, lane));
    const [first] = failed;
    if (first && started.length === 0) throw first.error;
    for (const { item, error } of failed)
      logger.warn({ item, err: error }, 'a workflow could not be started; it is tried again in a minute');
    // What failed waits as long as what was started, so that it never stands before the others.
    await ledger.markItemsStarted([...started, ...failed.map(({ item }) => item)]);
    return started.length;
  }

  return async function sweepMoney(kind: SweptKind): Promise<MoneySweepReport> {
    const context = Context.current();
    const name = `${kind}s`;
    await ledger.sweepStarted(name);
    const report: MoneySweepReport = { started: 0, webhooks: kind === 'refund' ? await processEvents(context) : 0 };
    for (;;) {
      const items = await ledger.dueItems(kind, PAGE);
      const started = await startPage(items, context);
      report.started += started;
      // A page of which nothing was started is disabled: it would come again and again.
      if (items.length < PAGE || started === 0 || report.started >= MOST_PER_PASS) break;
    }
    await ledger.sweepSucceeded(name, { ...report });
    if (report.started > 0) logger.info({ kind, report }, 'sweep took up money that had stopped');
    return report;
  };
}
