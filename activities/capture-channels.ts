import {
  type Capture,
  type CaptureFacts,
  type CapturePolicy,
  type ChannelId,
  captureDue,
} from '../src/domain/channel.js';
import type { SettlementId } from '../src/domain/ids.js';
import type { Ledger } from '../src/ledger/ledger.js';
import type { Logger } from '../src/observability/logger.js';
import type { ChainRead } from '../src/sessions/channel-ledger.js';

export interface CaptureDependencies {
  readonly ledger: Pick<
    Ledger,
    'channelsToLookAt' | 'captureFacts' | 'lookAgainIn' | 'recordChainState' | 'pruneChannels'
  >;
  /** Makes the capture a settlement, unless one of this channel is unfinished. */
  readonly openCapture: (
    capture: Capture,
  ) => Promise<{ readonly kind: 'opened'; readonly id: SettlementId } | { readonly kind: 'busy' }>;
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

/** The same for one channel, as soon as its payer has closed it. @returns the settlement that was opened */
export async function captureChannel(
  id: ChannelId,
  { ledger, openCapture, policy }: Pick<CaptureDependencies, 'ledger' | 'openCapture' | 'policy'>,
): Promise<SettlementId | undefined> {
  const facts = await ledger.captureFacts(id);
  const capture = facts && captureDue(facts, policy);
  if (capture === undefined) return undefined;
  const outcome = await openCapture(capture);
  return outcome.kind === 'opened' ? outcome.id : undefined;
}

async function lookAt(known: CaptureFacts, dependencies: CaptureDependencies): Promise<boolean> {
  const { ledger, openCapture, policy } = dependencies;
  const { id } = known.channel;
  const facts = await seenOnChain(known, dependencies);
  const capture = captureDue(facts, policy);
  const outcome = capture && (await openCapture(capture));
  await ledger.lookAgainIn(id, outcome ? SOON_MS : nextLookMs(facts, policy));
  return outcome?.kind === 'opened';
}

/** What is owed is watched on chain; a chain that does not answer changes nothing. */
async function seenOnChain(facts: CaptureFacts, { ledger, readChain }: CaptureDependencies): Promise<CaptureFacts> {
  const { channel } = facts;
  if (channel.closing || channel.earned <= channel.settled || channel.chainAgeMs < CHAIN_EVERY_MS) return facts;
  const seen = await readChain(channel.id);
  if (seen.kind === 'unavailable') return facts;
  await ledger.recordChainState(channel.id, seen);
  return (await ledger.captureFacts(channel.id)) ?? facts;
}

function nextLookMs({ channel, reservedRequests, unsettledForMs }: CaptureFacts, policy: CapturePolicy): number {
  if (channel.closing || reservedRequests > 0) return SOON_MS;
  if (unsettledForMs === null) return IDLE_MS;
  return Math.min(Math.max(policy.intervalMs - unsettledForMs, SOON_MS), CHAIN_EVERY_MS);
}
