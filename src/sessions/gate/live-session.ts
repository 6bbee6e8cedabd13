import type { SettlementId } from '../../domain/ids.js';
import { type AtomicAmount, toAtomic } from '../../domain/money.js';
import type { Delivery } from '../../domain/settlements/settlement-status.js';
import type { ChangeOutcome, Lease, ReleaseCause } from '../session-ledger.js';
import type { CommitQueue } from './commit-queue.js';
import { type ChargeTerms, createSessionCharges, type SessionCharges } from './session-charges.js';

export interface LiveSessionFacts extends ChargeTerms {
  readonly id: SettlementId;
  readonly lease: Lease;
  readonly closeToken: string;
  /** True: closed at the auth server also when nothing was spent, so that the payer gets the deposit back. */
  readonly closesAtZero: boolean;
  /** The answer is held back until the money is in. */
  readonly withheld?: boolean;
  /** The exact bytes that every settle call will send. */
  readonly bodyFor: (spent: AtomicAmount) => string;
}

export interface CloseResult {
  /** `unknown`: the ledger did not say in time whether the close is in it. */
  readonly outcome: ChangeOutcome | 'unknown';
  /** True when the close leaves something to settle. */
  readonly billed: boolean;
  readonly spent: bigint;
}

/** The money side of one paid exchange: what was charged, and how much of that is durable. Knows nothing of HTTP. */
export interface LiveSession extends Omit<SessionCharges, 'asked' | 'ask' | 'releasedBy' | 'takenBackTo'> {
  readonly id: SettlementId;
  /** Known to nobody but this session. */
  readonly closeToken: string;
  /** Charged, and not known to be in the ledger. */
  uncommitted(): bigint;
  /** True once a checkpoint was sent to the ledger: from then on the charge cannot be taken back. */
  checkpointed(): boolean;
  /** Makes what was charged so far durable; at most one at a time. @throws when it could not be made durable */
  checkpoint(): Promise<ChangeOutcome>;
  /**
   * Freezes the amount and commits the close; once. Never rejects.
   * @param answer the whole of it, to be kept with what it was billed
   */
  close(by: 'end' | 'abort' | 'error', delivery: Delivery, answer?: string): Promise<CloseResult>;
  /**
   * After a close that is committed, of which less was let go than it bills. Never rejects.
   * @returns whether anything is billed now
   */
  takeBack(letGo: bigint, cause: ReleaseCause | undefined): Promise<boolean>;
}

export function createLiveSession(facts: LiveSessionFacts, commits: Pick<CommitQueue, 'submit'>): LiveSession {
  const { id, lease, closeToken } = facts;
  const charges = createSessionCharges(facts);
  let committed = 0n;
  let checkpointing: Promise<ChangeOutcome> | undefined;

  async function commitCheckpoint(amount: bigint): Promise<ChangeOutcome> {
    const outcome = await commits.submit({ kind: 'checkpoint', id, lease, closeToken, spent: toAtomic(amount) });
    if (outcome === 'committed') committed = amount;
    return outcome;
  }

  const isBilled = (amount: bigint) => amount > 0n || facts.closesAtZero;
  const bodyOf = (amount: bigint) => (isBilled(amount) ? facts.bodyFor(toAtomic(amount)) : null);

  return {
    ...charges,
    id,
    closeToken,
    uncommitted: () => charges.spent() - committed,
    checkpointed: () => charges.asked() > 0n,

    checkpoint() {
      if (checkpointing) return checkpointing;
      if (charges.spent() === committed) return Promise.resolve('committed');
      checkpointing = commitCheckpoint(charges.ask()).finally(() => {
        checkpointing = undefined;
      });
      return checkpointing;
    },

    async close(by, delivery, answer) {
      charges.freeze();
      const amount = charges.spent();
      const billed = isBilled(amount);
      const cause = charges.releasedBy();
      try {
        const outcome = await commits.submit({
          kind: 'close',
          id,
          lease,
          closeToken,
          by,
          spent: toAtomic(amount),
          body: bodyOf(amount),
          delivery: billed ? delivery : null,
          ...(amount > 0n && facts.withheld === true && { withheld: true }),
          ...(amount === 0n && cause !== undefined && { releasedBy: cause }),
          ...(amount < charges.asked() && { takesBack: true }),
          ...(billed && answer !== undefined && { answer }),
        });
        if (outcome === 'committed') committed = charges.spent();
        return { outcome, billed, spent: charges.spent() };
      } catch {
        return { outcome: 'unknown', billed, spent: charges.spent() };
      }
    },

    async takeBack(letGo, cause) {
      if (facts.keepsDurable === true || letGo >= charges.spent()) return isBilled(charges.spent());
      try {
        const outcome = await commits.submit({
          kind: 'take_back',
          id,
          closeToken,
          spent: toAtomic(letGo),
          body: bodyOf(letGo),
          ...(letGo === 0n && cause !== undefined && { releasedBy: cause }),
        });
        if (outcome !== 'committed') return true;
        charges.takenBackTo(letGo);
        return isBilled(letGo);
      } catch {
        return true;
      }
    },
  };
}
