import type { Clock } from '../../domain/clock.js';
import type { Journal } from '../journal.js';
import type { SandboxProtocol } from './claim.js';

/** What the auth server saw of one idempotency key. */
export interface KeyCalls {
  readonly key: string;
  readonly protocol: SandboxProtocol;
  readonly calls: number;
  /** sha256 of every body that came under this key, with how often; more than one entry is a broken promise. */
  readonly bodies: Readonly<Record<string, number>>;
  /** The Idempotency-Key headers it came with, with how often; the auth server itself does not go by them. */
  readonly idempotencyKeys: Readonly<Record<string, number>>;
  /** How often a call arrived while an earlier one of the same key was still at work. */
  readonly overlaps: number;
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

interface Counted {
  key: string;
  protocol: SandboxProtocol;
  calls: number;
  bodies: Map<string, number>;
  idempotencyKeys: Map<string, number>;
  overlaps: number;
  inProgress: number;
  maxInProgress: number;
}

const fresh = ({ key, protocol }: SettleCall): Counted => ({
  key,
  protocol,
  calls: 0,
  bodies: new Map(),
  idempotencyKeys: new Map(),
  overlaps: 0,
  inProgress: 0,
  maxInProgress: 0,
});

function noteAtOnce(counted: Counted, atOnce: number): void {
  if (atOnce > 1) counted.overlaps += 1;
  counted.maxInProgress = Math.max(counted.maxInProgress, atOnce);
}

export interface SettleCall {
  readonly protocol: SandboxProtocol;
  readonly key: string;
  readonly body: string;
  readonly idempotencyKey: string;
}

/** Counts calls, not money; a call is in progress until the auth server itself stops working on it. */
export interface CallLog {
  /** Returns the function that ends the call; ending twice counts once. */
  begin(call: SettleCall): () => void;
  verified(): void;
  keys(): readonly KeyCalls[];
  totals(): CallTotals;
  replay(entry: Readonly<Record<string, unknown>>): boolean;
  clear(): void;
}

export function createCallLog(clock: Clock, journal: Journal): CallLog {
  const byKey = new Map<string, Counted>();
  const perSecond = new Map<number, number>();
  let verifyCalls = 0;
  let inProgress = 0;
  let maxInProgress = 0;
  let epoch = 0;

  const count = (call: SettleCall): Counted => {
    const counted = byKey.get(call.key) ?? fresh(call);
    byKey.set(call.key, counted);
    counted.calls += 1;
    counted.bodies.set(call.body, (counted.bodies.get(call.body) ?? 0) + 1);
    counted.idempotencyKeys.set(call.idempotencyKey, (counted.idempotencyKeys.get(call.idempotencyKey) ?? 0) + 1);
    return counted;
  };

  return {
    begin(call) {
      const counted = count(call);
      counted.inProgress += 1;
      const atOnce = counted.inProgress;
      noteAtOnce(counted, atOnce);
      inProgress += 1;
      maxInProgress = Math.max(maxInProgress, inProgress);
      const second = Math.floor(clock.nowMs() / 1000);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
      // The debit that may follow is queued behind this line, so whatever is answered, the count is durable first.
      journal.append({ t: 'call', ...call, second, atOnce }).catch(() => undefined);
      const begunIn = epoch;
      let ended = false;
      return () => {
        if (ended || begunIn !== epoch) return;
        ended = true;
        counted.inProgress -= 1;
        inProgress -= 1;
      };
    },
    verified() {
      verifyCalls += 1;
    },
    keys: () =>
      Array.from(byKey.values(), ({ inProgress: _now, bodies, idempotencyKeys, ...counted }) => ({
        ...counted,
        bodies: Object.fromEntries(bodies),
        idempotencyKeys: Object.fromEntries(idempotencyKeys),
      })),
    totals() {
      const all = Array.from(byKey.values());
      return {
        settleCalls: all.reduce((sum, { calls }) => sum + calls, 0),
        verifyCalls,
        keysWithDifferingBodies: all.filter(({ bodies }) => bodies.size > 1).length,
        keysWithDifferingHeaders: all.filter(({ idempotencyKeys }) => idempotencyKeys.size > 1).length,
        overlaps: all.reduce((sum, { overlaps }) => sum + overlaps, 0),
        inProgress,
        maxInProgress,
        settlesPerSecond: Object.fromEntries(perSecond),
      };
    },
    replay(entry) {
      if (entry.t !== 'call') return false;
      const counted = count(entry as unknown as SettleCall);
      noteAtOnce(counted, Number(entry.atOnce));
      const second = Number(entry.second);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
      return true;
    },
    clear() {
      epoch += 1;
      byKey.clear();
      perSecond.clear();
      verifyCalls = inProgress = maxInProgress = 0;
    },
  };
}
