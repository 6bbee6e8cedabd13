import type { Processed } from '../../src/calls/marketplace/process-webhook.js';
import type { InboxLane } from '../../src/domain/sweep-lanes.js';
import { withTimeout } from '../../src/domain/timeout.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { DueEvent, NewWebhookEvent } from '../../src/ledger/marketplace/marketplace-types.js';
import type { Logger } from '../../src/observability/logger.js';
import type { LaneWork } from './lane-pass.js';
import { pageByPage } from './page-by-page.js';

export interface InboxSweepDependencies {
  readonly ledger: Pick<Ledger, 'dueWebhooks'>;
  readonly processWebhook: (event: NewWebhookEvent) => Promise<Processed>;
  readonly logger: Logger;
}

const EVENTS_AT_ONCE = 8;
/** Above one read at Stripe with its token on a busy day; what takes longer is given up, and comes round again. */
const EVENT_LIMIT_MS = 30_000;

/**
 * Acts on the events that nobody acted on yet. They are taken few at a time, because whatever is taken waits a minute or
 * longer when nothing comes of it.
 */
export function createInboxSweep(
  lane: InboxLane,
  { ledger, processWebhook, logger }: InboxSweepDependencies,
): LaneWork {
  async function takeUp(event: DueEvent): Promise<boolean> {
    try {
      return (await withTimeout(EVENT_LIMIT_MS, processWebhook(event), 'an event')) === 'acted';
    } catch (error) {
      logger.warn({ event: event.eventId, err: error }, 'a webhook could not be processed; the next sweep tries again');
      return false;
    }
  }

  return async (pass) => {
    const page = { size: EVENTS_AT_ONCE, take: (limit: number) => ledger.dueWebhooks(lane, limit), work: takeUp };
    const { done: acted, left } = await pageByPage(page, pass);
    if (acted === 0 && left > 0)
      throw new Error(`nothing could be done about any of ${left} events; they come round again`);
    return { acted, left };
  };
}
