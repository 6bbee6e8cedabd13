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

  async function startPage(items: readonly DueItem[], context: Context): Promise<number> {
    const started: MoneyItem[] = [];
    for (const item of items) {
      if (await starter.wake(item)) started.push({ kind: item.kind, id: item.id });
      context.heartbeat();
    }
    await ledger.markItemsStarted(started);
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
