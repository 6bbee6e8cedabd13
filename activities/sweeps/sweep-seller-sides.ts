import type { ReadSellerSide } from '../../src/calls/marketplace/seller-side.js';
import { withTimeout } from '../../src/domain/timeout.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { UnreadSellerSide } from '../../src/ledger/marketplace/seller-sides.js';
import type { Logger } from '../../src/observability/logger.js';
import type { LaneWork } from './lane-pass.js';
import { pageByPage } from './page-by-page.js';

export interface SellerSideDependencies {
  readonly ledger: Pick<Ledger, 'dueSellerSides'>;
  readonly readSellerSide: ReadSellerSide;
  readonly logger: Logger;
}

const AT_ONCE = 4;
const READ_LIMIT_MS = 20_000;

/** Reads what reversals were for their sellers, once each. Few at once: whatever moves money goes first. */
export function createSellerSideSweep({ ledger, readSellerSide, logger }: SellerSideDependencies): LaneWork {
  async function read(of: UnreadSellerSide): Promise<boolean> {
    try {
      const unread = await withTimeout(READ_LIMIT_MS, readSellerSide(of), 'what a reversal was for its seller');
      if (unread !== undefined)
        logger.info({ reversal: of.id, why: unread }, 'what a reversal was for its seller could not be read now');
      return unread === undefined;
    } catch (error) {
      logger.warn(
        { reversal: of.id, err: error },
        'what a reversal was for its seller could not be read; it comes round again',
      );
      return false;
    }
  }

  return async (pass) => {
    const { done, left } = await pageByPage({ size: AT_ONCE, take: ledger.dueSellerSides, work: read }, pass);
    return { read: done, left };
  };
}
