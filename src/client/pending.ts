import type { PendingTransaction } from './channel-store.js';

/** Clocks differ; a transaction counts as dead a little after its end. */
const GRACE_SECONDS = 10;

export const canStillLand = (pending: PendingTransaction, nowMs: number): boolean => secondsLeft(pending, nowMs) > 0;

export const secondsLeft = ({ validBefore }: PendingTransaction, nowMs: number): number =>
  Math.ceil(validBefore + GRACE_SECONDS - nowMs / 1000);

/** @returns the transaction where the chain does not show it and may yet take it */
export const undecided = (
  pending: PendingTransaction | undefined,
  deposit: bigint,
  nowMs: number,
): PendingTransaction | undefined =>
  pending !== undefined && deposit < BigInt(pending.depositAfter) && canStillLand(pending, nowMs) ? pending : undefined;
