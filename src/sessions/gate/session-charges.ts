import { type AtomicAmount, larger, parseAtomic } from '../../domain/money.js';
import type { ReleaseCause } from '../session-ledger.js';

export interface ChargeOptions {
  /** Billed also when the answer fails or is a 304: the work was done whatever came of it. Default false. */
  readonly evenIfFailed?: boolean;
}

export interface ChargeTerms {
  readonly cap: AtomicAmount;
  /** False: all or nothing, the first charge takes the cap. */
  readonly metered: boolean;
  /** What a charge of all or nothing may also be counted in: the price of a route that sells for another amount elsewhere. */
  readonly price?: AtomicAmount;
  /** What is durable may be on its way to the provider at once: it is never taken back. */
  readonly keepsDurable?: boolean;
}

/** What one exchange costs so far, and what may still change about that. Knows no ledger. */
export interface SessionCharges {
  readonly cap: bigint;
  /** Charged so far, in atomic units. */
  spent(): bigint;
  /** The highest amount that the ledger was asked to make durable: what may not be taken back any more. */
  asked(): bigint;
  released(): boolean;
  /** undefined: it was not released, or by the server's own failure. */
  releasedBy(): ReleaseCause | undefined;
  /**
   * Synchronous; never lets the sum pass the cap. All or nothing, any amount up to the cap or the route's price takes the cap.
   * @returns false past the cap, or after the close
   * @throws TypeError when `amount` is not a non-negative bigint or a string of 1 to 39 digits
   */
  charge(amount: bigint | string, options?: ChargeOptions): boolean;
  /** The ledger is about to be asked for all that is charged. @returns how much that is */
  ask(): bigint;
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
  /**
   * The response was cut off: what stays is what was charged for bytes that were let go.
   * @param cause of a release; undefined: whoever cut it off, it was not the payer
   */
  cutOff(letGo: bigint, cause: ReleaseCause | undefined): void;
  /** The ledger has taken the close back, down to what was charged for bytes that were let go. */
  takenBackTo(letGo: bigint): void;
}

export function createSessionCharges(terms: ChargeTerms): SessionCharges {
  const cap = BigInt(terms.cap);
  const most = larger(cap, BigInt(terms.price ?? 0));
  let spent = 0n;
  /** The part of `spent` that a failed answer costs too. */
  let evenIfFailed = 0n;
  let asked = 0n;
  let frozen = false;
  let failed = false;
  let released = false;
  let releasedBy: ReleaseCause | undefined;

  function releaseIfNothing(cause: ReleaseCause | undefined): void {
    if (spent > 0n) return;
    frozen = true;
    released = true;
    releasedBy = cause;
  }

  return {
    cap,
    spent: () => spent,
    asked: () => asked,
    released: () => released,
    releasedBy: () => releasedBy,

    charge(amount, options = {}) {
      const more = atomicOf(amount);
      const stays = options.evenIfFailed === true;
      if (frozen || (failed && !stays)) return false;
      if (more === 0n) return true;
      // An all-or-nothing charge leaves nothing of the cap.
      if (terms.metered ? spent + more > cap : spent > 0n || more > most) return false;
      const charged = terms.metered ? more : cap;
      spent += charged;
      if (stays) evenIfFailed += charged;
      return true;
    },

    ask() {
      asked = spent;
      return spent;
    },

    freeze() {
      frozen = true;
    },

    release() {
      if (released) return true;
      if (frozen || asked > 0n) return false;
      spent = 0n;
      releaseIfNothing(undefined);
      return true;
    },

    fail(cause) {
      if (failed || released || asked > 0n) return;
      failed = true;
      spent = evenIfFailed;
      releaseIfNothing(cause);
    },

    cutOff(letGo, cause) {
      frozen = true;
      if (released) return;
      spent = terms.keepsDurable === true && asked > letGo ? asked : letGo;
      releaseIfNothing(cause);
    },

    takenBackTo(letGo) {
      spent = letGo;
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
