import { type CaptureFacts, type CapturePolicy, mustEndRequests } from '../../src/domain/channels/channel.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { Logger } from '../../src/observability/logger.js';
import type { LaneWork } from './lane-pass.js';

export interface CaptureDependencies {
  readonly ledger: Pick<Ledger, 'channelsToLookAt' | 'captureWhenDue' | 'endChannelRequests' | 'lookAgainIn'>;
  readonly policy: CapturePolicy;
  readonly logger: Logger;
}

const PAGE = 200;
const SOON_MS = 60_000;
/** Nothing is owed: a request of the channel brings the next look nearer by itself. */
const IDLE_MS = 6 * 60 * 60_000;

/** One look at every channel that is due for it: what may be captured is frozen in the ledger. The chain is not asked here. */
export function createCaptureSweep(dependencies: CaptureDependencies): LaneWork {
  const { ledger, logger } = dependencies;
  return async (pass) => {
    let captures = 0;
    for (;;) {
      const channels = await ledger.channelsToLookAt(PAGE);
      for (const facts of channels) {
        const { id } = facts.channel;
        try {
          if (await lookAt(facts, dependencies)) captures += 1;
        } catch (error) {
          // One channel that cannot be looked at never keeps the others waiting.
          logger.error({ channel: id, err: error }, 'a channel could not be looked at; the next sweep tries again');
          await ledger.lookAgainIn(id, SOON_MS).catch(() => undefined);
        }
      }
      if (channels.length < PAGE || pass.over()) return { captures };
    }
  };
}

async function lookAt(seen: CaptureFacts, { ledger, policy, logger }: CaptureDependencies): Promise<boolean> {
  const { channel } = seen;
  if (mustEndRequests(seen)) {
    const ended = await ledger.endChannelRequests(channel.id);
    logger.warn(
      { channel: channel.id, ended },
      'the payer closes this channel on chain: what was still being served is ended, so that it can be captured in time',
    );
  }
  const outcome = await ledger.captureWhenDue(channel.id, policy);
  const facts = outcome.kind === 'not_due' ? outcome.facts : undefined;
  await ledger.lookAgainIn(channel.id, facts ? nextLookMs(facts, policy) : SOON_MS);
  return outcome.kind === 'opened';
}

function nextLookMs({ channel, reservedRequests, unsettledForMs }: CaptureFacts, policy: CapturePolicy): number {
  if (channel.closing || reservedRequests > 0) return SOON_MS;
  if (unsettledForMs === null) return IDLE_MS;
  return Math.max(policy.intervalMs - unsettledForMs, SOON_MS);
}
