import type { PaymentId } from '../../src/domain/ids.js';
import { withTimeout } from '../../src/domain/timeout.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { Logger } from '../../src/observability/logger.js';
import type { LaneWork } from './lane-pass.js';
import { pageByPage } from './page-by-page.js';

export interface DisputeSweepDependencies {
  readonly ledger: Pick<Ledger, 'duePaymentSearches'>;
  /** @returns why not all of it could be read */
  readonly searchPayment: (id: PaymentId) => Promise<string | undefined>;
  readonly logger: Logger;
}

const PAYMENTS_AT_ONCE = 4;
/** Above four reads with their turns and tokens on a busy day; what takes longer is given up, and comes round again. */
const SEARCH_LIMIT_MS = 60_000;

/**
 * Looks for disputes and refunds that nobody told of, of payments ever less often as they grow older. Few at once: whatever else reads
 * the providers goes first.
 */
export function createDisputeSweep({ ledger, searchPayment, logger }: DisputeSweepDependencies): LaneWork {
  async function search(payment: PaymentId): Promise<boolean> {
    try {
      const unread = await withTimeout(SEARCH_LIMIT_MS, searchPayment(payment), 'a search for disputes');
      if (unread !== undefined)
        logger.info({ payment, why: unread }, 'a payment could not be looked at for disputes now');
      return unread === undefined;
    } catch (error) {
      logger.warn({ payment, err: error }, 'a payment could not be looked at for disputes; it comes round again');
      return false;
    }
  }

  return async (pass) => {
    const page = { size: PAYMENTS_AT_ONCE, take: ledger.duePaymentSearches, work: search };
    const { done: searched, left } = await pageByPage(page, pass);
    if (searched === 0 && left > 0)
      throw new Error(`none of ${left} payments could be looked at; they come round again`);
    return { searched, left };
  };
}
