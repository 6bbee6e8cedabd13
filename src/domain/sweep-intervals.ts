import type { MoneyKind } from './marketplace.js';

/** The settings that say how often unfinished items are looked for; milliseconds. */
export interface SweepSettings {
  readonly settlement: { readonly sweepIntervalMs: number };
  readonly transferRetry: { readonly checkIntervalMs: number };
  readonly reversal: { readonly checkIntervalMs: number };
}

/** Payments lead to transfers and refunds to reversals, so each pair is looked for equally often. */
export const sweepIntervals = ({
  settlement,
  transferRetry,
  reversal,
}: SweepSettings): Readonly<Record<'settlement' | MoneyKind, number>> => ({
  settlement: settlement.sweepIntervalMs,
  payment: transferRetry.checkIntervalMs,
  transfer: transferRetry.checkIntervalMs,
  refund: reversal.checkIntervalMs,
  reversal: reversal.checkIntervalMs,
});
