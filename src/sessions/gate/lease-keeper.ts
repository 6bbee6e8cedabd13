import type { Clock } from '../../domain/clock.js';
import type { Lease, SessionLedger } from '../session-ledger.js';

/** A lease as one session holds it: a session keeps the lease it was opened under, also after a newer one was taken. */
export interface HeldLease {
  readonly lease: Lease;
  /** False once half of the lease has passed unrenewed, and for ever once it was lost: write no protected byte. */
  mayWrite(): boolean;
}

export interface LeaseKeeper {
  /** Takes the first lease. @throws when the ledger cannot be reached: the server is then not ready */
  start(): Promise<void>;
  /** The lease to open sessions under; undefined before the start and while a lost lease is being replaced. */
  current(): HeldLease | undefined;
  mayWrite(): boolean;
  /** Ends the lease, so that the sweep need not wait for it to lapse; call it after the last response. */
  stop(): Promise<void>;
}

export interface LeaseKeeperOptions {
  readonly ledger: Pick<SessionLedger, 'takeLease' | 'renewLease' | 'endLease'>;
  /** Host and process, for a person who looks at the table. */
  readonly holder: string;
  /** How long Postgres keeps the lease without renewal. */
  readonly leaseMs?: number;
  readonly clock: Clock;
  /** Monotonic milliseconds; goes on while the process is stopped. */
  readonly monotonicMs?: () => number;
  readonly onEvent?: (event: 'lease_renewal_failed' | 'lease_lost' | 'lease_taken', error?: unknown) => void;
}

/** A moment by both clocks: the monotonic one cannot be set back, the wall clock counts a suspended machine. */
interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

interface Tenure {
  readonly lease: Lease;
  /** When the last successful renewal was sent: Postgres counts from a later moment, so ours ends first. */
  renewedAt: Moment;
  lost: boolean;
}

/**
 * Keeps this process entitled to its sessions. Postgres judges the lease by its own clock; this
 * side only stops early enough that no byte leaves after the sweep may have closed a session.
 */
export function createLeaseKeeper(options: LeaseKeeperOptions): LeaseKeeper {
  const { ledger, holder, clock, leaseMs = 30_000, monotonicMs = () => performance.now(), onEvent } = options;
  const renewEveryMs = leaseMs / 3;
  // A failed renewal leaves only a sixth of the lease before writing stops: try again soon.
  const retryEveryMs = Math.max(leaseMs / 30, 1);
  let tenure: Tenure | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const now = (): Moment => ({ monotonic: monotonicMs(), wall: clock.nowMs() });
  const fresh = (held: Tenure): boolean => {
    const { monotonic, wall } = held.renewedAt;
    return !held.lost && Math.max(monotonicMs() - monotonic, clock.nowMs() - wall) < leaseMs / 2;
  };

  async function take(): Promise<void> {
    const sent = now();
    const lease = await ledger.takeLease(holder, leaseMs);
    tenure = { lease, renewedAt: sent, lost: false };
    onEvent?.('lease_taken');
  }

  async function renew(held: Tenure): Promise<void> {
    const sent = now();
    if (await ledger.renewLease(held.lease, leaseMs)) {
      if (sent.monotonic > held.renewedAt.monotonic) held.renewedAt = sent;
      return;
    }
    held.lost = true;
    if (tenure === held) tenure = undefined;
    onEvent?.('lease_lost');
  }

  async function beat(): Promise<void> {
    if (tenure) await renew(tenure);
    if (!tenure && !stopped) await take();
  }

  function schedule(afterMs: number): void {
    if (stopped) return;
    timer = setTimeout(() => void beatAgain(), afterMs);
    timer.unref();
  }

  async function beatAgain(): Promise<void> {
    let nextMs = renewEveryMs;
    let overdue: NodeJS.Timeout | undefined;
    try {
      // A renewal that hangs must not be the last one: the next is sent whether or not this one was answered.
      const late = new Promise<void>((resolve) => {
        overdue = setTimeout(() => {
          nextMs = 0;
          resolve();
        }, renewEveryMs).unref();
      });
      await Promise.race([beat(), late]);
    } catch (error) {
      onEvent?.('lease_renewal_failed', error);
      nextMs = retryEveryMs;
    }
    clearTimeout(overdue);
    schedule(nextMs);
  }

  return {
    async start() {
      await take();
      schedule(renewEveryMs);
    },
    current() {
      const held = tenure;
      return held && { lease: held.lease, mayWrite: () => fresh(held) };
    },
    mayWrite: () => tenure !== undefined && fresh(tenure),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      const held = tenure;
      tenure = undefined;
      if (held) await ledger.endLease(held.lease);
    },
  };
}
