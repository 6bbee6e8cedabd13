import { withTimeout } from '../../src/domain/timeout.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { DuePayout } from '../../src/ledger/marketplace/payout-contents.js';
import type { Logger } from '../../src/observability/logger.js';
import type { LaneWork } from './lane-pass.js';
import { pageByPage } from './page-by-page.js';

export interface PayoutSweepDependencies {
  readonly ledger: Pick<Ledger, 'duePayouts'>;
  /** @returns why not all of it could be read */
  readonly readPayout: (payout: DuePayout) => Promise<string | undefined>;
  readonly logger: Logger;
}

const AT_ONCE = 4;
/** What takes longer is given up and goes on where it was when it comes round again. */
const LIMIT_MS = 60_000;

/** Reads payouts and their contents. Few at once: money that moves goes first. */
export function createPayoutSweep({ ledger, readPayout, logger }: PayoutSweepDependencies): LaneWork {
  async function read(payout: DuePayout): Promise<boolean> {
    try {
      const unread = await withTimeout(LIMIT_MS, readPayout(payout), 'a payout');
      if (unread !== undefined) logger.info({ ...payout, why: unread }, 'a payout could not be read now');
      return unread === undefined;
    } catch (error) {
      logger.warn({ ...payout, err: error }, 'a payout could not be read; it comes round again');
      return false;
    }
  }

  return async (pass) => {
    const { done, left } = await pageByPage({ size: AT_ONCE, take: ledger.duePayouts, work: read }, pass);
    if (done === 0 && left > 0) throw new Error(`none of ${left} payouts could be read; they come round again`);
    return { read: done, left };
  };
}
