import type { ChannelRefusal } from './channel-problems.js';

/** A channel as the chain has it now; zeros where it is closed, or was never opened. */
export interface ChainState {
  readonly deposit: bigint;
  /** Cumulative amount captured. */
  readonly settled: bigint;
  readonly closeRequestedAtMs: number | null;
}

export type ChainRead =
  | ({ readonly kind: 'read' } & ChainState)
  | { readonly kind: 'unavailable'; readonly detail: string };

/** What became of a payer's own transaction. */
export type ChainAnswer =
  | { readonly kind: 'done'; readonly txHash: string | null }
  | { readonly kind: 'refused'; readonly refusal: ChannelRefusal }
  /** The chain did not answer; what was sent may still be executed, and the same credential may be sent again. */
  | { readonly kind: 'unavailable'; readonly detail: string };
