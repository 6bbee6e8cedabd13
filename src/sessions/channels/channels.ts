import type { Channel } from '../../domain/channels/channel.js';
import type { Clock } from '../../domain/clock.js';
import { createFairTurns } from '../../domain/fair-turns.js';
import { createKeyedQueue } from '../../domain/keyed-queue.js';
import { createCommitQueue } from '../gate/commit-queue.js';
import { createDeliveryRecorder, type DeliveryRecorder } from '../gate/delivery-recorder.js';
import { createGivenUpSessions } from '../gate/given-up-sessions.js';
import type { LeaseKeeper } from '../gate/lease-keeper.js';
import type { MppIssuer } from '../offers/match-mpp.js';
import type { SessionLog } from '../session-log.js';
import { createChainFreshness } from './chain-freshness.js';
import type { ChannelLedger, ChannelVerifier } from './channel-ledger.js';
import type { ChannelRouteDependencies } from './channel-route.js';

export interface ChannelsDependencies {
  readonly ledger: ChannelLedger;
  /** The realm and secret of our challenges are made here, so the verifier is too. */
  readonly createVerifier: (issuer: MppIssuer) => ChannelVerifier;
  /** The payer has closed a channel: what it owes may be captured now. Never awaited; the sweep does it otherwise. */
  readonly onClosing: (channel: Channel) => unknown;
}

interface Shared {
  readonly mpp: MppIssuer;
  readonly lease: Pick<LeaseKeeper, 'current'>;
  readonly clock: Clock;
  readonly log: SessionLog;
  readonly credentialValidityMs: number;
  readonly releasedLimit: number;
  readonly unknownCommitMs: number | undefined;
}

export interface ChannelParts extends ChannelRouteDependencies {
  readonly deliveries: DeliveryRecorder;
  /** Resolves once nothing is on its way to the ledger; for an orderly shutdown. */
  idle(): Promise<void>;
}

/** The parts of paid sessions once more, for requests that a channel of ours pays for. */
export function createChannelParts(
  { ledger, createVerifier, onClosing }: ChannelsDependencies,
  { mpp, lease, clock, log, credentialValidityMs, releasedLimit, unknownCommitMs }: Shared,
): ChannelParts {
  const givenUp = createGivenUpSessions({ giveUpSessions: (requests) => ledger.giveUpChannelRequests(requests) });
  const commits = createCommitQueue({
    ledger: {
      commitSessions: (changes) => ledger.commitChannelRequests(changes),
      closeState: (id, closeToken) => ledger.channelRequestState(id, closeToken),
    },
    unknownForMs: unknownCommitMs,
    onGivenUp: (request) => givenUp.note(request),
  });
  const deliveries = createDeliveryRecorder({
    recordDeliveries: (notes) => ledger.recordChannelDeliveries(notes),
  });
  const verifier = createVerifier(mpp);
  return {
    ledger,
    verifier,
    freshness: createChainFreshness(ledger, verifier),
    turns: createFairTurns(),
    queue: createKeyedQueue(),
    mpp,
    lease,
    commits,
    deliveries,
    credentialValidityMs,
    releasedLimit,
    clock,
    log,
    onClosing,
    async idle() {
      await commits.idle();
      await deliveries.flush();
    },
  };
}
