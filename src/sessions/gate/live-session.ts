import type { SettlementId } from '../../domain/ids.js';
import { type AtomicAmount, parseAtomic, toAtomic } from '../../domain/money.js';
import type { Delivery } from '../../domain/settlements/settlement-status.js';
import type { ChangeOutcome, Lease, ReleaseCause } from '../session-ledger.js';
import type { CommitQueue } from './commit-queue.js';

export interface LiveSessionFacts {
  readonly id: SettlementId;
  readonly lease: Lease;
  readonly closeToken: string;
  readonly cap: AtomicAmount;
  /** False: all or nothing, the first charge takes the cap. */
  readonly metered: boolean;
  /** True: closed at the auth server also when nothing was spent, so that the payer gets the deposit back. */
  readonly closesAtZero: boolean;
  /** The answer is held back until the money is in. */
  readonly withheld?: boolean;
  /** What is durable may be on its way to the provider at once: it is never taken back. */
  readonly keepsDurable?: boolean;
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

export interface ChargeOptions {
  /** Billed also when the answer fails or is a 304: the work was done whatever came of it. Default false. */
  readonly evenIfFailed?: boolean;
}

/** The money side of one paid exchange: what was charged, and how much of that is durable. Knows nothing of HTTP. */
export interface LiveSession {
  readonly id: SettlementId;
  /** Known to nobody but this session. */
  readonly closeToken: string;
  readonly cap: bigint;
  /** Charged so far, in atomic units. */
  spent(): bigint;
  /** Charged, and not known to be in the ledger. */
  uncommitted(): bigint;
  /** True once a checkpoint was sent to the ledger: from then on the charge cannot be taken back. */
  checkpointed(): boolean;
  /**
   * Synchronous; never lets the sum pass the cap.
   * @returns false past the cap, or after the close
   * @throws TypeError when `amount` is not a non-negative bigint or a string of 1 to 39 digits
   */
  charge(amount: bigint | string, options?: ChargeOptions): boolean;
  /** Nothing more can be charged: the response has ended. */
  freeze(): void;
  /** Gives the charge up: nothing will be billed. @returns false when it is too late for that */
  release(): boolean;
  /**
   * The answer failed before its first byte, or says that nothing has changed: what stays is what was charged
   * `evenIfFailed`, and when that is nothing the session is released.
   * @param cause undefined: the failure was the server's own
   */
  fail(cause: ReleaseCause | undefined): void;
  released(): boolean;
  /**
   * The response was cut off: what stays is what was charged for bytes that were let go.
   * @param cause of a release; undefined: whoever cut it off, it was not the payer
   */
  cutOff(letGo: bigint, cause: ReleaseCause | undefined): void;
  /** Makes what was charged so far durable; at most one at a time. @throws when it could not be made durable */
  checkpoint(): Promise<ChangeOutcome>;
  /** Freezes the amount and commits the close; once. Never rejects. */
  close(by: 'end' | 'abort' | 'error', delivery: Delivery): Promise<CloseResult>;
  /**
   * After a close that is committed, of which less was let go than it bills. Never rejects.
   * @returns whether anything is billed now
   */
  takeBack(letGo: bigint, cause: ReleaseCause | undefined): Promise<boolean>;
}

export function createLiveSession(facts: LiveSessionFacts, commits: Pick<CommitQueue, 'submit'>): LiveSession {
  const { id, lease, closeToken } = facts;
  const cap = BigInt(facts.cap);
  let spent = 0n;
  /** The part of `spent` that a failed answer costs too. */
  let evenIfFailed = 0n;
  let committed = 0n;
  /** The highest amount of a checkpoint that the ledger was asked for. */
  let asked = 0n;
  let frozen = false;
  let failed = false;
  let released = false;
  let releasedBy: ReleaseCause | undefined;
  let checkpointing: Promise<ChangeOutcome> | undefined;

  async function commitCheckpoint(amount: bigint): Promise<ChangeOutcome> {
    const outcome = await commits.submit({ kind: 'checkpoint', id, lease, closeToken, spent: toAtomic(amount) });
    if (outcome === 'committed') committed = amount;
    return outcome;
  }

  return {
    id,
    closeToken,
    cap,
    spent: () => spent,
    uncommitted: () => spent - committed,
    checkpointed: () => asked > 0n,
    released: () => released,

    charge(amount, options = {}) {
      const more = atomicOf(amount);
      const stays = options.evenIfFailed === true;
      if (frozen || (failed && !stays)) return false;
      if (more === 0n) return true;
      // An all-or-nothing charge leaves nothing of the cap, so this also refuses every second one.
      if (spent + more > cap) return false;
      const charged = facts.metered ? more : cap;
      spent += charged;
      if (stays) evenIfFailed += charged;
      return true;
    },

    freeze() {
      frozen = true;
    },

    release() {
      if (released) return true;
      if (frozen || asked > 0n) return false;
      frozen = true;
      released = true;
      spent = 0n;
      return true;
    },

    fail(cause) {
      if (failed || released || asked > 0n) return;
      failed = true;
      spent = evenIfFailed;
      if (spent > 0n) return;
      frozen = true;
      released = true;
      releasedBy = cause;
    },

    cutOff(letGo, cause) {
      frozen = true;
      if (released) return;
      spent = facts.keepsDurable === true && asked > letGo ? asked : letGo;
      if (spent > 0n) return;
      released = true;
      releasedBy = cause;
    },

    checkpoint() {
      if (checkpointing) return checkpointing;
      if (spent === committed) return Promise.resolve('committed');
      asked = spent;
      checkpointing = commitCheckpoint(spent).finally(() => {
        checkpointing = undefined;
      });
      return checkpointing;
    },

    async close(by, delivery) {
      frozen = true;
      const amount = toAtomic(spent);
      const billed = spent > 0n || facts.closesAtZero;
      try {
        const outcome = await commits.submit({
          kind: 'close',
          id,
          lease,
          closeToken,
          by,
          spent: amount,
          body: billed ? facts.bodyFor(amount) : null,
          delivery: billed ? delivery : null,
          ...(spent > 0n && facts.withheld === true && { withheld: true }),
          ...(spent === 0n && releasedBy !== undefined && { releasedBy }),
          ...(spent < asked && { takesBack: true }),
        });
        if (outcome === 'committed') committed = spent;
        return { outcome, billed, spent };
      } catch {
        return { outcome: 'unknown', billed, spent };
      }
    },

    async takeBack(letGo, cause) {
      if (facts.keepsDurable === true || letGo >= spent) return spent > 0n || facts.closesAtZero;
      const billed = letGo > 0n || facts.closesAtZero;
      const amount = toAtomic(letGo);
      try {
        const outcome = await commits.submit({
          kind: 'take_back',
          id,
          closeToken,
          spent: amount,
          body: billed ? facts.bodyFor(amount) : null,
          ...(letGo === 0n && cause !== undefined && { releasedBy: cause }),
        });
        if (outcome !== 'committed') return true;
        spent = letGo;
        return billed;
      } catch {
        return true;
      }
    },
  };
}

function atomicOf(amount: unknown): bigint {
  if (typeof amount === 'bigint' && amount >= 0n) return amount;
  const digits = typeof amount === 'string' ? parseAtomic(amount) : undefined;
  if (digits === undefined) {
    throw new TypeError(
      "charge(amount): give the asset's atomic units as a bigint or digits, e.g. charge(3000n) or charge('3000') for 0.003 USDC; nothing was charged",
    );
  }
  return BigInt(digits);
}
