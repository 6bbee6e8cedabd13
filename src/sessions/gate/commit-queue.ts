import { withTimeout } from '../../domain/timeout.js';
import type { ChangeOutcome, CloseTakenBack, GivenUpSession, SessionChange, SessionLedger } from '../session-ledger.js';
import { commitUntilKnown } from './commit-until-known.js';

export interface CommitQueue {
  /**
   * Makes one change durable, together with whatever else arrives while a commit is under way.
   *
   * @returns `lost` when the ledger says that the session is no longer ours
   * @throws when it is still unknown after `unknownForMs` whether the change was committed
   */
  submit(change: SessionChange | CloseTakenBack): Promise<ChangeOutcome>;
  /** Resolves once nothing is waiting or in flight; for an orderly shutdown. */
  idle(): Promise<void>;
}

export interface CommitQueueOptions {
  /** `takeBackClose` undefined: what is closed here is never taken back. */
  readonly ledger: Pick<SessionLedger, 'commitSessions' | 'closeState'> & Partial<Pick<SessionLedger, 'takeBackClose'>>;
  /** Hears of a close that stayed unknown; its session is served no further. */
  readonly onGivenUp?: (session: GivenUpSession) => void;
  /** How long an unknown outcome is looked into before the response is given up. */
  readonly unknownForMs?: number;
  /** A commit unanswered for this long counts as unknown, so that one stalled connection does not hold up the rest. */
  readonly commitTimeoutMs?: number;
}

/** One statement of this many rows stays well under the time in which a lone close commits twice. */
const MAX_CHANGES_PER_COMMIT = 200;

interface Waiting {
  readonly change: SessionChange;
  readonly resolve: (outcome: ChangeOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: while one commit is in flight, further changes gather for the next one, so fifty closes at once cost
 * two or three commits. A commit that fails is taken apart and each change tried alone, outside the queue: one bad row
 * fails alone and holds up nobody.
 */
export function createCommitQueue(options: CommitQueueOptions): CommitQueue {
  const { ledger, onGivenUp, unknownForMs = 5_000, commitTimeoutMs = 5_000 } = options;
  let waiting: Waiting[] = [];
  let committing = false;
  const underWay = new Set<Promise<ChangeOutcome>>();

  const commit = (changes: readonly SessionChange[]) =>
    withTimeout(commitTimeoutMs, ledger.commitSessions(changes), 'the commit');

  async function drain(): Promise<void> {
    if (committing) return;
    committing = true;
    // Closes that end in the same turn of the event loop share even the first commit.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = takeBatch();
      try {
        const outcomes = await commit(batch.map((entry) => entry.change));
        batch.forEach((entry, index) => settleFromBatch(entry, outcomes[index]));
      } catch {
        for (const entry of batch) settleAlone(entry);
      }
    }
    committing = false;
  }

  /** The oldest changes, at most one per session, sorted by id so that two servers never lock rows in a circle. */
  function takeBatch(): Waiting[] {
    const batch = new Map<string, Waiting>();
    const later: Waiting[] = [];
    for (const entry of waiting) {
      if (batch.size < MAX_CHANGES_PER_COMMIT && !batch.has(entry.change.id)) batch.set(entry.change.id, entry);
      else later.push(entry);
    }
    waiting = later;
    return [...batch.values()].sort((left, right) => (left.change.id < right.change.id ? -1 : 1));
  }

  function settleFromBatch(entry: Waiting, outcome: ChangeOutcome | undefined): void {
    if (outcome === undefined) settleAlone(entry);
    else entry.resolve(outcome);
  }

  function settleAlone(entry: Waiting): void {
    commitUntilKnown(ledger, entry.change, unknownForMs).then(entry.resolve, (error: unknown) => {
      const { kind, id, closeToken } = entry.change;
      if (kind === 'close') onGivenUp?.({ id, closeToken });
      entry.reject(error);
    });
  }

  /** Rare, and tried once: where its answer is lost, it is billed or not, and nothing that follows may count on either. */
  const takeBack = async (close: CloseTakenBack): Promise<ChangeOutcome> =>
    ledger.takeBackClose === undefined
      ? 'lost'
      : withTimeout(commitTimeoutMs, ledger.takeBackClose(close), 'the taking back');

  function inTurn(change: SessionChange): Promise<ChangeOutcome> {
    const known = new Promise<ChangeOutcome>((resolve, reject) => {
      waiting.push({ change, resolve, reject });
    });
    void drain();
    return known;
  }

  return {
    submit(change) {
      const known = change.kind === 'take_back' ? takeBack(change) : inTurn(change);
      underWay.add(known);
      const forget = () => underWay.delete(known);
      known.then(forget, forget);
      return known;
    },
    async idle() {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
  };
}
