import type { Clock } from '../../../src/domain/clock.js';
import {
  addOne,
  createRepeats,
  differing,
  known,
  overlapsOf,
  type RepeatedCalls,
  type Repeats,
} from '../../stand-in/call-counts.js';
import type { Journal } from '../../stand-in/journal.js';
import type { SandboxProtocol } from '../claims/claim.js';

/** What came for one payment; the auth server itself does not go by the Idempotency-Key headers. */
export interface KeyCalls extends RepeatedCalls {
  readonly key: string;
  readonly protocol: SandboxProtocol;
  readonly maxInProgress: number;
}

export interface CallTotals {
  readonly settleCalls: number;
  readonly verifyCalls: number;
  /** Payments that came with more than one body. */
  readonly keysWithDifferingBodies: number;
  /** Payments that came under more than one Idempotency-Key. */
  readonly keysWithDifferingHeaders: number;
  readonly overlaps: number;
  readonly inProgress: number;
  readonly maxInProgress: number;
  /** Settle calls by Unix second: shows how a recovery is paced. */
  readonly settlesPerSecond: Readonly<Record<string, number>>;
}

export interface LoggedCall {
  readonly protocol: SandboxProtocol;
  readonly key: string;
  readonly body: string;
  readonly idempotencyKey: string;
}

/** Counts calls, not money; a call is in progress until the auth server itself stops working on it. */
export interface CallLog {
  /** Returns the function that ends the call. */
  begin(call: LoggedCall): () => void;
  verified(): void;
  keys(): readonly KeyCalls[];
  totals(): CallTotals;
  replay(entry: Readonly<Record<string, unknown>>): boolean;
  clear(): void;
}

interface Counted {
  readonly protocol: SandboxProtocol;
  readonly repeats: Repeats;
  maxInProgress: number;
}

export function createCallLog(clock: Clock, journal: Journal): CallLog {
  const byKey = new Map<string, Counted>();
  const perSecond = new Map<number, number>();
  let verifyCalls = 0;
  let load = { now: 0, most: 0 };

  const countedOf = ({ key, protocol }: LoggedCall): Counted =>
    known(byKey, key, () => ({ protocol, repeats: createRepeats(), maxInProgress: 0 }));
  const note = (counted: Counted, second: number, atOnce: number): void => {
    counted.maxInProgress = Math.max(counted.maxInProgress, atOnce);
    addOne(perSecond, second);
  };
  const keys = () =>
    Array.from(byKey, ([key, { protocol, repeats, maxInProgress }]) => ({
      key,
      protocol,
      ...repeats.view(),
      maxInProgress,
    }));

  return {
    begin(call) {
      const counted = countedOf(call);
      const atOnce = counted.repeats.begin(call.body, call.idempotencyKey);
      const second = Math.floor(clock.nowMs() / 1000);
      note(counted, second, atOnce);
      // The debit that may follow is queued behind this line, so whatever is answered, the count is durable first.
      journal.append({ t: 'call', ...call, second, atOnce }).catch(() => undefined);
      const begunUnder = load;
      begunUnder.now += 1;
      begunUnder.most = Math.max(begunUnder.most, begunUnder.now);
      return () => {
        counted.repeats.end();
        begunUnder.now -= 1;
      };
    },
    verified() {
      verifyCalls += 1;
    },
    keys,
    totals() {
      const all = keys();
      return {
        settleCalls: all.reduce((sum, { calls }) => sum + calls, 0),
        verifyCalls,
        keysWithDifferingBodies: differing(all.map(({ bodies }) => bodies)),
        keysWithDifferingHeaders: differing(all.map(({ idempotencyKeys }) => idempotencyKeys)),
        overlaps: overlapsOf(all),
        inProgress: load.now,
        maxInProgress: load.most,
        settlesPerSecond: Object.fromEntries(perSecond),
      };
    },
    replay(entry) {
      if (entry.t !== 'call') return false;
      const call = entry as unknown as LoggedCall & { readonly second: number; readonly atOnce: number };
      const counted = countedOf(call);
      counted.repeats.replay(call.body, call.idempotencyKey, call.atOnce);
      note(counted, call.second, call.atOnce);
      return true;
    },
    clear() {
      byKey.clear();
      perSecond.clear();
      verifyCalls = 0;
      // Calls that are still at work end under the load they began under.
      load = { now: 0, most: 0 };
    },
  };
}
