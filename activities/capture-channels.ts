import type { ChainRead } from '../src/domain/chain-answers.js';
import type { CaptureFacts, CapturePolicy, ChannelId } from '../src/domain/channel.js';
import type { Ledger } from '../src/ledger/ledger.js';
import type { Logger } from '../src/observability/logger.js';

export interface CaptureDependencies {
  readonly ledger: Pick<
    Ledger,
    'channelsToLookAt' | 'captureWhenDue' | 'lookAgainIn' | 'recordChainState' | 'pruneChannels'
  >;
  readonly readChain: (id: ChannelId) => Promise<ChainRead>;
  readonly policy: CapturePolicy;
  readonly logger: Logger;
}

const PAGE = 200;
const SOON_MS = 60_000;
/** A close that the payer asks the chain for is noticed this early, well within its grace period of 15 minutes. */
const CHAIN_EVERY_MS = 5 * 60_000;
/** Nothing is owed: a request of the channel brings the next look nearer by itself. */
const IDLE_MS = 6 * 60 * 60_000;

/** One look at every channel that is due for it. @returns how many captures were opened */
export async function captureChannels(dependencies: CaptureDependencies): Promise<number> {
  const { ledger, logger } = dependencies;
  let opened = 0;
  for (const facts of await ledger.channelsToLookAt(PAGE)) {
    const { id } = facts.channel;
    try {
      if (await lookAt(facts, dependencies)) opened += 1;
    } catch (error) {
      // One channel that cannot be looked at never keeps the others waiting.
      logger.error({ channel: id, err: error }, 'a channel could not be looked at; the next sweep tries again');
      await ledger.lookAgainIn(id, SOON_MS).catch(() => undefined);
    }
  }
  await ledger.pruneChannels(1_000);
  return opened;
}

async function lookAt({ channel }: CaptureFacts, dependencies: CaptureDependencies): Promise<boolean> {
  const { ledger, readChain, policy } = dependencies;
  // What is owed is watched on chain; a chain that does not answer changes nothing.
  if (!channel.closing && channel.earned > channel.settled && channel.chainAgeMs >= CHAIN_EVERY_MS) {
    const seen = await readChain(channel.id);
    if (seen.kind === 'read') await ledger.recordChainState(channel.id, seen);
  }
  const outcome = await ledger.captureWhenDue(channel.id, policy);
  const facts = outcome.kind === 'not_due' ? outcome.facts : undefined;
  await ledger.lookAgainIn(channel.id, facts ? nextLookMs(facts, policy) : SOON_MS);
  return outcome.kind === 'opened';
}

function nextLookMs({ channel, reservedRequests, unsettledForMs }: CaptureFacts, policy: CapturePolicy): number {
  if (channel.closing || reservedRequests > 0) return SOON_MS;
  if (unsettledForMs === null) return IDLE_MS;
  return Math.min(Math.max(policy.intervalMs - unsettledForMs, SOON_MS), CHAIN_EVERY_MS);
}
