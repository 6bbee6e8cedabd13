import type { MarketplaceKind } from '../domain/marketplace/marketplace.js';
import type { AtomicAmount } from '../domain/money.js';
import type { DriftKind } from '../domain/reconciliation/drift.js';
import type { Protocol } from '../domain/settlements/settlement-status.js';
import type { ComparedPart } from './reconciliation/compared-parts.js';

/** Money figures for gauges and alerts, computed in Postgres so that they work while Temporal is down. */
export interface Figures {
  readonly unsettled: readonly {
    readonly protocol: Protocol;
    readonly asset: string;
    readonly decimals: number;
    readonly count: number;
    readonly amount: AtomicAmount;
    readonly oldestSeconds: number;
  }[];
  readonly unknown: number;
  readonly expiring: number;
  readonly parked: number;
  readonly suspectedElsewhere: number;
  readonly deliveryUnknown: number;
  /** Settled first, and the answer was not had. */
  readonly answersDue: number;
  readonly needsAttention: readonly {
    readonly kind: string;
    readonly reason: string;
    readonly count: number;
    readonly oldestSeconds: number;
  }[];
  /** Open drift by kind. */
  readonly drift: readonly { readonly kind: DriftKind; readonly count: number; readonly oldestSeconds: number }[];
  /** Parts of the reconciler, and how long ago each was compared to its end. */
  readonly compared: readonly ComparedPart[];
  readonly firstFailures: readonly { readonly protocol: Protocol; readonly reason: string; readonly count: number }[];
  readonly breakers: readonly {
    readonly provider: string;
    readonly state: 'closed' | 'open' | 'half_open';
    readonly reason: string | null;
    /** How often in a row it opened again within ten minutes; 0 once it has been quiet for half an hour. */
    readonly returns: number;
    /** Who has paused it by hand, and when, in Unix seconds; null: nobody has. */
    readonly pausedBy?: string | null;
    readonly pausedAt?: number | null;
  }[];
  /** Of every lane of sweeps. */
  readonly sweeps: readonly {
    readonly name: string;
    /** Unix seconds; null: never. */
    readonly lastSuccess: number | null;
  }[];
  /** Of whoever is told what needs a person; empty: nobody is. */
  readonly destinations: readonly {
    readonly id: string;
    readonly waiting: number;
    /** Since its first failure after its last success; 0: it has none. */
    readonly failingSeconds: number;
    readonly gone: boolean;
  }[];
  readonly marketplace: MarketplaceFigures;
}

/** Of orders' money: payments, refunds, sellers' transfers and reversals. */
export interface MarketplaceFigures {
  /** Promised and not moved yet. */
  readonly open: readonly {
    readonly kind: MarketplaceKind;
    readonly status: string;
    readonly currency: string;
    readonly count: number;
    /** Digits of minor units. */
    readonly amount: string;
    /** Since it was made; of a wait for a balance, since the wait began. */
    readonly oldestSeconds: number;
  }[];
  /** Nobody knows whether the money moved, and no call is at work that would tell. */
  readonly unknown: readonly {
    readonly kind: MarketplaceKind;
    readonly count: number;
    readonly oldestSeconds: number;
  }[];
  /** Events that nobody has acted on yet. */
  readonly webhooks: readonly { readonly provider: string; readonly count: number; readonly oldestSeconds: number }[];
  /** Lanes of reads of Hyperswitch: how long the next read would wait for its turn. */
  readonly reads: readonly { readonly lane: string; readonly waitSeconds: number }[];
  /** Payouts of sellers that are to be read and are not, for whatever reason. */
  readonly payouts: { readonly count: number; readonly oldestSeconds: number };
}
