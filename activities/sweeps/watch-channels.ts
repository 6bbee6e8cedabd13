import type { ChainRead } from '../../src/domain/channels/chain-answers.js';
import type { ChannelId } from '../../src/domain/channels/channel.js';
import { withTimeout } from '../../src/domain/timeout.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { Logger } from '../../src/observability/logger.js';
import type { LaneWork } from './lane-pass.js';
import { pageByPage } from './page-by-page.js';

export interface WatchDependencies {
  readonly ledger: Pick<Ledger, 'channelsToRead' | 'recordChainState'>;
  readonly readChain: (id: ChannelId) => Promise<ChainRead>;
  readonly logger: Logger;
}

const READS_AT_ONCE = 8;
/** Above the reader's own limit; what does not keep that is given up here. */
const READ_LIMIT_MS = 10_000;

/**
 * Reads from the chain what channels that owe us something look like now, the one unread for longest first. What the chain
 * says is left in the ledger; the capture that follows from it is another lane's.
 */
export function createChannelWatch({ ledger, readChain, logger }: WatchDependencies): LaneWork {
  async function readOne(id: ChannelId): Promise<boolean> {
    try {
      const seen = await withTimeout(READ_LIMIT_MS, readChain(id), 'a read of the chain');
      if (seen.kind !== 'read') return false;
      await ledger.recordChainState(id, seen);
      return true;
    } catch (error) {
      logger.warn({ channel: id, err: error }, 'a channel could not be read from the chain; it is read again');
      return false;
    }
  }

  return async (pass) => {
    const page = { size: READS_AT_ONCE, take: ledger.channelsToRead, work: readOne };
    const { done: read, left: unanswered } = await pageByPage(page, pass);
    if (read === 0 && unanswered > 0)
      throw new Error(`the chain answered none of ${unanswered} reads; captures and settlements go on meanwhile`);
    return { read, unanswered };
  };
}
