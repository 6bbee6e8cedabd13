import { authServerOf, type SettlementProvider, TEMPO } from './settlements/settlement-providers.js';

/**
 * Every recurring pass over unfinished work, one for each provider and kind of work. Each has a schedule, a budget of time,
 * heartbeats and a last success of its own, so that whatever hangs holds up nothing but its own lane.
 */
export type SweepLane =
  | SettlementLane
  | 'session'
  | 'capture'
  | 'chain'
  | 'payment'
  | 'refund'
  | 'transfer'
  | 'reversal'
  | 'dispute'
  | 'dispute-search'
  | 'payout'
  | 'seller-side'
  | InboxLane
  | 'anchor'
  | 'notify'
  | 'retention'
  | 'upkeep';

/** Starts the due settlements of one provider. */
export type SettlementLane = 'settlement-atxp' | 'settlement-x402' | 'settlement-mpp' | 'settlement-tempo';
/** Acts on events of providers: those of Stripe that need a read at Stripe stand apart from those that need none. */
export type InboxLane = 'hyperswitch-event' | 'stripe-event' | 'stripe-read';

export const PROVIDER_OF_LANE: Readonly<Record<SettlementLane, SettlementProvider>> = {
  'settlement-atxp': authServerOf('atxp'),
  'settlement-x402': authServerOf('x402'),
  'settlement-mpp': authServerOf('mpp'),
  'settlement-tempo': TEMPO,
};
export const SETTLEMENT_LANES = Object.keys(PROVIDER_OF_LANE) as readonly SettlementLane[];

/** The settings that say how often unfinished items are looked for; milliseconds. */
export interface SweepSettings {
  readonly settlement: { readonly sweepIntervalMs: number };
  readonly transferRetry: { readonly checkIntervalMs: number };
  readonly reversal: { readonly checkIntervalMs: number };
  /** Undefined: no chain is configured here, and its lanes have nothing to do. */
  readonly tempo?: unknown;
}

export type SweepIntervals = Readonly<Record<SweepLane, number>>;

/** Erasing, re-encrypting, anchoring and putting aside are counted in days, and a lane without its provider does nothing: more often they would only cost. */
const IDLE_EVERY_MS = 60_000;
/** A channel is read every five minutes, and again after a minute where its read came to nothing. */
const CHAIN_EVERY_MS = 10_000;

const charges = ({ settlement }: SweepSettings) => settlement.sweepIntervalMs;
const captures = (settings: SweepSettings) => (settings.tempo ? charges(settings) : idly(settings));
const idly = (settings: SweepSettings) => Math.max(charges(settings), IDLE_EVERY_MS);
/** Payments lead to transfers and refunds to reversals, so each pair is looked for equally often. */
const sales = ({ transferRetry }: SweepSettings) => transferRetry.checkIntervalMs;
const refunds = ({ reversal }: SweepSettings) => reversal.checkIntervalMs;

/** How often each lane has its pass. */
const EVERY: Readonly<Record<SweepLane, (settings: SweepSettings) => number>> = {
  session: charges,
  'settlement-atxp': charges,
  'settlement-x402': charges,
  'settlement-mpp': charges,
  'settlement-tempo': captures,
  capture: captures,
  chain: (settings) => Math.max(captures(settings), CHAIN_EVERY_MS),
  payment: sales,
  transfer: sales,
  refund: refunds,
  reversal: refunds,
  dispute: refunds,
  'dispute-search': refunds,
  payout: sales,
  'seller-side': refunds,
  'hyperswitch-event': refunds,
  'stripe-event': refunds,
  'stripe-read': refunds,
  anchor: idly,
  notify: charges,
  retention: idly,
  upkeep: idly,
};

export const SWEEP_LANES = Object.keys(EVERY) as readonly SweepLane[];

export const sweepIntervals = (settings: SweepSettings): SweepIntervals =>
  Object.fromEntries(SWEEP_LANES.map((lane) => [lane, EVERY[lane](settings)])) as SweepIntervals;
