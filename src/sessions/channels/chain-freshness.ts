import type { ChannelId } from '../../domain/channels/channel.js';
import { withTimeout } from '../../domain/timeout.js';
import type { ChannelLedger, ChannelVerifier } from './channel-ledger.js';

export interface ChainFreshness {
  /** Reads a channel from the chain into the ledger, once however many ask. @returns false when the chain did not answer */
  refresh(id: ChannelId): Promise<boolean>;
  /** The same in the background, where what is known is older than `REFRESH_AFTER_MS`. */
  refreshWhenOld(id: ChannelId, chainAgeMs: number): void;
}

/** A top-up made elsewhere, or a close asked for on chain, is noticed about so soon on a channel in use. */
const REFRESH_AFTER_MS = 60_000;
/**
 * Vouchers are taken on what the chain said so long ago at most. A payer who asks the chain to close can take the deposit
 * back after its grace period of 15 minutes; what was earned until we notice must still be captured within it.
 */
export const OLDEST_CHAIN_READ_MS = 10 * 60_000;
/** A request that has to wait for the chain waits no longer. */
const READ_TIMEOUT_MS = 3_000;

export function createChainFreshness(
  ledger: Pick<ChannelLedger, 'recordChainState'>,
  verifier: Pick<ChannelVerifier, 'readChain'>,
): ChainFreshness {
  const reading = new Map<ChannelId, Promise<boolean>>();

  async function read(id: ChannelId): Promise<boolean> {
    const answer = await withTimeout(READ_TIMEOUT_MS, verifier.readChain(id)).catch(() => undefined);
    if (answer?.kind !== 'read') return false;
    await ledger.recordChainState(id, answer);
    return true;
  }

  function refresh(id: ChannelId): Promise<boolean> {
    const underWay = reading.get(id);
    if (underWay) return underWay;
    const started = read(id).finally(() => reading.delete(id));
    reading.set(id, started);
    return started;
  }

  return {
    refresh,
    refreshWhenOld(id, chainAgeMs) {
      if (chainAgeMs >= REFRESH_AFTER_MS) refresh(id).catch(() => undefined);
    },
  };
}
