/** Statuses of a settlement. `open` is a payment session still being served. */
export type SettlementStatus = 'open' | 'pending' | 'settled' | 'released' | 'needs_attention' | 'written_off';

/**
 * Every move a settlement may make. The database holds the same table in the trigger `settlements_guard`;
 * a test compares the two and tries each illegal pair.
 *
 * One more is none of these: a pending charge of which nothing was let go is taken back whole, and released.
 * From open to needs_attention goes only what cannot be decrypted, and from there to released what had charged nothing.
 *
 *     open ──► pending ──► settled ◄── written_off
 *       │         │ ▲         ▲             ▲
 *       ▼         ▼ │         │             │
 *    released ◄─ needs_attention ───────────┘
 */
export const SETTLEMENT_TRANSITIONS: Readonly<Record<SettlementStatus, readonly SettlementStatus[]>> = {
  open: ['pending', 'released', 'needs_attention'],
  pending: ['settled', 'needs_attention'],
  needs_attention: ['pending', 'settled', 'written_off', 'released'],
  written_off: ['settled'],
  settled: [],
  released: [],
};

export const SETTLEMENT_STATUSES = Object.keys(SETTLEMENT_TRANSITIONS) as SettlementStatus[];

/** What we know of the way the response took. `unknown`: billed, and the process died before it could tell. */
export type Delivery = 'delivered' | 'aborted' | 'unknown';

/** Of a response that is settled first and was held back: owed to its payer, being given, or had. Null: none was. */
export const HELD_BACK = ['due', 'serving', 'given'] as const;
export type HeldBack = (typeof HELD_BACK)[number];

export const PROTOCOLS = ['atxp', 'x402', 'mpp'] as const;
export type Protocol = (typeof PROTOCOLS)[number];
